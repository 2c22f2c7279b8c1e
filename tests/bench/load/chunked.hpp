// One message as the pieces of a gather write: the body where it is, chunk headers in between.
#pragma once

#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "protocol/rtmp/chunk_writer.hpp"

namespace simulcast::load {

// The customary chunk streams of media.
inline std::uint32_t chunk_stream_of(rtmp::MessageType type) {
  using rtmp::MessageType;
  return type == MessageType::audio ? 4 : type == MessageType::video ? 6 : 5;
}

// Collects messages; valid as long as their bodies are and the object is not moved.
class Chunked {
 public:
  void clear() { headers_ = pieces_ = 0, size_ = 0; }
  bool empty() const { return pieces_ == 0; }
  bool has_room(std::size_t body, std::uint32_t chunk_size) const {
    return headers_ + body / chunk_size + 1 <= kMaxChunks;
  }

  void add(rtmp::ChunkWriter& writer, rtmp::MessageType type, std::uint32_t stream_id,
           std::uint32_t timestamp, std::span<const std::byte> body) {
    const std::uint32_t chunk_stream = chunk_stream_of(type);
    put(writer.begin_message(chunk_stream, type, stream_id, timestamp,
                             static_cast<std::uint32_t>(body.size())));
    for (;;) {
      const auto part = body.first(std::min<std::size_t>(body.size(), writer.chunk_size()));
      put(part);
      body = body.subspan(part.size());
      if (body.empty()) return;
      put(writer.continuation(chunk_stream));
    }
  }

  std::span<iovec> pieces() { return std::span(iov_).first(pieces_); }
  std::size_t size() const { return size_; }

 private:
  static constexpr std::size_t kMaxChunks = 512;

  void put(const rtmp::ChunkHeader& header) {
    headers_bytes_[headers_] = header;
    put(headers_bytes_[headers_++].span());
  }
  void put(std::span<const std::byte> bytes) {
    iov_[pieces_++] = {const_cast<std::byte*>(bytes.data()), bytes.size()};
    size_ += bytes.size();
  }

  std::array<rtmp::ChunkHeader, kMaxChunks> headers_bytes_;
  std::array<iovec, 2 * kMaxChunks> iov_;
  std::size_t headers_ = 0, pieces_ = 0, size_ = 0;
};

}  // namespace simulcast::load
