#include "net/backoff.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace simulcast::net {
namespace {

using namespace std::chrono_literals;

TEST(Backoff, StaysWithinItsBoundsAndGrows) {
  Backoff::Duration longest_first{}, longest_late{};
  for (unsigned seed = 0; seed < 200; ++seed) {
    Backoff backoff(seed);
    longest_first = std::max(longest_first, backoff.next());
    for (int i = 0; i < 300; ++i) {
      const auto delay = backoff.next();
      EXPECT_GE(delay, Backoff::kShortest);
      EXPECT_LE(delay, Backoff::kLongest);
      longest_late = std::max(longest_late, delay);
    }
  }
  EXPECT_LE(longest_first, 2 * Backoff::kShortest);
  EXPECT_GT(longest_late, Backoff::kLongest / 2);
}

TEST(Backoff, IsBriskForMinutes) {
  for (unsigned seed = 0; seed < 50; ++seed) {
    Backoff backoff(seed);
    for (Backoff::Duration waited{}; waited < Backoff::kBriskFor;) {
      const auto delay = backoff.next();
      EXPECT_LE(delay, Backoff::kBriskest);
      waited += delay;
    }
  }
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
  for (int i = 0; i < 300; ++i) backoff.next();
  for (int i = 0; i < 10; ++i) backoff.next_after_hang_up();
  backoff.reset();
  EXPECT_LE(backoff.next(), 2 * Backoff::kShortest);
  EXPECT_LE(backoff.next_after_hang_up(), 2 * Backoff::kShortest);
}

// Tries that begin within an hour when each fails at once.
template <typename Next>
int tries_an_hour(Next next) {
  int tries = 0;
  for (Backoff::Duration at{}; at < 1h; at += next()) ++tries;
  return tries;
}

TEST(Backoff, RefusalIsAskedAtMostSixtyTimesAnHour) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    Backoff refused(seed), hung_up(seed);
    EXPECT_LE(tries_an_hour([&] { return refused.next_after_rejection(); }), 60);
    EXPECT_LE(tries_an_hour([&] { return hung_up.next_after_hang_up(); }), 60);
  }
}

TEST(Backoff, HangUpIsTriedAgainQuicklyAFewTimes) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    Backoff backoff(seed);
    for (int i = 0; i < Backoff::kQuickTries; ++i) EXPECT_LE(backoff.next_after_hang_up(), 8s);
    EXPECT_GE(backoff.next_after_hang_up(), Backoff::kRejected);
  }
}

}  // namespace
}  // namespace simulcast::net
