// One immutable, reference-counted run of bytes: a message body as it came off the wire.
//
// Made once at ingest and shared by every output, never copied or changed again. A Payload is a small value
// (a pointer and a length) and may be copied freely; the bytes live as long as any copy of it. Safe to
// release on any thread, but on the packet path all holders live on one shard.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

namespace simulcast::media {

class Payload {
 public:
  Payload() = default;
  Payload(std::shared_ptr<const std::byte[]> bytes, std::size_t size)
      : bytes_(std::move(bytes)), size_(size) {}

  // The one place that copies: for bodies built by the daemon itself (headers, tests), not for the packet
  // path.
  static Payload copy_of(std::span<const std::byte> bytes);

  const std::byte* data() const { return bytes_.get(); }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  std::span<const std::byte> bytes() const { return {bytes_.get(), size_}; }

  // A part of the same bytes: shares their memory, and keeps all of it alive. Must lie within.
  Payload slice(std::size_t offset, std::size_t length) const {
    return {std::shared_ptr<const std::byte[]>(bytes_, bytes_.get() + offset), length};
  }

  // `next` begins where this one ends, in the same memory.
  bool continues_in(const Payload& next) const {
    return bytes_.get() + size_ == next.bytes_.get() && !bytes_.owner_before(next.bytes_) &&
           !next.bytes_.owner_before(bytes_);
  }
  // Only when it continues there.
  void extend_by(const Payload& next) { size_ += next.size_; }

 private:
  std::shared_ptr<const std::byte[]> bytes_;
  std::size_t size_ = 0;
};

// Collects a body that arrives in pieces. Pieces that were read one behind the other into the same memory
// stay there; others are copied, once, behind each other. Memory follows the bytes received, never the
// announced length: at most kFirstReserve is taken on a peer's word, after that the buffer at most doubles
// what has really arrived.
class PayloadBuilder {
 public:
  static constexpr std::size_t kFirstReserve =
      64 * 1024;  // holds a typical frame at once, harmless as a bluff
  // A smaller body is copied out of the memory it was read into, for it would keep all of that alive: what is
  // kept is at most PayloadSlab::kSize / kLeastShared times what counts.
  static constexpr std::size_t kLeastShared = 8 * 1024;

  // Begins a body of `expected` bytes; whatever was collected before is dropped.
  void begin(std::size_t expected);
  // At most missing() bytes may be appended. The first are always copied, the second only if they must be.
  void append(std::span<const std::byte> bytes);
  void append(const Payload& piece);
  std::size_t expected() const { return expected_; }
  std::size_t received() const { return received_; }
  std::size_t missing() const { return expected_ - received_; }
  // Hands the collected bytes out; the builder is empty afterwards.
  Payload finish();
  void reset();

 private:
  void copy(std::span<const std::byte> bytes);
  void copy_run();

  Payload run_;  // all that was received, where it was read; empty once it is in bytes_
  std::shared_ptr<std::byte[]> bytes_;
  std::size_t capacity_ = 0;
  std::size_t expected_ = 0;
  std::size_t received_ = 0;
};

}  // namespace simulcast::media
