#include "net/backoff.hpp"

#include <algorithm>

namespace simulcast::net {

Backoff::Duration Backoff::next() {
  std::uniform_int_distribution<Duration::rep> between(kShortest.count(), ceiling_.count());
  ceiling_ = std::min(2 * ceiling_, kLongest);
  return Duration{between(random_)};
}

Backoff::Duration Backoff::next_after_rejection() {
  std::uniform_int_distribution<Duration::rep> extra(0, kRejected.count() / 4);
  return kRejected + Duration{extra(random_)};
}

}  // namespace simulcast::net
