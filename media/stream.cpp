#include "media/stream.hpp"

#include <algorithm>
#include <utility>

namespace simulcast::media {

void Stream::begin_publisher() {
  timeline_.begin_publisher();
  gop_.clear();
  headers_.clear();
  metadata_.reset();
  // Outputs that run on are started again from the new publisher's headers and keyframe.
  for (Attached& attached : outputs_) attached.started = false;
}

void Stream::publish(Packet packet, Timeline::Clock::time_point arrival) {
  timeline_.map(packet, arrival);
  ++packets_;
  bytes_ += packet.payload.size();

  if (packet.role == PacketRole::frame) {
    gop_.push(packet);
  } else {
    remember(packet);
  }
  for (Attached& attached : outputs_) {
    if (attached.started) {
      attached.output->offer(packet);
    } else if (gop_.ready()) {
      offer_start(attached);  // brings this very packet along
    }
  }
}

void Stream::flush() {
  for (const Attached& attached : outputs_) attached.output->flush();
}

void Stream::attach(Output& output) {
  outputs_.push_back({&output, false});
  if (!gop_.ready()) return;
  offer_start(outputs_.back());
  output.flush();
}

void Stream::detach(Output& output) {
  std::erase_if(outputs_, [&](const Attached& attached) { return attached.output == &output; });
}

Stream::Counters Stream::counters() const {
  return {packets_, bytes_, timeline_.jumps()};
}

void Stream::remember(const Packet& packet) {
  if (packet.role == PacketRole::metadata) {
    metadata_ = packet;
    return;
  }
  if (packet.kind == MediaKind::video) gop_.expect_video();
  const auto same = std::ranges::find_if(headers_, [&](const Packet& header) {
    return header.kind == packet.kind && header.track == packet.track && header.variant == packet.variant;
  });
  if (same == headers_.end()) {
    headers_.push_back(packet);
  } else {
    *same = packet;
  }
}

void Stream::offer_start(Attached& attached) {
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
