#include "media/meter.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace simulcast::media {
namespace {

using namespace std::chrono_literals;

class MeterTest : public testing::Test {
 protected:
  void frame(std::chrono::milliseconds at, bool keyframe = false, std::size_t size = 1000) {
    Packet packet;
    packet.kind = MediaKind::video;
    packet.keyframe = keyframe;
    packet.dts = packet.pts = std::chrono::duration_cast<Time>(at);
    packet.payload = Payload::copy_of(std::vector<std::byte>(size));
    meter_.note(packet);
  }
  void sound(std::size_t size) {
    Packet packet;
    packet.kind = MediaKind::audio;
    packet.payload = Payload::copy_of(std::vector<std::byte>(size));
    meter_.note(packet);
  }
  // A second of video at 25 frames a second, then a report.
  Meter::Report second(int number, int gop = 50) {
    for (int i = 25 * number; i < 25 * (number + 1); ++i) frame(40ms * i, i % gop == 0);
    return meter_.report(start_ + 1s * (number + 1));
  }

  Meter meter_;
  Meter::Clock::time_point start_ = Meter::Clock::now();
};

TEST_F(MeterTest, NothingIsKnownOfNothing) {
  const auto report = meter_.report(start_);
  EXPECT_EQ(report.bytes, 0u);
  EXPECT_EQ(report.fps, 0);
  EXPECT_EQ(report.keyframe_interval, 0ms);
}

TEST_F(MeterTest, RatesAreThoseSinceTheLastReport) {
  meter_.report(start_);
  sound(500);
  const auto report = second(0);
  EXPECT_EQ(report.packets, 26u);
  EXPECT_EQ(report.bytes, 25'500u);
  EXPECT_EQ(report.bitrate, 204'000u);
  EXPECT_EQ(report.video_bitrate, 200'000u);
  EXPECT_EQ(report.audio_bitrate, 4'000u);
  const auto quiet = meter_.report(start_ + 2s);
  EXPECT_EQ(quiet.bitrate, 0u);
  EXPECT_EQ(quiet.bytes, 25'500u);
}

TEST_F(MeterTest, FramesASecondAreByTheEncodersClock) {
  second(0);
  EXPECT_DOUBLE_EQ(second(1).fps, 25);
  // The same frames all at once: late, but as many.
  for (int i = 2; i < 6; ++i) second(i);
  EXPECT_DOUBLE_EQ(meter_.report(start_ + 6s).fps, 25);
}

TEST_F(MeterTest, TheKeyframeIntervalIsTheLongestOfTheLast) {
  EXPECT_EQ(second(0).keyframe_interval, 0ms);
  second(1);
  EXPECT_EQ(second(2).keyframe_interval, 2s);
  for (int i = 3; i < 10; ++i) second(i, 25);
  EXPECT_EQ(second(10, 25).keyframe_interval, 1s);
}

TEST_F(MeterTest, MeanBitratesAreKnownAfterTenReports) {
  meter_.report(start_);
  for (int i = 0; i < 9; ++i) {
    sound(500);
    EXPECT_EQ(second(i).mean_bitrate, 0u);
  }
  sound(500);
  const auto report = second(9);
  EXPECT_EQ(report.mean_bitrate, 204'000u);
  EXPECT_EQ(report.mean_video_bitrate, 200'000u);
  EXPECT_EQ(report.mean_audio_bitrate, 4'000u);
  EXPECT_EQ(report.sending, 10s);
  sound(50'000);  // one second of much
  EXPECT_EQ(second(10).mean_bitrate, 243'600u);
}

TEST_F(MeterTest, APauseIsNotPartOfAMean) {
  meter_.report(start_);
  for (int i = 0; i < 10; ++i) second(i);
  for (int i = 11; i <= 40; ++i) {
    const auto pause = meter_.report(start_ + 1s * i);
    EXPECT_EQ(pause.bitrate, 0u);
    EXPECT_EQ(pause.sending, 10s);
  }
  second(40);
  const auto report = second(41);
  EXPECT_EQ(report.mean_video_bitrate, 200'000u);
  EXPECT_EQ(report.sending, 12s);
}

TEST_F(MeterTest, MeansAreThoseOfOnePublisher) {
  meter_.report(start_);
  for (int i = 0; i < 12; ++i) second(i);
  meter_.begin_publisher();
  EXPECT_EQ(second(12).mean_bitrate, 0u);
  EXPECT_EQ(second(13).sending, 2s);
}

TEST_F(MeterTest, AGopThatStillComesIsMeasured) {
  second(0, 1000);
  EXPECT_EQ(second(1, 1000).since_keyframe, 1960ms);
  EXPECT_EQ(second(2, 1000).keyframe_interval, 0ms);
  frame(3s, true);
  EXPECT_EQ(meter_.report(start_ + 4s).since_keyframe, 0ms);
}

TEST_F(MeterTest, BFramesShowInTheirOffsets) {
  const auto shown = [this](std::chrono::milliseconds at, std::chrono::milliseconds offset) {
    Packet packet;
    packet.kind = MediaKind::video;
    packet.dts = std::chrono::duration_cast<Time>(at);
    packet.pts = std::chrono::duration_cast<Time>(at + offset);
    meter_.note(packet);
  };
  shown(0ms, 80ms);
  shown(40ms, 80ms);
  EXPECT_FALSE(meter_.report(start_).b_frames) << "late, but in order";
  shown(80ms, 160ms);
  shown(120ms, 40ms);
  EXPECT_TRUE(meter_.report(start_ + 1s).b_frames);
  EXPECT_TRUE(meter_.report(start_ + 2s).b_frames);
  meter_.begin_publisher();
  shown(0ms, 0ms);
  shown(40ms, 0ms);
  EXPECT_FALSE(meter_.report(start_ + 3s).b_frames);
}

TEST_F(MeterTest, AClockThatGoesBackIsMeasuredAnew) {
  second(10);
  second(11);
  meter_.begin_publisher();
  EXPECT_EQ(meter_.report(start_ + 12s).fps, 0);
  second(0);
  EXPECT_DOUBLE_EQ(second(1).fps, 25);
  second(0);  // without a word
  EXPECT_DOUBLE_EQ(second(1).fps, 25);
}

TEST_F(MeterTest, HeadersAndOtherTracksAreNoFrames) {
  Packet header;
  header.kind = MediaKind::video;
  header.role = PacketRole::codec_header;
  meter_.note(header);
  Packet other;
  other.kind = MediaKind::video;
  other.track = 1;
  other.dts = Time(90'000 * 5);
  meter_.note(other);
  second(0);
  EXPECT_DOUBLE_EQ(second(1).fps, 25);
}

}  // namespace
}  // namespace simulcast::media
