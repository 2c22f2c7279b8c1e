#include "continuity/ts_splice.hpp"

#include <gtest/gtest.h>

#include <string>

#include "tests/unit/protocol/ts_parser.hpp"
#include "tests/unit/protocol/ts_writer.hpp"

namespace simulcast::continuity {
namespace {

using namespace std::chrono_literals;
using test::ByteVector;
using test::TsWriter;
using test::operator+;  // NOLINT(misc-unused-using-decls): not seen in expressions

constexpr unsigned kVideo = 0x100;
constexpr unsigned kAudio = 0x101;
constexpr std::int64_t kSecond = 90'000;

struct TsSpliceTest : testing::Test {
  ByteVector join(ByteVector packets) {
    splice.join(packets, now);
    return packets;
  }
  ByteVector video(std::int64_t dts, std::size_t size = 500) {
    return writer.pes(kVideo, ByteVector(size, std::byte{0xAA}),
                      {.pts = wrap(dts + 6000), .dts = wrap(dts), .random_access = true});
  }
  ByteVector audio(std::int64_t pts) {
    return writer.pes(kAudio, ByteVector(200, std::byte{0xBB}),
                      {.pts = wrap(pts), .bounded = true, .stream_id = 0xC0});
  }
  static std::int64_t wrap(std::int64_t time) { return time & ((std::int64_t{1} << 33) - 1); }
  static test::TsPacket at(const ByteVector& packets, std::size_t i) {
    return test::ts_packet(std::span(packets).subspan(i * 188, 188));
  }
  // As test::Pes has them.
  static std::pair<std::int64_t, std::int64_t> times(const ByteVector& packets) {
    const auto payload = at(packets, 0).payload;
    const auto stamp = [&](std::size_t from) {
      const auto u8 = [&](std::size_t i) { return std::to_integer<std::int64_t>(payload[from + i]); };
      EXPECT_EQ(u8(0) & 1, 1);
      EXPECT_EQ(u8(2) & 1, 1);
      EXPECT_EQ(u8(4) & 1, 1);
      return (u8(0) >> 1 & 7) << 30 | u8(1) << 22 | u8(2) >> 1 << 15 | u8(3) << 7 | u8(4) >> 1;
    };
    const bool has_dts = (std::to_integer<unsigned>(payload[7]) & 0x40) != 0;
    return {stamp(9), has_dts ? stamp(14) : stamp(9)};
  }

