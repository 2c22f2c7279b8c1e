#include "media/lane.hpp"

#include <algorithm>
#include <utility>

namespace simulcast::media {

void Lane::begin_publisher() {
  flush();
  gop_.clear();
  headers_.clear();
  metadata_.reset();
  set_left_out({});
  for (Attached& attached : outputs_) attached.started = false;
}

void Lane::publish(Packet packet) {
  if (packet.role == PacketRole::frame) {
    gop_.push(packet);
  } else {
    remember(packet);
    if (packet.role == PacketRole::join_header) return;
  }
  video_in_batch_ = video_in_batch_ || packet.kind == MediaKind::video;
  batch_.push_back(std::move(packet));
}

void Lane::flush() {
  if (batch_.empty()) return;
  const Batch batch{batch_, ++batches_};
  for (Attached& attached : outputs_) {
    if (attached.started) {
      attached.output->take(batch);
    } else if (gop_.ready()) {
      start(attached);  // brings this very batch along
    }
  }
  if (batch_given_ != nullptr) batch_given_->batch_given();
  batch_.clear();
  video_in_batch_ = false;
}

void Lane::attach(Output& output) {
  flush();  // what the others still wait for is in the GOP that this one begins with
  outputs_.push_back({&output, false});
  output.left_out(left_out_);
  if (gop_.ready()) start(outputs_.back());
}

bool Lane::detach(const Output& output) {
  return std::erase_if(outputs_, [&](const Attached& attached) { return attached.output == &output; }) > 0;
}

void Lane::set_left_out(const std::string& sentence) {
  if (sentence == left_out_) return;
  left_out_ = sentence;
  for (const Attached& attached : outputs_) attached.output->left_out(left_out_);
}

void Lane::remember(const Packet& packet) {
  if (packet.role == PacketRole::metadata) {
    metadata_ = packet;
    return;
  }
  if (packet.kind == MediaKind::video) gop_.expect_video();
  const auto same = std::ranges::find_if(headers_, [&](const Packet& header) {
    return header.kind == packet.kind && header.role == packet.role && header.track == packet.track &&
           header.variant == packet.variant;
  });
  if (same == headers_.end()) {
    headers_.push_back(packet);
  } else {
    *same = packet;
  }
}

std::vector<Packet> Lane::headers() const {
  std::vector<Packet> headers;
  headers.reserve(1 + headers_.size() + gop_.packets().size());  // who starts puts the GOP behind them
  if (metadata_) headers.push_back(*metadata_);
  headers.insert(headers.end(), headers_.begin(), headers_.end());
  return headers;
}

void Lane::start(Attached& attached) {
  attached.started = true;
  const auto& gop = gop_.packets();
  std::vector<Packet> packets = headers();
  for (Packet& header : packets) header.dts = header.pts = gop.front().dts;
  packets.insert(packets.end(), gop.begin(), gop.end());
  attached.output->take({packets});
}

}  // namespace simulcast::media
