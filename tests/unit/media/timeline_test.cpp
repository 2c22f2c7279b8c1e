#include "media/timeline.hpp"

#include <gtest/gtest.h>

namespace simulcast::media {
namespace {

using namespace std::chrono_literals;
using Clock = Timeline::Clock;

Packet at(MediaKind kind, Time dts, Time composition = Time::zero()) {
  Packet packet;
  packet.kind = kind;
  packet.dts = dts;
  packet.pts = dts + composition;
  return packet;
}

struct TimelineTest : testing::Test {
  Time map(MediaKind kind, Time dts, Time composition = Time::zero()) {
    Packet packet = at(kind, dts, composition);
    EXPECT_TRUE(timeline.map(packet, now));
    EXPECT_EQ(packet.pts - packet.dts, composition);
    return packet.dts;
  }
  Timeline timeline;
  Clock::time_point now = Clock::time_point{} + 1h;
};

TEST_F(TimelineTest, StartsAtZeroAndKeepsSpacingAndOffset) {
  EXPECT_EQ(map(MediaKind::video, 5000ms, 80ms), 0ms);
  EXPECT_EQ(map(MediaKind::audio, 5021ms), 21ms);
  EXPECT_EQ(map(MediaKind::video, 5033ms), 33ms);
  EXPECT_EQ(map(MediaKind::audio, 5044ms), 44ms);
  EXPECT_EQ(map(MediaKind::audio, 4990ms + 60ms), 50ms);
}

TEST_F(TimelineTest, TrackThatBeganEarlierIsNotShifted) {
  map(MediaKind::video, 1000ms);
  EXPECT_EQ(map(MediaKind::audio, 960ms), -40ms);
}

TEST_F(TimelineTest, SmallInversionNeverGoesBack) {
  map(MediaKind::video, 0ms);
  map(MediaKind::video, 100ms);
  EXPECT_EQ(map(MediaKind::video, 90ms), 100ms);
  EXPECT_EQ(map(MediaKind::video, 140ms), 140ms);
}

TEST_F(TimelineTest, ForwardJumpBecomesOneFrameStep) {
  map(MediaKind::video, 0ms);
  map(MediaKind::video, 40ms);
  EXPECT_EQ(map(MediaKind::video, 1h), 80ms);
  EXPECT_EQ(map(MediaKind::video, 1h + 40ms), 120ms);
  EXPECT_EQ(timeline.jumps(), 1U);
}

TEST_F(TimelineTest, PausedTrackIsNotAJump) {
  map(MediaKind::audio, 0ms);
  for (int second = 0; second < 60; ++second) map(MediaKind::video, std::chrono::seconds{second});
  EXPECT_EQ(map(MediaKind::audio, 59s), 59s);
  now += 30s;
  EXPECT_EQ(map(MediaKind::video, 89s), 89s);
  EXPECT_EQ(timeline.jumps(), 0U);
}

TEST_F(TimelineTest, SparseDataIsNotAJump) {
  map(MediaKind::data, 0ms);
  map(MediaKind::video, 0ms);
  EXPECT_EQ(map(MediaKind::data, 5s), 5s);
  EXPECT_EQ(map(MediaKind::data, 2h), 2h);
  EXPECT_EQ(timeline.jumps(), 0U);
}

TEST_F(TimelineTest, BackwardJumpBecomesOneFrameStep) {
  map(MediaKind::video, 24h);
  map(MediaKind::video, 24h + 40ms);
  EXPECT_EQ(map(MediaKind::video, 0ms), 80ms);
  EXPECT_EQ(map(MediaKind::video, 40ms), 120ms);
}

TEST_F(TimelineTest, NextPublisherContinuesAfterTheTimeThatPassed) {
  map(MediaKind::video, 0ms);
  now += 2s;
  map(MediaKind::video, 2000ms);
  now += 4s;
  timeline.begin_publisher();
  EXPECT_EQ(map(MediaKind::audio, 70'000ms), 6000ms);
  EXPECT_EQ(map(MediaKind::video, 70'020ms), 6020ms);
}

TEST_F(TimelineTest, TakeoverWithoutAGapStillGoesForward) {
  map(MediaKind::video, 0ms);
  map(MediaKind::audio, 500ms);
  timeline.begin_publisher();
  EXPECT_GT(map(MediaKind::video, 0ms), 0ms);
  EXPECT_GT(map(MediaKind::audio, 500ms), 500ms);
}

TEST_F(TimelineTest, AudioFromBeforeTheSeamIsLeftOutSoThatItsOffsetStays) {
  map(MediaKind::video, 0ms);
  map(MediaKind::audio, 20ms);
  now += 100ms;
  timeline.begin_publisher();
  EXPECT_EQ(map(MediaKind::video, 1000ms), 100ms);
  Packet early = at(MediaKind::audio, 920ms);
  EXPECT_FALSE(timeline.map(early, now));
  EXPECT_EQ(map(MediaKind::audio, 941ms), 41ms);
}

TEST_F(TimelineTest, EachTrackGoesOnFromWhereItStood) {
  map(MediaKind::video, 0ms);
  map(MediaKind::audio, 500ms);
  now += 4s;
  timeline.begin_publisher();
  EXPECT_EQ(map(MediaKind::video, 0ms), 4000ms);
  EXPECT_EQ(map(MediaKind::audio, 500ms), 4500ms);
}

TEST_F(TimelineTest, WhatWasMadeMeanwhileIsPartOfTheTime) {
  map(MediaKind::video, 0ms, 80ms);
  now += 2s;
  ASSERT_EQ(timeline.positions().size(), 1U);
  EXPECT_EQ(timeline.positions()[0].pts, 80ms);
  Packet filler = at(MediaKind::video, timeline.positions()[0].at(now));
  timeline.note(filler, now);
  now += 500ms;
  timeline.begin_publisher();
  EXPECT_EQ(map(MediaKind::video, 77'000ms), 2500ms);
}

TEST_F(TimelineTest, NextPublisherStartsOnAWholeMillisecond) {
  map(MediaKind::video, Time{7});
  map(MediaKind::video, Time{3607});
  now += 1'234'567us;
  timeline.begin_publisher();
  EXPECT_EQ(map(MediaKind::video, 10ms).count() % 90, 0);
}

}  // namespace
}  // namespace simulcast::media