  TsWriter writer;
  TsSplice splice;
  TsSplice::Clock::time_point now = TsSplice::Clock::time_point{} + 1h;
};

TEST_F(TsSpliceTest, TheFirstPublisherStaysBitForBit) {
  splice.begin_publisher();
  for (int i = 0; i < 100; ++i, now += 40ms) {
    for (const auto& packets : {video(kSecond + i * 3600), audio(kSecond + i * 3600)}) {
      EXPECT_EQ(join(packets), packets);
    }
  }
  ASSERT_NE(splice.track(kVideo), nullptr);
  EXPECT_EQ(splice.track(kVideo)->dts.count(), kSecond + 99 * 3600);
  EXPECT_EQ(splice.track(kVideo)->pts.count(), kSecond + 99 * 3600 + 6000);
}

TEST_F(TsSpliceTest, TheNextOneGoesOnInTimeAndCount) {
  splice.begin_publisher();
  const auto last_video = video(10 * kSecond);
  const auto last_audio = audio(10 * kSecond + 900);
  join(last_video);
  join(last_audio);
  const unsigned count = at(last_video, last_video.size() / 188 - 1).counter;

  now += 4s;
  writer = TsWriter();
  splice.begin_publisher();
  // Audio ahead of the first picture is not passed on by the stream, and left as it is.
  const auto early = audio(77 * kSecond - 500);
  EXPECT_EQ(join(early), early);
  const auto first = join(video(77 * kSecond));
  EXPECT_EQ(times(first).second, 14 * kSecond + 1);
  EXPECT_EQ(times(first).first, 14 * kSecond + 1 + 6000);
  for (std::size_t i = 0; i < first.size() / 188; ++i)
    EXPECT_EQ(at(first, i).counter, (count + 1 + i) % 16) << i;
  const auto sound = join(audio(77 * kSecond + 2000));
  EXPECT_EQ(times(sound).first, 14 * kSecond + 1 + 2000);
  now += 40ms;
  EXPECT_EQ(times(join(video(77 * kSecond + 3600))).second, 14 * kSecond + 1 + 3600);
}

TEST_F(TsSpliceTest, ClocksWrapInEitherRun) {
  const std::int64_t end = std::int64_t{1} << 33;
  splice.begin_publisher();
  for (int i = -3; i < 3; ++i, now += 40ms) {
    const auto packets = video(end + i * 3600);
    EXPECT_EQ(join(packets), packets);
  }
  EXPECT_EQ(splice.track(kVideo)->dts.count(), end + 2 * 3600);
  splice.begin_publisher();
  for (int i = 0; i < 10; ++i, now += 40ms) {
    EXPECT_EQ(times(join(video(end - 4 * 3600 + i * 3600))).second, 3 * 3600 + 1 + i * 3600);
  }
}

TEST_F(TsSpliceTest, AnUnfinishedPesPacketLeavesOneCounterOut) {
  splice.begin_publisher();
  const auto whole = video(kSecond);
  const ByteVector torn(whole.begin(), whole.begin() + 2 * 188);
  join(torn);
  ASSERT_NE(splice.track(kVideo), nullptr);
  EXPECT_FALSE(splice.track(kVideo)->complete);
  const unsigned count = at(torn, 1).counter;
  splice.begin_publisher();
  now += 1s;
  const auto first = join(video(5 * kSecond));
  EXPECT_EQ(at(first, 0).counter, (count + 2) % 16);
  EXPECT_EQ(at(first, 1).counter, (count + 3) % 16);
}

TEST_F(TsSpliceTest, WhatWasMadeMeanwhileIsCountedAndGoneOnFrom) {
  splice.begin_publisher();
  const auto last = video(kSecond);
  join(last);
  const unsigned count = at(last, last.size() / 188 - 1).counter;
  splice.interrupt();
  now += 500ms;
  ByteVector made;
  mpegts::append_pes(kVideo, 0xE0, media::Time(kSecond + kSecond / 2), true, ByteVector(400, std::byte{1}),
                     made);
  splice.add(made, now);
  for (std::size_t i = 0; i < made.size() / 188; ++i) EXPECT_EQ(at(made, i).counter, (count + 1 + i) % 16);
  EXPECT_EQ(times(made).first, kSecond + kSecond / 2);
  EXPECT_TRUE(at(made, 0).random_access);

  now += 500ms;
  splice.begin_publisher();
  const auto first = join(video(30 * kSecond));
  EXPECT_EQ(times(first).second, 2 * kSecond + 1);
  EXPECT_EQ(at(first, 0).counter, (count + 1 + made.size() / 188) % 16);
}

TEST_F(TsSpliceTest, TheClockReferenceIsMovedAndNeverGoesBack) {
  const auto clock = [](std::int64_t base) {
    ByteVector packet;
    mpegts::append_clock(kVideo, {media::Time(base), 7}, packet);
    return packet;
  };
  splice.begin_publisher();
  join(clock(kSecond));
  join(video(kSecond + 9000));
  now += 1s;
  splice.begin_publisher();
  // It sends a second ahead of its clock, where the one before sent a tenth.
  const auto first = join(clock(50 * kSecond) + video(51 * kSecond));
  ASSERT_TRUE(at(first, 0).pcr);
  EXPECT_GE(*at(first, 0).pcr / 300, 2 * kSecond);
  EXPECT_EQ(*at(first, 0).pcr % 300, 7);
  const auto dts = test::ts_packet(std::span(first).subspan(188, 188));
  EXPECT_TRUE(dts.starts_unit);
  now += 40ms;
  EXPECT_GE(*at(join(clock(50 * kSecond + 3600)), 0).pcr / 300, 2 * kSecond + 3600);
}

TEST_F(TsSpliceTest, APublisherWithoutVideoIsJoinedByItsSoundAfterAWhile) {
  splice.begin_publisher();
  join(video(kSecond));
  now += 1s;
  splice.begin_publisher();
  const auto early = audio(0);
  EXPECT_EQ(join(early), early);
  now += 1s;
  EXPECT_EQ(times(join(audio(kSecond))).first, 3 * kSecond + 1);
}

TEST_F(TsSpliceTest, SoundOfTimeThatWasFilledIsLeftOut) {
  splice.begin_publisher();
  join(video(10 * kSecond));
  join(audio(10 * kSecond));
  now += 4s;
  splice.interrupt();
  ByteVector silence;
  mpegts::append_pes(kAudio, 0xC0, media::Time(14 * kSecond + 3000), true, ByteVector(100, std::byte{1}),
                     silence);
  splice.add(silence, now);
  const unsigned count = at(silence, 0).counter;

  splice.begin_publisher();
  EXPECT_EQ(times(join(video(77 * kSecond))).second, 14 * kSecond + 1);
  const auto is_null = [](const ByteVector& packets) {
    for (std::size_t i = 0; i < packets.size() / 188; ++i) {
      if (at(packets, i).pid != mpegts::kNullPid) return false;
    }
    return true;
  };
  EXPECT_TRUE(is_null(join(audio(77 * kSecond))));
  EXPECT_TRUE(is_null(join(audio(77 * kSecond + 2000))));
  EXPECT_EQ(splice.track(kAudio)->dts.count(), 14 * kSecond + 3000);
  const auto first = join(audio(77 * kSecond + 4000));
  EXPECT_EQ(times(first).first, 14 * kSecond + 4001);
  EXPECT_EQ(at(first, 0).counter, (count + 1) % 16);
  // From there on nothing is left out, whatever its times.
  EXPECT_EQ(times(join(audio(77 * kSecond + 3000))).first, 14 * kSecond + 3001);
}

TEST_F(TsSpliceTest, TheRestOfWhatBeganBeforeItsRunIsLeftOut) {
  splice.begin_publisher();
  join(video(10 * kSecond));
  join(audio(10 * kSecond));
  now += 4s;
  splice.begin_publisher();
  join(video(77 * kSecond));
  const auto whole = writer.pes(kAudio, ByteVector(400, std::byte{0xBB}),
                                {.pts = 78 * kSecond, .bounded = true, .stream_id = 0xC0});
  ASSERT_GT(whole.size(), 188U);
  const auto rest = join(ByteVector(whole.begin() + 188, whole.end()));
  EXPECT_EQ(at(rest, 0).pid, mpegts::kNullPid);
  EXPECT_EQ(at(join(whole), 0).pid, kAudio);
}

TEST_F(TsSpliceTest, HostileBytesAreLeftAlone) {
  splice.begin_publisher();
  join(video(kSecond));
  splice.begin_publisher();
  ByteVector garbage(7 * 188, std::byte{0x47});
  join(garbage);
  for (unsigned value = 0; value < 256; ++value) {
    ByteVector packet(188, static_cast<std::byte>(value));
    packet[0] = mpegts::kSyncByte;
    join(packet);
    join(ByteVector(packet.begin(), packet.begin() + 100));
  }
  join({});
}

}  // namespace
}  // namespace simulcast::continuity
