#include "net/backoff.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace simulcast::net {
namespace {

TEST(Backoff, StaysWithinItsBoundsAndGrows) {
  Backoff::Duration longest_first{}, longest_late{};
  for (unsigned seed = 0; seed < 200; ++seed) {
    Backoff backoff(seed);
    longest_first = std::max(longest_first, backoff.next());
    for (int i = 0; i < 10; ++i) {
      const auto delay = backoff.next();
      EXPECT_GE(delay, Backoff::kShortest);
      EXPECT_LE(delay, Backoff::kLongest);
      longest_late = std::max(longest_late, delay);
    }
  }
  EXPECT_LE(longest_first, 2 * Backoff::kShortest);
  EXPECT_GT(longest_late, Backoff::kLongest / 2);
}

TEST(Backoff, IsJittered) {
  std::set<Backoff::Duration> seen;
  for (unsigned seed = 0; seed < 50; ++seed) {
    Backoff backoff(seed);
    for (int i = 0; i < 6; ++i) backoff.next();
    seen.insert(backoff.next());
  }
  EXPECT_GT(seen.size(), 40U);
}

TEST(Backoff, ResetStartsAnew) {
  Backoff backoff(1);
  for (int i = 0; i < 10; ++i) backoff.next();
  backoff.reset();
  EXPECT_LE(backoff.next(), 2 * Backoff::kShortest);
}

TEST(Backoff, RejectionIsAskedAtMostSixtyTimesAnHour) {
  Backoff backoff(1);
  for (int i = 0; i < 100; ++i) EXPECT_GE(backoff.next_after_rejection(), std::chrono::minutes{1});
}

}  // namespace
}  // namespace simulcast::net
