// Makes the chunk stream of one connection: headers for messages whose bodies stay where they are.
//
// A message is written as begin_message(), up to chunk_size() bytes of body, then continuation() and as many
// again until the body is out. Messages of other chunk streams may come between. Owned by a session; what is
// written must reach the peer in the order it was made, for the headers refer to each other.
//
// A message never starts with fmt 3: whether that repeats a delta or an absolute time is read differently by
// different servers. The extended timestamp is always repeated on fmt 3, as all current readers expect or
// tolerate.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "protocol/rtmp/limits.hpp"
#include "protocol/rtmp/message.hpp"

namespace simulcast::rtmp {

struct ChunkHeader {
  std::array<std::byte, 18> bytes;
  std::uint8_t size = 0;
  std::span<const std::byte> span() const { return {bytes.data(), size}; }
};

class ChunkWriter {
 public:
  ChunkWriter();

  // The peer must be told by a Set Chunk Size message, written before the next chunk.
  void set_chunk_size(std::uint32_t size);
  std::uint32_t chunk_size() const { return chunk_size_; }

  // Whole messages, copied: for control messages and commands.
  void write(const Message& message, std::vector<std::byte>& out);

  // The packet path: no copy, and no allocation once the chunk stream has been used.
  ChunkHeader begin_message(std::uint32_t chunk_stream_id, MessageType type, std::uint32_t stream_id,
                            std::uint32_t timestamp, std::uint32_t length);
  // Of the message begun last on this chunk stream.
  ChunkHeader continuation(std::uint32_t chunk_stream_id) const;
  // Messages were written on this chunk stream with headers made elsewhere; the last had this timestamp. The
  // next states its own length and type.
  void resume(std::uint32_t chunk_stream_id, std::uint32_t stream_id, std::uint32_t timestamp);

 private:
  struct ChunkStream {
    std::uint32_t id = 0;
    std::uint32_t stream_id = 0;
    std::uint32_t timestamp = 0;
    std::uint32_t length = 0;
    std::uint32_t extended = 0;
    MessageType type{};
    bool begun = false;
    bool has_extended = false;
  };
  ChunkStream& stream(std::uint32_t id);

  std::uint32_t chunk_size_ = kDefaultChunkSize;
  std::vector<ChunkStream> streams_;
};

}  // namespace simulcast::rtmp
