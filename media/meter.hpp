// Measures what a publisher sends: bytes, frames, the time between keyframes.
//
// Owned by media::Stream, which shows it every packet of a publisher (and no filler): a few additions each,
// no allocation. Lives on the stream's shard.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

#include "media/packet.hpp"

namespace simulcast::media {

class Meter {
 public:
  using Clock = std::chrono::steady_clock;

  // Frames a second are those of the last so many reports, the keyframe interval the longest of so many.
  static constexpr std::size_t kReports = 5;
  static constexpr std::size_t kIntervals = 3;
  // Mean bitrates are those of the last so many reports in which something came: a pause is not what an
  // encoder is set to. Not known before there are as many.
  static constexpr std::size_t kMeanReports = 10;
  // Times further apart are those of a clock that was set.
  static constexpr std::chrono::seconds kLongestInterval{120};

  // Another publisher: what its clock says has nothing to do with what went before. The totals go on.
  void begin_publisher();
  // A packet with the time that its publisher gave it, or for datagrams that of their arrival.
  void note(const Packet& packet);

  struct Report {
    std::uint64_t bytes = 0;  // since the stream began
    std::uint64_t packets = 0;
    std::uint64_t bitrate = 0;  // bit/s since the last report, of everything
    // Of the first video and the first audio track. Zero: none, or not known yet; always zero for the single
    // tracks of MPEG-TS.
    std::uint64_t video_bitrate = 0;
    std::uint64_t audio_bitrate = 0;
    std::uint64_t mean_bitrate = 0;
    std::uint64_t mean_video_bitrate = 0;
    std::uint64_t mean_audio_bitrate = 0;
    std::chrono::milliseconds sending{};  // of this publisher, without pauses
    double fps = 0;
    std::chrono::milliseconds keyframe_interval{};
    std::chrono::milliseconds since_keyframe{};
    bool b_frames = false;  // this publisher has sent some; MPEG-TS does not show it
  };
  // To be called once a second: the rates are those since the last call.
  Report report(Clock::time_point now = Clock::now());

 private:
  struct Mark {
    std::uint64_t frames;
    Time at;
  };
  // What came between two reports.
  struct Span {
    std::chrono::duration<double> passed;
    std::uint64_t bytes;
    std::uint64_t video;
    std::uint64_t audio;
  };

  void take_means(const Span& span, Report& report);

  std::uint64_t packets_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t video_bytes_ = 0;
  std::uint64_t audio_bytes_ = 0;
  std::uint64_t frames_ = 0;
  std::optional<Time> last_frame_;
  std::optional<Time> last_keyframe_;
  std::optional<Time> composition_offset_;  // of the last frame; with B-frames they differ
  bool b_frames_ = false;
  std::array<Time, kIntervals> intervals_{};  // in a ring
  std::size_t interval_ = 0;
  std::deque<Mark> marks_;  // a frame of each report
  std::deque<Span> spans_;
  std::chrono::duration<double> sending_{};

  Clock::time_point reported_at_{};
  std::uint64_t reported_bytes_ = 0;
  std::uint64_t reported_video_ = 0;
  std::uint64_t reported_audio_ = 0;
};

}  // namespace simulcast::media
