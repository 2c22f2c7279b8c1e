#include "media/meter.hpp"

#include <algorithm>
#include <utility>

namespace simulcast::media {
namespace {

std::uint64_t bits_a_second(std::uint64_t bytes, std::chrono::duration<double> passed) {
  return static_cast<std::uint64_t>(8.0 * static_cast<double>(bytes) / passed.count());
}

}  // namespace

void Meter::begin_publisher() {
  last_frame_.reset();
  last_keyframe_.reset();
  intervals_.fill(Time::zero());
  interval_ = 0;
  marks_.clear();
  composition_offset_.reset();
  b_frames_ = false;
  spans_.clear();
  sending_ = {};
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
  const Time offset = packet.pts - packet.dts;
  if (composition_offset_.value_or(offset) != offset) b_frames_ = true;
  composition_offset_ = offset;
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
    const Span span{passed, bytes_ - reported_bytes_, video_bytes_ - reported_video_,
                    audio_bytes_ - reported_audio_};
    report.bitrate = bits_a_second(span.bytes, passed);
    report.video_bitrate = bits_a_second(span.video, passed);
    report.audio_bitrate = bits_a_second(span.audio, passed);
    take_means(span, report);
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
  if (last_keyframe_ && *last_frame_ > *last_keyframe_) {
    report.since_keyframe = std::chrono::round<std::chrono::milliseconds>(*last_frame_ - *last_keyframe_);
  }
  report.b_frames = b_frames_;
  return report;
}

void Meter::take_means(const Span& span, Report& report) {
  if (span.bytes > 0) {
    spans_.push_back(span);
    if (spans_.size() > kMeanReports) spans_.pop_front();
    sending_ += span.passed;
  }
  report.sending = std::chrono::round<std::chrono::milliseconds>(sending_);
  if (spans_.size() < kMeanReports) return;
  Span sum{};
  for (const Span& each : spans_) {
    sum.passed += each.passed;
    sum.bytes += each.bytes;
    sum.video += each.video;
    sum.audio += each.audio;
  }
  report.mean_bitrate = bits_a_second(sum.bytes, sum.passed);
  report.mean_video_bitrate = bits_a_second(sum.video, sum.passed);
  report.mean_audio_bitrate = bits_a_second(sum.audio, sum.passed);
}

}  // namespace simulcast::media
