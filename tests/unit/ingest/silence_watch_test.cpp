#include "ingest/silence_watch.hpp"

#include <gtest/gtest.h>

namespace simulcast::ingest {
namespace {

using namespace std::chrono_literals;
using Verdict = SilenceWatch::Verdict;

struct SilenceWatchTest : testing::Test {
  SilenceWatchTest() { watch.begin(now); }
  void heard_after(SilenceWatch::Clock::duration pause, bool media = true) {
    now += pause;
    watch.heard(now, media);
  }
  SilenceWatch watch;
  SilenceWatch::Clock::time_point now = SilenceWatch::Clock::time_point{} + 1h;
};

TEST_F(SilenceWatchTest, AnEncoderMayTakeItsTimeBeforeItsFirstMedia) {
  heard_after(20s, false);
  EXPECT_EQ(watch.look(now + 29s), Verdict::present);
  EXPECT_EQ(watch.look(now + 30s), Verdict::gone);
}

TEST_F(SilenceWatchTest, OneThatSentIsAwayAfterThreeSecondsAndGoneAfterNine) {
  heard_after(1s);
  heard_after(20ms);
  EXPECT_EQ(watch.look(now + 2900ms), Verdict::present);
  EXPECT_EQ(watch.look(now + 3s), Verdict::away);
  EXPECT_EQ(watch.look(now + 9s), Verdict::gone);
  heard_after(8s);
  EXPECT_EQ(watch.look(now), Verdict::present);
}

TEST_F(SilenceWatchTest, OneThatPausesIsGivenThriceItsLongestPause) {
  heard_after(1s);
  heard_after(2s);
  heard_after(20ms);
  EXPECT_EQ(watch.look(now + 5900ms), Verdict::present);
  EXPECT_EQ(watch.look(now + 6s), Verdict::away);
  heard_after(5s);
  EXPECT_EQ(watch.look(now + 8900ms), Verdict::present);
  EXPECT_EQ(watch.look(now + 9s), Verdict::gone);
}

TEST_F(SilenceWatchTest, ThePauseBeforeItsFirstMediaIsNoHabit) {
  heard_after(20s);
  EXPECT_EQ(watch.look(now + 3s), Verdict::away);
}

}  // namespace
}  // namespace simulcast::ingest
