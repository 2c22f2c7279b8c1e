#include "ingest/read_mark.hpp"

#include <gtest/gtest.h>

namespace simulcast::ingest {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kSegment = 1448;

struct ReadMarkTest : testing::Test {
  ReadMarkTest() { mark.set_segment(kSegment); }

  // So many frames of one size; true if a window became full.
  bool frames(int count, std::size_t size, std::uint32_t interval = 16) {
    bool full = false;
    for (int i = 0; i < count; ++i) full = mark.video_frame(size, time += interval) || full;
    return full;
  }

  ReadMark mark{25ms};
  std::uint32_t time = 0;
};

TEST_F(ReadMarkTest, EverythingWakesUntilTheFramesAreKnown) {
  EXPECT_EQ(mark.next(0), 1u);
  EXPECT_FALSE(frames(ReadMark::kWindow, 12'000));
  EXPECT_EQ(mark.next(0), 1u);
  EXPECT_TRUE(frames(1, 12'000));
  EXPECT_EQ(mark.next(0), 6'000u);
}

TEST_F(ReadMarkTest, HalfTheSmallestFrameOfTwoWindows) {
  frames(30, 12'000);
  frames(1, 8'000);
  frames(34, 12'000);
  EXPECT_EQ(mark.next(0), 4'000u);
  frames(65, 12'000);
  EXPECT_EQ(mark.next(0), 4'000u) << "the window before still counts";
  frames(65, 12'000);
  EXPECT_EQ(mark.next(0), 6'000u);
  frames(130, 400'000);
  EXPECT_EQ(mark.next(0), ReadMark::kHighest);
}

TEST_F(ReadMarkTest, WithinAMessageItIsWhatIsMissing) {
  EXPECT_EQ(mark.next(700), 700u);
  EXPECT_EQ(mark.next(1'000'000), ReadMark::kHighest);
  frames(65, 12'000);
  EXPECT_EQ(mark.next(9'000), 9'000u);
}

TEST_F(ReadMarkTest, ASmallerFrameLowersItAtOnce) {
  frames(65, 12'000);
  frames(1, 11'000);
  EXPECT_EQ(mark.next(0), 5'500u);
  frames(1, 2'000);
  EXPECT_EQ(mark.next(0), 1u);
  frames(1, 12'000);
  EXPECT_EQ(mark.next(0), 1u);
}

TEST_F(ReadMarkTest, NothingWaitsForFramesThatAreRareOrSmallOrOfUnknownSegments) {
  frames(65, 12'000, 33);
  EXPECT_EQ(mark.next(0), 1u) << "30 pictures a second: they come later than audio may wait";
  frames(130, 2 * kSegment - 1);
  EXPECT_EQ(mark.next(0), 1u);
  frames(130, 2 * kSegment);
  EXPECT_EQ(mark.next(0), kSegment);
  ReadMark unknown(25ms);
  for (std::uint32_t i = 0; i < 200; ++i) unknown.video_frame(12'000, 16 * i);
  EXPECT_EQ(unknown.next(0), 1u);
  ReadMark off(0ms);
  off.set_segment(kSegment);
  for (std::uint32_t i = 0; i < 200; ++i) off.video_frame(12'000, 16 * i);
  EXPECT_EQ(off.next(0), 1u);
}

TEST_F(ReadMarkTest, TheClockMayWrap) {
  time = 0xFFFF'FF00;
  frames(65, 12'000);
  EXPECT_EQ(mark.next(0), 6'000u);
}

}  // namespace
}  // namespace simulcast::ingest
