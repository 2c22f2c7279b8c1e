#include "egress/rtmp_writer.hpp"

#include <algorithm>
#include <utility>

#include "protocol/rtmp/message.hpp"

namespace simulcast::egress {

using media::MediaKind;
using media::Packet;
using media::PacketRole;

namespace {

// One chunk stream each, as ffmpeg and OBS do; the numbers are only labels.
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

rtmp::MessageType type_of(MediaKind kind) {
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

}  // namespace

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
}

std::uint32_t RtmpWriter::output_time(const Packet& packet) const {
  const auto since_start = std::chrono::floor<std::chrono::milliseconds>(packet.dts - *base_);
  return static_cast<std::uint32_t>(since_start.count());  // RTMP's clock wraps at 2^32 ms
}

void RtmpWriter::add_header(const rtmp::ChunkHeader& header) {
  headers_.push_back(header);
  pieces_.emplace_back(headers_.back().bytes.data(), headers_.back().size);
}

bool RtmpWriter::begin_next(Mailbox& mailbox) {
  while (taking_ && !mailbox.empty()) {
    const Packet& packet = mailbox.front();
    if (!base_) base_ = packet.dts;
    // Audio from before the keyframe that this destination starts with would need a negative time.
    if (packet.dts < *base_) {
      mailbox.pop();
      continue;
    }
    if (packet.kind == MediaKind::video) video_ = true;
    if (packet.role == PacketRole::frame && packet.kind == (video_ ? MediaKind::video : MediaKind::audio)) {
      ++frames_sent_;
    }
    current_ = packet;
    current_offset_ = 0;
    mailbox.pop();
    add_header(chunks_.begin_message(chunk_stream_of(current_->kind), type_of(current_->kind), stream_id_,
                                     output_time(*current_),
                                     static_cast<std::uint32_t>(current_->payload.size())));
    held_.push_back(current_->payload);
    media_bytes_ += current_->payload.size();
    return true;
  }
  return false;
}

void RtmpWriter::refill(Mailbox& mailbox) {
  pieces_.clear();
  headers_.clear();
  held_.clear();
  next_piece_ = 0;
  control_written_.clear();
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
