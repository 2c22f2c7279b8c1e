#include "media/gop_cache.hpp"

#include <algorithm>
#include <utility>

namespace simulcast::media {

namespace {
std::size_t cost(const Packet& packet) {
  return packet.payload.size() + GopCache::kPacketOverhead;
}

// Whoever joins begins with the keyframe itself, not with what shares its datagram.
Packet from_sync_point(Packet packet) {
  const std::size_t offset = std::exchange(packet.sync_offset, 0);
  if (offset > 0) packet.payload = packet.payload.slice(offset, packet.payload.size() - offset);
  return packet;
}
}  // namespace

void GopCache::expect_video() {
  video_ = true;
  ready_ = ready_ && !packets_.empty() && packets_.front().kind == MediaKind::video;
}

void GopCache::clear() {
  packets_.clear();
  bytes_ = 0;
  ready_ = false;
}

void GopCache::append(const Packet& packet) {
  packets_.push_back(packet);
  bytes_ += cost(packet);
}

void GopCache::drop_front() {
  bytes_ -= cost(packets_.front());
  packets_.pop_front();
}

bool GopCache::too_much_before_start() const {
  return packets_.back().dts - packets_.front().dts > kAudioSpan || too_much();
}

void GopCache::start_gop(const Packet& keyframe) {
  std::deque<Packet> before = std::exchange(packets_, {});
  bytes_ = 0;
  append(from_sync_point(keyframe));
  const auto ahead = static_cast<std::ptrdiff_t>(std::min(before.size(), kMostAhead));
  std::for_each(before.end() - ahead, before.end(), [&](const Packet& packet) {
    if (packet.kind != MediaKind::video && packet.dts >= keyframe.dts) append(packet);
  });
  ready_ = true;
}

void GopCache::push(const Packet& packet) {
  if (packet.kind == MediaKind::video) {
    expect_video();
    if (packet.keyframe) return start_gop(packet);
    if (!ready_) return;  // nothing to decode it from
  }
  append(packet);
  if (video_ && ready_) {
    if (too_much()) clear();
    return;
  }
  // No keyframe yet, or no video at all: what is here may turn out to be ahead of the first keyframe.
  if (!video_ && !ready_) {
    // A second of audio and no sign of video. Nothing is let go yet: those who waited get it from the
    // beginning.
    ready_ = too_much_before_start();
    return;
  }
  while (too_much_before_start()) drop_front();
}

}  // namespace simulcast::media
