// How long to wait before the next try: exponential with full jitter, so that a thousand outputs cut at one
// moment do not come back at one moment. Sans-I/O; owned by one worker.
#pragma once

#include <chrono>
#include <random>

namespace simulcast::net {

class Backoff {
 public:
  using Duration = std::chrono::milliseconds;
  static constexpr Duration kShortest{500};
  static constexpr Duration kLongest{30'000};
  // A peer that says no (wrong key) is asked at most once a minute: asking more often does not change its
  // mind and looks like an attack.
  static constexpr Duration kRejected{60'000};

  explicit Backoff(unsigned seed) : random_(seed) {}

  // Between kShortest and the ceiling, which doubles with every call up to kLongest.
  Duration next();
  Duration next_after_rejection();
  void reset() { ceiling_ = 2 * kShortest; }

 private:
  std::minstd_rand random_;
  Duration ceiling_ = 2 * kShortest;
};

}  // namespace simulcast::net
