// Tells when a connected RTMP encoder has fallen silent: TCP does not say that its peer is gone.
//
// An encoder on a still picture sends audio at the least, so that a few seconds without a byte mean that it,
// or the way to it, is gone; but one that is known to pause (slides without sound) is given time. Sans-I/O;
// owned by a publisher's session, on its thread.
#pragma once

#include <algorithm>
#include <chrono>

namespace simulcast::ingest {

class SilenceWatch {
 public:
  using Clock = std::chrono::steady_clock;

  // Without a byte for this long, or for thrice the longest pause so far, it is away: the stream may hold.
  static constexpr std::chrono::seconds kAway{3};
  static constexpr int kUsualPauses = 3;
  // For this long: gone, whatever it did before.
  static constexpr std::chrono::seconds kGone{9};
  // Before it has sent any media: encoders connect early.
  static constexpr std::chrono::seconds kStart{30};

  void begin(Clock::time_point now) { last_ = now; }
  // Bytes came; `media`: it had sent some before.
  void heard(Clock::time_point now, bool media) {
    if (media && started_) longest_pause_ = std::max(longest_pause_, now - last_);
    started_ = media;
    last_ = now;
  }

  enum class Verdict { present, away, gone };
  Verdict look(Clock::time_point now) const {
    const auto silence = now - last_;
    if (!started_) return silence >= kStart ? Verdict::gone : Verdict::present;
    if (silence >= kGone) return Verdict::gone;
    return silence >= std::max<Clock::duration>(kAway, kUsualPauses * longest_pause_) ? Verdict::away
                                                                                      : Verdict::present;
  }

 private:
  Clock::time_point last_{};
  Clock::duration longest_pause_{};
  bool started_ = false;
};

}  // namespace simulcast::ingest
