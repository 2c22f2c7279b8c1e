// When filler is due, and how much of it: pictures twice a second, silent frames each directly behind the one
// before.
//
// Plain values, owned by a filler.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "continuity/silence.hpp"
#include "media/packet.hpp"

namespace simulcast::continuity {

inline constexpr media::Time kPicturePeriod = std::chrono::milliseconds{500};
// What was missed is made up for, but no more than this, nor more bytes of pictures.
inline constexpr media::Time kMostMissed = std::chrono::seconds{10};
inline constexpr std::size_t kMostMadeUp = std::size_t{4} << 20;
// A larger keyframe is not shown again: twice a second it would be more than a broadcast is.
inline constexpr std::size_t kLargestStill = std::size_t{3} << 20;
// Nor one in more pieces.
inline constexpr std::size_t kMostStillUnits = 8192;
// Tracks that get silence, and such that get pictures: the first ones.
inline constexpr std::size_t kMostSilentTracks = 16;
inline constexpr std::size_t kMostPictureTracks = 4;
// Behind the last picture that was sent, which may be one to be shown late.
inline constexpr media::Time kPictureGap = std::chrono::milliseconds{40};

// From when on pictures of `size` bytes are made up for.
inline media::Time first_picture_due(media::Time next, media::Time until, std::size_t size) {
  const auto most = kMostMadeUp / std::max<std::size_t>(size, 1);
  const auto periods = std::clamp<std::size_t>(most, 1, kMostMissed / kPicturePeriod);
  return std::max(next, until - kPicturePeriod * static_cast<std::int64_t>(periods));
}

// The times of a silent track, by its samples, exactly.
class SoundClock {
 public:
  // The first frame is of `begin`.
  SoundClock(media::Time begin, const SilentFrame& frame)
      : begin_(begin), samples_(frame.samples), rate_(frame.sample_rate) {}

  media::Time next() const { return at(frames_); }
  // Where the next frame ends, and the one behind it begins.
  media::Time next_end() const { return at(frames_ + 1); }
  void advance() { ++frames_; }
  // Leaves out the frames that lie before `time` whole.
  void skip_to(media::Time time) {
    if (time <= next_end()) return;
    frames_ = (time - begin_).count() * rate_ / (samples_ * media::Time::period::den);
  }

 private:
  media::Time at(std::int64_t frames) const {
    return begin_ + media::Time(frames * samples_ * media::Time::period::den / rate_);
  }

  media::Time begin_;
  std::int64_t samples_;
  std::int64_t rate_;
  std::int64_t frames_ = 0;
};

}  // namespace simulcast::continuity
