#include "media/meter.hpp"

#include <algorithm>
#include <utility>

namespace simulcast::media {

void Meter::begin_publisher() {
  last_frame_.reset();
  last_keyframe_.reset();
  intervals_.fill(Time::zero());
  interval_ = 0;
  marks_.clear();
}

void Meter::note(const Packet& packet) {
  const std::size_t size = packet.payload.size();
  ++packets_;
  bytes_ += size;
  if (packet.track != 0) return;
  if (packet.kind == MediaKind::audio) audio_bytes_ += size;
  if (packet.kind != MediaKind::video) return;
  video_bytes_ += size;
  if (packet.role != PacketRole::frame || packet.frames == 0) return;
  frames_ += packet.frames;
  last_frame_ = packet.dts;
  if (!packet.keyframe) return;
  if (last_keyframe_) {
    const Time interval = packet.dts - *last_keyframe_;
    if (interval > Time::zero() && interval < kLongestInterval) {
      intervals_[interval_++ % kIntervals] = interval;
    }
  }
  last_keyframe_ = packet.dts;
}

Meter::Report Meter::report(Clock::time_point now) {
  Report report{.bytes = bytes_, .packets = packets_};
  const std::chrono::duration<double> passed = now - reported_at_;
  if (reported_at_ != Clock::time_point{} && passed.count() > 0) {
    const auto rate = [&](std::uint64_t bytes, std::uint64_t before) {
      return static_cast<std::uint64_t>(8.0 * static_cast<double>(bytes - before) / passed.count());
    };
    report.bitrate = rate(bytes_, reported_bytes_);
    report.video_bitrate = rate(video_bytes_, reported_video_);
    report.audio_bitrate = rate(audio_bytes_, reported_audio_);
  }
  reported_at_ = now;
  reported_bytes_ = bytes_;
  reported_video_ = video_bytes_;
  reported_audio_ = audio_bytes_;

  if (last_frame_) {
    if (!marks_.empty() && *last_frame_ < marks_.back().at) marks_.clear();  // the clock went back
    marks_.push_back({frames_, *last_frame_});
    if (marks_.size() > kReports + 1) marks_.pop_front();
    const std::chrono::duration<double> span = marks_.back().at - marks_.front().at;
    if (span.count() > 0) {
      report.fps = static_cast<double>(marks_.back().frames - marks_.front().frames) / span.count();
    }
  }
  const Time longest = *std::ranges::max_element(intervals_);
  report.keyframe_interval = std::chrono::round<std::chrono::milliseconds>(longest);
  return report;
}

}  // namespace simulcast::media
