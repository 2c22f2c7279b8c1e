#include "protocol/rtmp/chunk_writer.hpp"

#include <algorithm>

#include "protocol/big_endian.hpp"

namespace simulcast::rtmp {

namespace {

// Control, commands, publish, audio, video, data.
constexpr std::size_t kUsualChunkStreams = 6;

std::byte* store_basic(std::byte* p, std::uint32_t format, std::uint32_t id) {
  if (id < 64) return store(p, format << 6 | id, 1);
  if (id < 320) {
    p = store(p, format << 6, 1);
    return store(p, id - 64, 1);
  }
  p = store(p, format << 6 | 1, 1);
  p = store(p, (id - 64) & 0xFF, 1);
  return store(p, (id - 64) >> 8, 1);
}

}  // namespace

ChunkWriter::ChunkWriter() {
  streams_.reserve(kUsualChunkStreams);
}

void ChunkWriter::set_chunk_size(std::uint32_t size) {
  chunk_size_ = std::clamp<std::uint32_t>(size, 1, kMaxChunkSize);
}

void ChunkWriter::write(const Message& message, std::vector<std::byte>& out) {
  const auto append_header = [&out](const ChunkHeader& header) {
    out.insert(out.end(), header.bytes.begin(), header.bytes.begin() + header.size);
  };
  auto body = message.body.bytes();
  append_header(begin_message(message.chunk_stream_id, message.type, message.stream_id, message.timestamp,
                              static_cast<std::uint32_t>(body.size())));
  for (;;) {
    const auto slice = body.first(std::min<std::size_t>(body.size(), chunk_size_));
    out.insert(out.end(), slice.begin(), slice.end());
    body = body.subspan(slice.size());
    if (body.empty()) return;
    append_header(continuation(message.chunk_stream_id));
  }
}

ChunkHeader ChunkWriter::begin_message(std::uint32_t chunk_stream_id, MessageType type,
                                       std::uint32_t stream_id, std::uint32_t timestamp,
                                       std::uint32_t length) {
  ChunkStream& last = stream(chunk_stream_id);
  const std::uint32_t delta = timestamp - last.timestamp;
  std::uint32_t format = last.length == length && last.type == type ? 2 : 1;
  // A step back can only be said in absolute time. So is one too wide for the short field: fewer forms to get
  // wrong.
  if (!last.begun || last.stream_id != stream_id || delta >= kExtendedTimestamp) format = 0;
  const std::uint32_t time = format == 0 ? timestamp : delta;

  last.begun = true;
  last.stream_id = stream_id;
  last.timestamp = timestamp;
  last.length = length;
  last.type = type;
  last.has_extended = time >= kExtendedTimestamp;
  last.extended = time;

  ChunkHeader header;
  std::byte* p = store_basic(header.bytes.data(), format, chunk_stream_id);
  p = store(p, std::min(time, kExtendedTimestamp), 3);
  if (format <= 1) {
    p = store(p, length, 3);
    p = store(p, static_cast<std::uint8_t>(type), 1);
  }
  if (format == 0) {  // the one little-endian field of the protocol
    for (int shift = 0; shift < 32; shift += 8) p = store(p, stream_id >> shift, 1);
  }
  if (last.has_extended) p = store(p, time, 4);
  header.size = static_cast<std::uint8_t>(p - header.bytes.data());
  return header;
}

ChunkHeader ChunkWriter::continuation(std::uint32_t chunk_stream_id) const {
  ChunkHeader header;
  std::byte* p = store_basic(header.bytes.data(), 3, chunk_stream_id);
  const auto found = std::ranges::find(streams_, chunk_stream_id, &ChunkStream::id);
  if (found != streams_.end() && found->has_extended) p = store(p, found->extended, 4);
  header.size = static_cast<std::uint8_t>(p - header.bytes.data());
  return header;
}

void ChunkWriter::resume(std::uint32_t chunk_stream_id, std::uint32_t stream_id, std::uint32_t timestamp) {
  constexpr std::uint32_t kNoLength = 0xFFFFFFFF;  // a length has 24 bits
  ChunkStream& last = stream(chunk_stream_id);
  last.begun = true;
  last.stream_id = stream_id;
  last.timestamp = timestamp;
  last.length = kNoLength;
  last.has_extended = false;
}

ChunkWriter::ChunkStream& ChunkWriter::stream(std::uint32_t id) {
  const auto found = std::ranges::find(streams_, id, &ChunkStream::id);
  if (found != streams_.end()) return *found;
  ChunkStream& added = streams_.emplace_back();
  added.id = id;
  return added;
}

}  // namespace simulcast::rtmp
