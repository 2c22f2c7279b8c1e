#include "media/lane.hpp"

#include <algorithm>

namespace simulcast::media {

void Lane::begin_publisher() {
  gop_.clear();
  headers_.clear();
  metadata_.reset();
  set_left_out({});
  for (Attached& attached : outputs_) attached.started = false;
}

void Lane::publish(const Packet& packet) {
  if (packet.role == PacketRole::frame) {
    gop_.push(packet);
  } else {
    remember(packet);
    if (packet.role == PacketRole::join_header) return;
  }
  pending_ = true;
  pending_video_ = pending_video_ || packet.kind == MediaKind::video;
  for (Attached& attached : outputs_) {
    if (attached.started) {
      attached.output->offer(packet);
    } else if (gop_.ready()) {
      offer_start(attached);  // brings this very packet along
    }
  }
}

void Lane::flush() {
  pending_ = pending_video_ = false;
  for (const Attached& attached : outputs_) attached.output->flush();
}

void Lane::attach(Output& output) {
  outputs_.push_back({&output, false});
  output.left_out(left_out_);
  if (!gop_.ready()) return;
  offer_start(outputs_.back());
  output.flush();
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

void Lane::offer_start(Attached& attached) {
  attached.started = true;
  const Time start = gop_.packets().front().dts;
  const auto offer_header = [&](Packet header) {
    header.dts = header.pts = start;
    attached.output->offer(header);
  };
  if (metadata_) offer_header(*metadata_);
  for (const Packet& header : headers_) offer_header(header);
  for (const Packet& packet : gop_.packets()) attached.output->offer(packet);
}

}  // namespace simulcast::media
