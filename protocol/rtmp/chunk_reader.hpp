// Takes the chunk stream apart (specification, 5.3): bytes in, whole messages out.
//
//   basic header    fmt 2 bits, csid 6 bits; 0: csid = 64 + u8; 1: csid = 64 + u16 little-endian
//   message header  fmt 0: timestamp u24, length u24, type u8, stream id u32 little-endian
//                   fmt 1: delta u24, length u24, type u8      fmt 2: delta u24      fmt 3: nothing
//   extended        u32 when the u24 time is 0xFFFFFF; repeated on fmt 3 by most peers, left out by some
//
// Pulled: read() stops behind each message, so that the caller can react (raise limits, close) before the
// next one is looked at. Set Chunk Size and Abort are applied here and not handed out. Owned by a session.
// Apart from the bodies nothing is allocated once every chunk stream in use has been seen. A body that came
// in one chunk is a part of the memory it was read into, when the caller shares that; any other is copied
// once, into its final place.
#pragma once

#include <array>
#include <boost/system/result.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "media/payload.hpp"
#include "protocol/rtmp/limits.hpp"
#include "protocol/rtmp/message.hpp"

namespace simulcast::rtmp {

class ChunkReader {
 public:
  struct Limits {
    std::size_t message = kMaxMessageUnauthorised;  // one body
    std::size_t partial = kMaxPartialUnauthorised;  // announced by all messages under assembly together
  };
  static constexpr Limits authorised() { return {.message = kMaxMessage, .partial = kMaxPartial}; }

  // Consumes from the front of `in` until a message is whole or `in` is empty. No message: more bytes are
  // needed. Up to three bytes may be held back (see probe_), so a message may also come out of a call with an
  // empty `in`. After an error the stream is out of step and the connection has to go. `whole`: the memory
  // that `in` lies in, for bodies to share.
  boost::system::result<std::optional<Message>> read(std::span<const std::byte>& in,
                                                     const media::Payload* whole = nullptr);

  void set_limits(Limits limits) { limits_ = limits; }
  // Bytes that the message which is furthest along still lacks, at the least; 0 between messages.
  std::size_t missing() const;
  std::uint32_t chunk_size() const { return chunk_size_; }  // what the peer announced

 private:
  struct ChunkStream {
    std::uint32_t id = 0;
    std::uint32_t timestamp = 0;
    std::uint32_t delta = 0;     // what a message started by fmt 3 adds
    std::uint32_t extended = 0;  // value of the extended timestamp of the last fmt 0, 1 or 2
    bool has_extended = false;
    bool partial = false;  // a message is begun and not complete
    MessageType type{};
    std::uint32_t length = 0;
    std::uint32_t stream_id = 0;
    std::uint64_t last_used = 0;
    media::PayloadBuilder body;
  };
  struct Header;
  enum class State : std::uint8_t { header, probe, payload };

  boost::system::result<std::optional<Message>> step(std::span<const std::byte>& in,
                                                     const media::Payload* whole);
  // Leaves State::header once a header is whole.
  boost::system::error_code read_header(std::span<const std::byte>& in);
  boost::system::error_code begin_chunk(const Header& header);
  boost::system::error_code begin_message(ChunkStream& stream, const Header& header);
  bool probe_extended(std::span<const std::byte>& in);
  boost::system::result<std::optional<Message>> read_payload(std::span<const std::byte>& in,
                                                             const media::Payload* whole);
  boost::system::error_code apply(const Message& message);
  std::size_t limit_for(MessageType type) const;
  ChunkStream* find(std::uint32_t id);
  boost::system::result<ChunkStream*> add(std::uint32_t id);

  Limits limits_;
  std::uint32_t chunk_size_ = kDefaultChunkSize;
  State state_ = State::header;
  std::vector<ChunkStream> streams_;
  std::size_t current_ = 0;            // index of the chunk stream that the chunk at hand belongs to
  std::uint32_t chunk_missing_ = 0;    // payload bytes of this chunk still to come
  std::size_t partial_announced_ = 0;  // lengths of all messages under assembly
  std::uint64_t chunks_ = 0;           // clock for last_used
  std::array<std::byte, 18> header_;   // a header that arrives in pieces
  std::uint8_t header_size_ = 0;
  // Bytes of a possible repeated extended timestamp that match so far, and the same bytes when they turned
  // out to be something else and are to be read again.
  std::uint8_t probe_ = 0;
  std::array<std::byte, 4> again_;
  std::uint8_t again_size_ = 0;
};

}  // namespace simulcast::rtmp
