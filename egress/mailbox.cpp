#include "egress/mailbox.hpp"

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

namespace simulcast::egress {

using media::MediaKind;
using media::Packet;
using media::PacketRole;

namespace {
constexpr std::size_t kFirstCapacity = 32;
// A mailbox that was full once does not keep its room for ever.
constexpr std::size_t kCapacityKept = 4096;

std::size_t cost(const Packet& packet) {
  return packet.payload.size() + Mailbox::kOverhead;
}
}  // namespace

Mailbox::HeaderKey Mailbox::key_of(const Packet& packet) {
  return {packet.role != PacketRole::metadata, packet.role, packet.kind, packet.track, packet.variant};
}

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
  if (!within(allowed_, span(), bytes_)) drop_oldest_gops();
}

const Packet& Mailbox::front() {
  if (outlived_.empty()) return packets_.front();
  Packet& header = outlived_.begin()->second;
  // A header that outlived its frames applies to the next ones.
  if (!packets_.empty()) header.dts = header.pts = packets_.front().dts;
  return header;
}

void Mailbox::pop() {
  if (!outlived_.empty()) {
    const std::size_t freed = cost(outlived_.begin()->second);
    outlived_.erase(outlived_.begin());
    outlived_bytes_ -= freed;
    bytes_ -= freed;
  } else {
    bytes_ -= cost(packets_.front());
    packets_.pop_front();
  }
  idle_ = empty() && !skipping_;
  if (within(limits_, span(), bytes_)) allowed_ = limits_;  // the start has been sent
}

void Mailbox::clear() {
  packets_.clear();
  if (packets_.capacity() > kCapacityKept) packets_.set_capacity(0);
  outlived_.clear();
  bytes_ = outlived_bytes_ = 0;
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

// Up to the first later keyframe from which the rest is within bounds; with none, everything goes and the
// next is awaited. What is dropped here was pushed once, so that it costs no more than that.
void Mailbox::drop_oldest_gops() {
  do {
    drop_front();
  } while (!packets_.empty() && !(is_sync_point(packets_.front()) && within(limits_, span(), bytes_)));
  skipping_ = video_ && packets_.empty();
  idle_ = empty() && !skipping_;
  allowed_ = limits_;
}

void Mailbox::drop_front() {
  Packet& packet = packets_.front();
  const std::size_t size = cost(packet);
  if (packet.role == PacketRole::frame) {
    count_dropped(packet);
    bytes_ -= size;
  } else {
    const auto [place, is_new] = outlived_.try_emplace(key_of(packet));
    if (!is_new) {
      const std::size_t freed = cost(place->second);
      outlived_bytes_ -= freed;
      bytes_ -= freed;
    }
    place->second = std::move(packet);
    outlived_bytes_ += size;
    bound_outlived();
  }
  packets_.pop_front();
}

// A stream whose headers alone fill the mailbox: those of its first tracks are what a destination can use.
void Mailbox::bound_outlived() {
  while (outlived_bytes_ > limits_.bytes / 2 && !outlived_.empty()) {
    const auto last = std::prev(outlived_.end());
    const std::size_t freed = cost(last->second);
    outlived_.erase(last);
    outlived_bytes_ -= freed;
    bytes_ -= freed;
  }
}

}  // namespace simulcast::egress
