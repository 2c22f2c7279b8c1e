#include "protocol/mpegts/muxer.hpp"

#include <gtest/gtest.h>

#include "tests/unit/protocol/ts_parser.hpp"

namespace simulcast::mpegts {
namespace {

using namespace std::chrono_literals;
using media::Time;
using test::Bytes;
using test::hex;
using test::pattern;
using test::operator+;  // NOLINT(misc-unused-using-decls): not seen in expressions

constexpr std::uint16_t kVideoPid = 0x100;
constexpr std::uint16_t kAudioPid = 0x101;
constexpr std::int64_t kWrap = std::int64_t{1} << 33;

Track video_track() {
  Track track;
  track.pid = kVideoPid;
  return track;
}

Track aac_track(const Bytes& config = hex("12 10")) {
  Track track;
  track.codec = TrackCodec::aac;
  track.pid = kAudioPid;
  track.extradata = config;
  return track;
}

Bytes picture(std::size_t size, bool key = false) {
  return hex("00 00 00 01 09 f0 00 00 00 01") + hex(key ? "65" : "41") + Bytes(size, std::byte{0x55});
}

struct MuxerTest : testing::Test {
  bool write(std::size_t track, Time dts, Time pts, bool keyframe, const Bytes& data) {
    out.begin_unit(dts, keyframe, true);
    const bool written = muxer.write({track, dts, pts, keyframe, data}, out);
    out.cut();
    return written;
  }
  bool write_video(Time dts, bool keyframe = false) {
    return write(0, dts, dts, keyframe, picture(3000, keyframe));
  }
  test::TsParser& parse() {
    for (const Datagram& datagram : out.complete()) ts.push(datagram.bytes.bytes());
    ts.finish();
    out.complete().clear();
    return ts;
  }

