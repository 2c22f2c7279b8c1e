#include "egress/rtmp_writer.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include "protocol/rtmp/message.hpp"

namespace simulcast::egress {

using media::MediaKind;
using media::Packet;
using media::PacketRole;

RtmpWriter::RtmpWriter(rtmp::ChunkWriter& chunks) : chunks_(chunks) {
  // Pieces point into these, so they must never move.
  headers_.reserve(kMaxPieces);
  held_.reserve(kMaxPieces);
  pieces_.reserve(kMaxPieces);
}

void RtmpWriter::add_control(std::vector<std::byte>&& bytes) {
  if (control_.empty()) {
    control_ = std::move(bytes);
  } else {
    control_.insert(control_.end(), bytes.begin(), bytes.end());
  }
  update_clean();
}

// RTMP's clock wraps at 2^32 ms.
std::uint32_t RtmpWriter::output_time(std::int64_t stream_time) const {
  return static_cast<std::uint32_t>(stream_time - base_);
}

void RtmpWriter::add_header(const rtmp::ChunkHeader& header) {
  headers_.push_back(header);
  pieces_.emplace_back(headers_.back().bytes.data(), headers_.back().size);
}

bool RtmpWriter::begin_next(Mailbox& mailbox) {
  while (taking_ && !mailbox.empty()) {
    const Packet& packet = mailbox.front();
    std::int64_t time = milliseconds_of(packet.dts);
    if (base_ == ChunkTimes::kNone) base_ = time;
    // What is from before the keyframe that this destination starts with would need a negative time. Frames
    // are left out; what is needed to decode those behind them is not.
    if (time < base_) {
      if (packet.role == PacketRole::frame) {
        mailbox.pop();
        continue;
      }
      time = base_;
    }
    // Headers come again at the seam between two publishers, where one track may stand further than another.
    if (packet.role != PacketRole::frame) time = std::max(time, last_[packet.kind]);
    if (packet.kind == MediaKind::video) video_ = true;
    if (packet.role == PacketRole::frame && packet.kind == (video_ ? MediaKind::video : MediaKind::audio)) {
      ++frames_sent_;
    }
    current_ = packet;
    current_offset_ = 0;
    mailbox.pop();
    last_[current_->kind] = time;
    add_header(chunks_.begin_message(chunk_stream_of(current_->kind), message_type_of(current_->kind),
                                     stream_id_, output_time(time),
                                     static_cast<std::uint32_t>(current_->payload.size())));
    held_.push_back(current_->payload);
    media_bytes_ += current_->payload.size();
    return true;
  }
  return false;
}

bool RtmpWriter::can_share(const ChunkedBatch& batch) const {
  if (!clean_ || base_ == ChunkTimes::kNone || batch.earliest < base_) return false;
  for (std::size_t kind = 0; kind < ChunkTimes::kKinds; ++kind) {
    if (batch.has[kind] && batch.before.last[kind] != last_.last[kind]) return false;
  }
  return true;
}

void RtmpWriter::take_over(const ChunkedBatch& batch, std::size_t written) {
  for (std::size_t kind = 0; kind < ChunkTimes::kKinds; ++kind) {
    if (batch.has[kind]) last_.last[kind] = batch.after.last[kind];
  }
  shared_ = true;
  video_ = video_ || batch.has[static_cast<std::size_t>(MediaKind::video)];
  frames_sent_ += batch.frames[static_cast<std::size_t>(video_ ? MediaKind::video : MediaKind::audio)];
  media_bytes_ += batch.media_bytes;
  if (written < batch.size) keep_rest(batch, written);
}

void RtmpWriter::keep_rest(const ChunkedBatch& batch, std::size_t written) {
  clear_pieces();
  const std::byte* const headers = batch.headers.data();
  for (auto piece : batch.pieces) {
    const std::size_t skipped = std::min(written, piece.size());
    written -= skipped;
    piece += skipped;
    if (piece.size() == 0) continue;
    const auto* bytes = static_cast<const std::byte*>(piece.data());
    if (std::less_equal<>{}(headers, bytes) && std::less<>{}(bytes, headers + batch.headers.size())) {
      rtmp::ChunkHeader header;  // the batch's own are gone with the next one
      header.size = static_cast<std::uint8_t>(piece.size());
      std::copy_n(bytes, piece.size(), header.bytes.begin());
      add_header(header);
    } else {
      pieces_.push_back(piece);
    }
  }
  for (const Packet& packet : batch.packets) held_.push_back(packet.payload);
  update_clean();
}

// Brings the headers' maker up to what was sent with headers made elsewhere.
void RtmpWriter::resume() {
  if (!std::exchange(shared_, false)) return;
  for (const MediaKind kind : {MediaKind::video, MediaKind::audio, MediaKind::data}) {
    if (last_[kind] == ChunkTimes::kNone) continue;
    chunks_.resume(chunk_stream_of(kind), stream_id_, output_time(last_[kind]));
  }
}

void RtmpWriter::clear_pieces() {
  pieces_.clear();
  headers_.clear();
  held_.clear();
  next_piece_ = 0;
}

void RtmpWriter::refill(Mailbox& mailbox) {
  clear_pieces();
  control_written_.clear();
  resume();
  if (!control_.empty()) {
    control_written_.swap(control_);
    pieces_.emplace_back(control_written_.data(), control_written_.size());
  }
  if (current_) held_.push_back(current_->payload);  // the last refill could not end it
  std::size_t gathered = 0;
  while (pieces_.size() + 2 <= kMaxPieces && gathered < kMaxBytes) {
    if (current_) {
      add_header(chunks_.continuation(chunk_stream_of(current_->kind)));
    } else if (!begin_next(mailbox)) {
      return;
    }
    const auto& payload = current_->payload;
    const std::size_t slice = std::min<std::size_t>(payload.size() - current_offset_, chunks_.chunk_size());
    if (slice > 0) pieces_.emplace_back(payload.data() + current_offset_, slice);
    current_offset_ += slice;
    gathered += slice;
    if (current_offset_ == payload.size()) current_.reset();
  }
}

std::span<const boost::asio::const_buffer> RtmpWriter::pieces(Mailbox& mailbox) {
  if (next_piece_ == pieces_.size()) refill(mailbox);
  update_clean();
  return std::span(pieces_).subspan(next_piece_);
}

void RtmpWriter::consume(std::size_t bytes) {
  while (bytes > 0) {
    auto& piece = pieces_[next_piece_];
    if (bytes < piece.size()) {
      piece += bytes;
      return;
    }
    bytes -= piece.size();
    ++next_piece_;
  }
  if (next_piece_ == pieces_.size()) {
    // The last reference frees the payload now, not at the next packet.
    held_.clear();
  }
}

}  // namespace simulcast::egress
