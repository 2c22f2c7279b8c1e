// When filler is due: pictures twice a second, silent frames each directly behind the one before.
//
// Plain values, owned by a filler.
#pragma once

#include <chrono>
#include <cstdint>

#include "continuity/silence.hpp"
#include "media/packet.hpp"

namespace simulcast::continuity {

inline constexpr media::Time kPicturePeriod = std::chrono::milliseconds{500};
// Pictures that were missed are made up for, but no more than this.
inline constexpr media::Time kMostMissed = std::chrono::seconds{10};
// Behind the last picture that was sent, which may be one to be shown late.
inline constexpr media::Time kPictureGap = std::chrono::milliseconds{40};

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