  Muxer muxer;
  DatagramWriter out;
  test::TsParser ts;
};

TEST_F(MuxerTest, TablesNameTheTracksAndTheService) {
  ASSERT_TRUE(muxer.set_tracks({video_track(), aac_track()}));
  write_video(0ms, true);
  parse();
  EXPECT_EQ(ts.streams, (std::map<unsigned, unsigned>{{kVideoPid, 0x1B}, {kAudioPid, 0x0F}}));
  EXPECT_EQ(ts.clock_pid, kVideoPid);
  EXPECT_EQ(ts.service, "simulcastd");
}

TEST_F(MuxerTest, BytesAndTimesPassUnchanged) {
  ASSERT_TRUE(muxer.set_tracks({video_track(), aac_track()}));
  const Bytes frame = pattern(500);
  ASSERT_TRUE(write(0, 40ms, 120ms, true, picture(100'000, true)));
  ASSERT_TRUE(write(1, 41ms, 41ms, false, frame));
  parse();
  ASSERT_EQ(ts.pes.size(), 2U);
  EXPECT_EQ(ts.pes[0].data, picture(100'000, true));
  EXPECT_EQ(Time{ts.pes[0].dts}, Muxer::kClockStart + 40ms);
  EXPECT_EQ(Time{ts.pes[0].pts}, Muxer::kClockStart + 120ms);
  EXPECT_TRUE(ts.pes[0].random_access);
  EXPECT_EQ(Bytes(ts.pes[1].data.begin() + 7, ts.pes[1].data.end()), frame) << "behind the ADTS header";
  EXPECT_EQ(Time{ts.pes[1].dts}, Muxer::kClockStart + 41ms);
}

TEST_F(MuxerTest, NothingIsHeldBack) {
  ASSERT_TRUE(muxer.set_tracks({video_track(), aac_track()}));
  for (const std::size_t size : {2U, 10U, 163U, 164U, 170U, 171U, 400U}) {
    ASSERT_TRUE(write(1, Time{static_cast<std::int64_t>(size * 1000)}, Time{0}, false, pattern(size)));
    const auto before = ts.pes.size();
    parse();
    EXPECT_EQ(ts.pes.size(), before + 1) << size;
  }
}

TEST_F(MuxerTest, ClockIsBehindTheDecodingTimeAndOftenEnough) {
  for (const int rate : {25, 30, 50, 60}) {
    MuxerTest::ts = {};
    ASSERT_TRUE(muxer.set_tracks({video_track(), aac_track()}));
    for (int i = 0; i < 5 * rate; ++i) write_video(std::chrono::milliseconds{i * 1000 / rate}, i % rate == 0);
    parse();
    std::int64_t last = -1;
    for (const auto& pes : ts.of(kVideoPid)) {
      if (!pes.pcr) continue;
      EXPECT_EQ(*pes.pcr, (pes.dts - Time{Muxer::kDecoderLead}.count()) * 300);
      if (last >= 0) {
        EXPECT_LE(*pes.pcr - last, 27'000 * 40) << rate;
      }
      last = *pes.pcr;
    }
    EXPECT_GE(last, 0);
    for (const auto& packet : ts.packets) EXPECT_TRUE(!packet.pcr || packet.pid == kVideoPid);
  }
}

TEST_F(MuxerTest, EveryKeyframeBeginsWithTheTables) {
  ASSERT_TRUE(muxer.set_tracks({video_track()}));
  for (int i = 0; i < 300; ++i) {
    ASSERT_TRUE(write_video(std::chrono::milliseconds{i * 7}, true));  // keyframe after keyframe
    test::TsParser unit;
    ASSERT_TRUE(out.complete().front().join_point);
    unit.push(out.complete().front().bytes.bytes());
    ASSERT_EQ(unit.packets[0].pid, 0U);
    ASSERT_EQ(unit.packets[1].pid, Muxer::kTablesPid);
    ASSERT_EQ(unit.packets[2].pid, kVideoPid);
    ASSERT_TRUE(unit.packets[2].random_access);
    ASSERT_TRUE(unit.packets[2].pcr);
    parse();
  }
  EXPECT_EQ(ts.broken_continuity, 0);
  const auto services = std::ranges::count(ts.packets, 0x11U, &test::TsPacket::pid);
  EXPECT_EQ(services, 3) << "once a second";
}

TEST_F(MuxerTest, ClocksRunOnAcrossTheWrap) {
  ASSERT_TRUE(muxer.set_tracks({video_track(), aac_track()}));
  const Time start{kWrap - 90'000 - 45'000};  // half a second before, as the wire has it
  for (int i = 0; i < 60; ++i) {
    const Time dts = start + std::chrono::milliseconds{i * 20};
    ASSERT_TRUE(write(0, dts, dts + 40ms, i == 0, picture(3000, i == 0)));
    ASSERT_TRUE(write(1, dts, dts, false, pattern(200)));
  }
  parse();
  EXPECT_EQ(ts.broken_continuity, 0);
  for (const unsigned pid : {kVideoPid, kAudioPid}) {
    const auto pes = ts.of(pid);
    ASSERT_EQ(pes.size(), 60U);
    for (std::size_t i = 0; i < pes.size(); ++i) {
      const std::int64_t dts = (start + Muxer::kClockStart).count() + static_cast<std::int64_t>(i) * 1800;
      EXPECT_EQ(pes[i].dts, dts % kWrap);
      EXPECT_EQ(pes[i].pts, (dts + (pid == kVideoPid ? 3600 : 0)) % kWrap);
      if (pes[i].pcr) {
        EXPECT_EQ(*pes[i].pcr, (dts - 9000) % kWrap * 300);
      }
    }
  }
  int tables = 0;
  for (const auto& packet : ts.packets) tables += packet.pid == 0 ? 1 : 0;
  EXPECT_GE(tables, 12) << "1.2 s, one every 100 ms at least";
}

TEST_F(MuxerTest, TimesThatDoNotIncreaseAreRaised) {
  ASSERT_TRUE(muxer.set_tracks({video_track(), aac_track()}));
  EXPECT_TRUE(write_video(100ms, true));
  EXPECT_TRUE(write_video(100ms));
  EXPECT_TRUE(write_video(50ms));
  EXPECT_TRUE(write(0, 200ms, 150ms, false, picture(10)));
  EXPECT_TRUE(muxer.set_tracks({video_track()}));
  EXPECT_TRUE(write_video(200ms)) << "the last time is known to the next program as well";
  EXPECT_TRUE(write_video(-5s));
  std::vector<std::int64_t> dts;
  for (const auto& pes : parse().pes) {
    EXPECT_GE(pes.pts, pes.dts);
    dts.push_back(pes.dts - 90'000);
  }
  EXPECT_EQ(dts, (std::vector<std::int64_t>{9000, 9001, 9002, 18000, 18001, 18002}));
}

TEST_F(MuxerTest, NewTracksMakeANewTableVersion) {
  for (unsigned round = 0; round < 40; ++round) {
    ASSERT_TRUE(muxer.set_tracks({video_track(), aac_track(hex(round % 2 == 0 ? "12 10" : "11 90"))}));
    const Time now = std::chrono::seconds{round};
    ASSERT_TRUE(write_video(now, true));
    ASSERT_TRUE(write(1, now, now, false, pattern(200)));
    parse();
    EXPECT_EQ(ts.version, round % 32);
  }
  EXPECT_EQ(ts.broken_continuity, 0);
  EXPECT_EQ(ts.marked_discontinuities, 39 * 5) << "PAT, PMT, SDT, video and audio";
  EXPECT_EQ(ts.of(kAudioPid).size(), 40U);
}

TEST_F(MuxerTest, KnowsWhatItCarries) {
  EXPECT_TRUE(Muxer::carries(aac_track()));
  EXPECT_TRUE(Muxer::carries(aac_track(hex("2b 92 08 00")))) << "HE-AAC, named";
  EXPECT_FALSE(Muxer::carries(aac_track(hex("f9 48")))) << "an object type that ADTS has no number for";
  EXPECT_FALSE(Muxer::carries(aac_track(hex("17 80 00 00 00")))) << "a sample rate of its own";
  for (const TrackCodec codec :
       {TrackCodec::mp3, TrackCodec::ac3, TrackCodec::eac3, TrackCodec::opus, TrackCodec::h265}) {
    Track track;
    track.codec = codec;
    track.pid = kAudioPid;
    EXPECT_TRUE(Muxer::carries(track));
  }
  Track opus;
  opus.codec = TrackCodec::opus;
  opus.pid = kAudioPid;
  opus.channels = 3;
  EXPECT_FALSE(Muxer::carries(opus)) << "without a head that tells how";
  opus.channels = 6;
  opus.extradata = hex("'OpusHead' 01 06 3801 80bb0000 0000 01 04 02 00 04 01 02 03 05");
  EXPECT_TRUE(Muxer::carries(opus));
  opus.extradata[18] = std::byte{255};
  EXPECT_FALSE(Muxer::carries(opus)) << "a layout of its own";
}

TEST_F(MuxerTest, RefusesWhatMakesNoSense) {
  EXPECT_FALSE(write_video(0ms, true)) << "no tracks yet";
  EXPECT_FALSE(muxer.set_tracks({}));
  EXPECT_FALSE(muxer.set_tracks({video_track(), video_track()})) << "one PID twice";
  EXPECT_FALSE(write_video(0ms, true));
  ASSERT_TRUE(muxer.set_tracks({video_track()}));
  EXPECT_FALSE(write(1, 0ms, 0ms, true, picture(10)));
  EXPECT_FALSE(write(0, 0ms, 0ms, true, {}));
  EXPECT_FALSE(write(0, Time::max(), Time::max(), true, picture(10)));
  EXPECT_FALSE(write(0, 0ms, Time::min(), true, picture(10)));
  EXPECT_TRUE(out.complete().empty());
  EXPECT_TRUE(write_video(0ms, true));
}

TEST(DatagramWriterTest, CutsSharedSlabsIntoDatagrams) {
  DatagramWriter writer;
  const Bytes packet = pattern(kPacketSize);
  const auto append = [&](bool starts) {
    writer.append(std::span<const std::byte, kPacketSize>(packet), starts);
  };
  writer.begin_unit(10ms, false, true);
  append(true);
  writer.begin_unit(20ms, false, true);
  for (int i = 0; i < 8; ++i) append(i == 0);
  writer.begin_unit(30ms, true, true);
  append(false);
  append(true);
  writer.begin_unit(40ms, false, false);
  append(true);
  EXPECT_EQ(writer.filling_time(), 30ms);
  writer.cut();
  EXPECT_FALSE(writer.filling());
  writer.cut();

  const auto& made = writer.complete();
  ASSERT_EQ(made.size(), 3U);
  EXPECT_EQ(made[0].bytes.size(), kMaxDatagram);
  EXPECT_EQ(made[0].time, 10ms);
  EXPECT_EQ(made[0].units, 2);
  EXPECT_EQ(made[1].bytes.size(), 2 * kPacketSize);
  EXPECT_EQ(made[1].time, 20ms);
  EXPECT_EQ(made[1].units, 0);
  EXPECT_FALSE(made[1].join_point);
  EXPECT_EQ(made[2].bytes.size(), 3 * kPacketSize);
  EXPECT_TRUE(made[2].join_point);
  EXPECT_EQ(made[2].units, 1);
  EXPECT_EQ(made[1].bytes.data(), made[0].bytes.data() + kMaxDatagram) << "one slab";
  EXPECT_TRUE(std::ranges::equal(made[2].bytes.bytes().last(kPacketSize), packet));
}

TEST(DatagramWriterTest, DatagramsKeepTheirBytesWhenTheSlabIsFull) {
  DatagramWriter writer;
  for (unsigned i = 0; i < 2000; ++i) {
    const Bytes packet = pattern(kPacketSize, i);
    writer.begin_unit(Time{i}, false, true);
    writer.append(std::span<const std::byte, kPacketSize>(packet), true);
    if (i % 3 == 0) writer.cut();
  }
  writer.cut();
  unsigned seen = 0;
  for (const Datagram& datagram : writer.complete()) {
    for (auto rest = datagram.bytes.bytes(); !rest.empty(); rest = rest.subspan(kPacketSize)) {
      EXPECT_TRUE(std::ranges::equal(rest.first(kPacketSize), pattern(kPacketSize, seen++)));
    }
  }
  EXPECT_EQ(seen, 2000U);
}

}  // namespace
}  // namespace simulcast::mpegts
