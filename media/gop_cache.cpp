#include "media/gop_cache.hpp"

namespace simulcast::media {

namespace {
std::size_t cost(const Packet& packet) {
  return packet.payload.size() + GopCache::kPacketOverhead;
}
}  // namespace

void GopCache::expect_video() {
  if (video_) return;
  video_ = true;
  clear();
}

void GopCache::clear() {
  packets_.clear();
  bytes_ = 0;
  ready_ = false;
}

void GopCache::push(const Packet& packet) {
  if (packet.kind == MediaKind::video) expect_video();
  if (!video_) return push_audio_only(packet);

  if (packet.kind == MediaKind::video && packet.keyframe) {
    clear();
    ready_ = true;
  }
  if (!ready_) return;
  packets_.push_back(packet);
  bytes_ += cost(packet);
  if (bytes_ > kMaxBytes) clear();
}

void GopCache::push_audio_only(const Packet& packet) {
  packets_.push_back(packet);
  bytes_ += cost(packet);
  const auto full = [&] {
    return packets_.back().dts - packets_.front().dts > kAudioSpan || bytes_ > kMaxBytes;
  };
  if (!ready_) {
    // A second of audio and no sign of video. Nothing is let go yet: those who waited get it from the
    // beginning.
    ready_ = full();
    return;
  }
  while (full()) {
    bytes_ -= cost(packets_.front());
    packets_.pop_front();
  }
}

}  // namespace simulcast::media
