#include "egress/rtmp_fanout.hpp"

#include <algorithm>
#include <utility>

#include "protocol/rtmp/limits.hpp"

namespace simulcast::egress {

using media::MediaKind;

namespace {
// Headers of type 1 to 3 carry no stream id, so that any will do.
constexpr std::uint32_t kAnyStreamId = 1;

constexpr std::array kKinds{MediaKind::video, MediaKind::audio, MediaKind::data};
}  // namespace

std::uint32_t chunk_stream_of(MediaKind kind) {
  switch (kind) {
    case MediaKind::audio:
      return 4;
    case MediaKind::video:
      return 6;
    case MediaKind::data:
      return 5;
  }
  return 5;
}

rtmp::MessageType message_type_of(MediaKind kind) {
  switch (kind) {
    case MediaKind::audio:
      return rtmp::MessageType::audio;
    case MediaKind::video:
      return rtmp::MessageType::video;
    case MediaKind::data:
      return rtmp::MessageType::data_amf0;
  }
  return rtmp::MessageType::data_amf0;
}

std::int64_t milliseconds_of(media::Time time) {
  return std::chrono::floor<std::chrono::milliseconds>(time).count();
}

const ChunkedBatch* RtmpFanout::chunks_of(const media::Batch& batch, std::uint32_t chunk_size) {
  if (batch.number == 0) return nullptr;
  if (batch.number != batch_) begin(batch);
  OfSize& made = of_size(chunk_size);
  if (made.batch != batch.number) {
    made.batch = batch.number;
    made.shareable = make(made, batch);
  }
  return made.shareable ? &made.chunks : nullptr;
}

RtmpFanout::OfSize& RtmpFanout::of_size(std::uint32_t chunk_size) {
  const auto found = std::ranges::find(made_, chunk_size, &OfSize::chunk_size);
  if (found != made_.end()) return *found;
  OfSize& added = made_.emplace_back();
  added.chunk_size = chunk_size;
  added.writer.set_chunk_size(chunk_size);
  return added;
}

bool RtmpFanout::send_together(const ChunkedBatch& batch, int socket, SharedSender& sender) {
  if (ring_ == nullptr) return false;
  const auto made = std::ranges::find_if(made_, [&](const OfSize& each) { return &each.chunks == &batch; });
  made->sockets.push_back(socket);
  made->senders.push_back(&sender);
  waiting_ = true;
  return true;
}

void RtmpFanout::batch_given() {
  if (!std::exchange(waiting_, false)) return;
  for (OfSize& made : made_) {
    if (!made.sockets.empty()) send(made);
  }
}

void RtmpFanout::send(OfSize& made) {
  pieces_.clear();
  for (const auto& piece : made.chunks.pieces) {
    pieces_.push_back({const_cast<void*>(piece.data()), piece.size()});
  }
  results_.resize(made.sockets.size());
  ring_->send(made.sockets, pieces_, results_);
  for (std::size_t i = 0; i < results_.size(); ++i) {
    made.senders[i]->sent(made.chunks, net::io_result(results_[i]));
  }
  made.sockets.clear();
  made.senders.clear();
}

void RtmpFanout::begin(const media::Batch& batch) {
  batch_ = batch.number;
  before_ = after_;
  for (const media::Packet& packet : batch.packets) after_[packet.kind] = milliseconds_of(packet.dts);
}

bool RtmpFanout::make(OfSize& made, const media::Batch& batch) const {
  ChunkedBatch& chunks = made.chunks;
  chunks.has = {};
  chunks.before = before_;
  chunks.after = after_;
  chunks.earliest = std::numeric_limits<std::int64_t>::max();
  chunks.frames = {};
  chunks.media_bytes = chunks.size = 0;
  chunks.packets = batch.packets;
  chunks.headers.clear();
  chunks.pieces.clear();

  std::size_t count = 0;
  for (const media::Packet& packet : batch.packets) count += 1 + packet.payload.size() / made.chunk_size;
  if (2 * count > kMaxPieces) return false;
  chunks.headers.reserve(count * sizeof(rtmp::ChunkHeader::bytes));  // the pieces point into it

  for (const MediaKind kind : kKinds) {
    const auto last = chunks.before[kind];
    made.writer.resume(chunk_stream_of(kind), kAnyStreamId, static_cast<std::uint32_t>(last));
  }
  const auto add_header = [&](const rtmp::ChunkHeader& header) {
    const auto at =
        chunks.headers.insert(chunks.headers.end(), header.bytes.begin(), header.bytes.begin() + header.size);
    chunks.pieces.emplace_back(&*at, header.size);
    chunks.size += header.size;
  };
  ChunkTimes last = before_;
  for (const media::Packet& packet : batch.packets) {
    const auto kind = static_cast<std::size_t>(packet.kind);
    const std::int64_t time = milliseconds_of(packet.dts);
    // A first message, a step back or a leap is said in absolute time, which every output counts from another
    // moment.
    if (last[packet.kind] == ChunkTimes::kNone || time < last[packet.kind] ||
        time - last[packet.kind] >= rtmp::kExtendedTimestamp) {
      return false;
    }
    last[packet.kind] = time;
    chunks.has[kind] = true;
    chunks.earliest = std::min(chunks.earliest, time);
    if (packet.role == media::PacketRole::frame) chunks.frames[kind] += packet.frames;
    chunks.media_bytes += packet.payload.size();

    const std::uint32_t id = chunk_stream_of(packet.kind);
    const auto body = packet.payload.bytes();
    add_header(made.writer.begin_message(id, message_type_of(packet.kind), kAnyStreamId,
                                         static_cast<std::uint32_t>(time),
                                         static_cast<std::uint32_t>(body.size())));
    for (std::size_t at = 0; at < body.size();) {
      if (at > 0) add_header(made.writer.continuation(id));
      const std::size_t slice = std::min<std::size_t>(body.size() - at, made.chunk_size);
      chunks.pieces.emplace_back(body.data() + at, slice);
      chunks.size += slice;
      at += slice;
    }
  }
  return true;
}

}  // namespace simulcast::egress
