// How long to wait before the next try: exponential with full jitter, so that a thousand outputs cut at one
// moment do not come back at one moment. Sans-I/O; owned by one worker.
//
// Three kinds of failure, three slow ends. A destination that cannot be reached, or was lost, is tried again
// within kBriskest for the first kBriskFor of waiting: a try costs next to nothing there, and a server that
// restarts is missed by viewers every second. Only then do the waits grow to kLongest. One that was reached
// and hung up without a word may be restarting as well, but many services say `wrong key` that way: after
// kQuickTries it is taken for a refusal. A refusal is asked again after kRejected at the least.
#pragma once

#include <chrono>
#include <random>

namespace simulcast::net {

class Backoff {
 public:
  using Duration = std::chrono::milliseconds;
  static constexpr Duration kShortest{500};
  static constexpr Duration kBriskest{4000};
  static constexpr std::chrono::minutes kBriskFor{5};
  static constexpr Duration kLongest{30'000};
  // Asking more often does not change the mind of a peer that says no, and looks like an attack. With
  // kQuickTries before it that makes at most 60 tries in an hour.
  static constexpr Duration kRejected{66'000};
  static constexpr int kQuickTries = 4;

  explicit Backoff(unsigned seed) : random_(seed) {}

  // Not reached, or lost: between kShortest and the ceiling, which doubles with every call up to kBriskest,
  // and later to kLongest.
  Duration next();
  // Reached, and then the peer hung up.
  Duration next_after_hang_up();
  // The peer said no.
  Duration next_after_rejection();
  void reset();

 private:
  Duration jittered(Duration ceiling);

  std::minstd_rand random_;
  Duration ceiling_ = 2 * kShortest;
  Duration waited_{};  // in next()
  int hang_ups_ = 0;   // since reset()
};

}  // namespace simulcast::net
