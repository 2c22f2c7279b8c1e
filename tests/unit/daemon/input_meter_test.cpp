// What is told of a publisher by SRT when reports fall where its GOPs begin.
#include "daemon/input_meter.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "ingest/ts_packets.hpp"
#include "tests/unit/protocol/ts_writer.hpp"

namespace simulcast::daemon {
namespace {

constexpr std::size_t kDatagram = 7 * mpegts::kPacketSize;

struct InputMeterTest : testing::Test {
  InputMeterTest() { stream.begin_publisher(media::PacketForm::mpegts); }

  // The datagrams of a recording, up to and with the nth in which a keyframe begins, and `more` behind it.
  void play_to_keyframe(int nth, std::size_t more = 0) {
    while (at < file.size()) {
      if (nth == 0 && more-- == 0) return;
      const auto bytes = std::span(file).subspan(at, std::min(kDatagram, file.size() - at));
      at += bytes.size();
      auto packets = parser.packets_of(media::Payload::copy_of(bytes));
      ASSERT_TRUE(packets);
      if (packets->datagram.keyframe) --nth;
      if (packets->join_header) stream.publish(std::move(*packets->join_header));
      stream.publish(std::move(packets->datagram));
      stream.flush();
    }
  }

  const test::ByteVector file = test::read_fixture("h264_aac.ts");
  std::size_t at = 0;
  ingest::TsPackets parser;
  media::Stream stream;
  InputMeter meter;
};

TEST_F(InputMeterTest, WhatTheCachedGopHadNothingOfIsLookedForAgain) {
  play_to_keyframe(1);
  auto stats = meter.report(stream);
  ASSERT_TRUE(stats.audio);
  ASSERT_EQ(stats.audio->sample_rate, 0U) << "the recording is not good for this test";
  EXPECT_TRUE(meter.wants_another_look());
  play_to_keyframe(0, 12);
  meter.look_again(stream);
  EXPECT_FALSE(meter.wants_another_look());
  stats = meter.report(stream);
  EXPECT_GT(stats.audio->sample_rate, 0U);
  EXPECT_EQ(stats.audio->profile, "LC");
  EXPECT_GT(stats.video->width, 0U);

  // The next GOP begins: what is known stays known.
  play_to_keyframe(1);
  meter.look_again(stream);
  stats = meter.report(stream);
  EXPECT_GT(stats.audio->sample_rate, 0U);
  EXPECT_GT(stats.video->width, 0U);
}

TEST_F(InputMeterTest, ATrackOfWhichNoMoreCanBeToldIsNotLookedForForEver) {
  play_to_keyframe(1);
  static_cast<void>(meter.report(stream));
  int looks = 0;
  for (; meter.wants_another_look() && looks < 100; ++looks) meter.look_again(stream);
  EXPECT_LE(looks, InputMeter::kMostLooks);
}

}  // namespace
}  // namespace simulcast::daemon
