#include "egress/mailbox.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace simulcast::egress {

using media::MediaKind;
using media::Packet;
using media::PacketRole;

namespace {
// What a waiting packet costs beside its payload.
constexpr std::size_t kOverhead = sizeof(Packet);
constexpr std::size_t kFirstCapacity = 32;

std::size_t cost(const Packet& packet) {
  return packet.payload.size() + kOverhead;
}
}  // namespace

bool Mailbox::is_sync_point(const Packet& packet) const {
  if (packet.role != PacketRole::frame) return false;
  return video_ ? packet.kind == MediaKind::video && packet.keyframe : packet.kind == MediaKind::audio;
}

void Mailbox::count_dropped(const Packet& packet) {
  if (packet.kind == (video_ ? MediaKind::video : MediaKind::audio)) frames_dropped_ += packet.frames;
}

void Mailbox::append(const Packet& packet) {
  if (packets_.full()) packets_.set_capacity(std::max(kFirstCapacity, 2 * packets_.capacity()));
  packets_.push_back(packet);
  bytes_ += cost(packet);
  idle_ = false;
}

void Mailbox::push(const Packet& packet) {
  if (packet.kind == MediaKind::video) {
    video_ = true;
    if (packet.role == PacketRole::frame) {
      if (packet.keyframe) skipping_ = false;
      if (skipping_) {
        count_dropped(packet);
        return;
      }
    }
  }
  append(packet);
  if (over()) drop_oldest_gops();
}

void Mailbox::pop() {
  bytes_ -= cost(packets_.front());
  packets_.pop_front();
  idle_ = packets_.empty() && !skipping_;
  if (bytes_ <= limits_.bytes && span() <= limits_.duration) allowed_ = limits_;  // the start has been sent
}

void Mailbox::clear() {
  packets_.clear();
  bytes_ = 0;
  skipping_ = false;
  idle_ = true;
  allowed_ = limits_;
}

void Mailbox::begin_start() {
  allowed_ = {media::Time::max(), std::numeric_limits<std::size_t>::max()};
}

void Mailbox::end_start() {
  allowed_ = {limits_.duration + span(), limits_.bytes + bytes_};
}

media::Time Mailbox::span() const {
  if (packets_.size() < 2) return media::Time::zero();
  return std::max(media::Time::zero(), packets_.back().dts - packets_.front().dts);
}

void Mailbox::drop_oldest_gops() {
  // The first later keyframe from which the rest is within bounds; with none, everything goes and the next is
  // awaited.
  std::size_t keep_from = packets_.size();
  std::size_t bytes_before = 0;
  for (std::size_t i = 0; i < packets_.size(); ++i) {
    if (i > 0 && is_sync_point(packets_[i]) && bytes_ - bytes_before <= limits_.bytes &&
        packets_.back().dts - packets_[i].dts <= limits_.duration) {
      keep_from = i;
      break;
    }
    bytes_before += cost(packets_[i]);
  }
  skipping_ = video_ && keep_from == packets_.size();

  boost::circular_buffer<Packet> kept(packets_.capacity());
  std::size_t kept_bytes = 0;
  for (std::size_t i = 0; i < packets_.size(); ++i) {
    Packet& packet = packets_[i];
    if (i < keep_from && packet.role == PacketRole::frame) {
      count_dropped(packet);
      continue;
    }
    // A header that outlived its frames applies to the next ones.
    if (i < keep_from && keep_from < packets_.size()) packet.dts = packet.pts = packets_[keep_from].dts;
    kept_bytes += cost(packet);
    kept.push_back(std::move(packet));
  }
  packets_.swap(kept);
  bytes_ = kept_bytes;
  idle_ = packets_.empty() && !skipping_;
  allowed_ = limits_;
}

}  // namespace simulcast::egress
