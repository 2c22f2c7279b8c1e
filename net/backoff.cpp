#include "net/backoff.hpp"

#include <algorithm>

namespace simulcast::net {

Backoff::Duration Backoff::jittered(Duration ceiling) {
  return Duration{std::uniform_int_distribution(kShortest.count(), ceiling.count())(random_)};
}

Backoff::Duration Backoff::next() {
  const Duration wait = jittered(ceiling_);
  waited_ += wait;
  ceiling_ = std::min(2 * ceiling_, waited_ < kBriskFor ? kBriskest : kLongest);
  return wait;
}

Backoff::Duration Backoff::next_after_hang_up() {
  if (hang_ups_ >= kQuickTries) return next_after_rejection();
  return jittered(2 * kShortest * (1 << hang_ups_++));
}

Backoff::Duration Backoff::next_after_rejection() {
  return kRejected + jittered(kRejected / 4);
}

void Backoff::reset() {
  ceiling_ = 2 * kShortest;
  waited_ = {};
  hang_ups_ = 0;
}

}  // namespace simulcast::net
