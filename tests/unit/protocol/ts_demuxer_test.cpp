#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocol/mpegts/demuxer.hpp"
#include "tests/unit/protocol/bytes.hpp"
#include "tests/unit/protocol/ts_writer.hpp"

extern "C" {
#include <libavutil/log.h>
}

namespace simulcast::mpegts {
namespace {

using test::ByteVector;
using test::pattern;
using test::TsWriter;

constexpr unsigned kPmt = 0x1000;
constexpr unsigned kVideo = 0x100;
constexpr unsigned kAudio = 0x101;
constexpr std::int64_t kWrap = std::int64_t{1} << 33;

// Selects all that is audio or video, and keeps what comes.
class Collector : public Demuxer::Handler {
 public:
  struct Unit {
    std::uint16_t pid;
    Codec codec;
    bool corrupt;
    bool torn;
    std::optional<std::int64_t> dts;
    std::optional<std::int64_t> pts;
    ByteVector bytes;
  };

  Collector() { av_log_set_level(AV_LOG_QUIET); }

  void on_program(const Program& program) override {
    ++programs;
    std::vector<std::uint16_t> pids;
    for (const auto& stream : program.streams) {
      if (is_video(stream.codec) || is_audio(stream.codec)) pids.push_back(stream.pid);
    }
    demuxer.select(pids);
  }
  void on_pes(const Pes& pes) override {
    const auto ticks = [](const auto& time) {
      return time ? std::optional(time->count()) : std::optional<std::int64_t>();
    };
    units.push_back({pes.pid, pes.codec, pes.corrupt, pes.torn, ticks(pes.dts), ticks(pes.pts),
                     ByteVector(pes.bytes.begin(), pes.bytes.end())});
  }

  void push(const ByteVector& packets) { demuxer.push(packets); }

  int programs = 0;
  std::vector<Unit> units;
  Demuxer demuxer{*this};
};

class TsDemuxer : public testing::Test {
 protected:
  ByteVector tables(const std::vector<TsWriter::Stream>& streams = {{0x1B, kVideo}, {0x0F, kAudio}},
                    unsigned version = 0) {
    return test::operator+(writer.pat({{1, kPmt}}), writer.pmt(kPmt, 1, streams, version));
  }

  TsWriter writer;
  Collector out;
};

TEST_F(TsDemuxer, GivesEachPesAsItWasWhateverTheChunks) {
  ByteVector ts = tables();
  std::vector<ByteVector> sent;
  for (int i = 0; i < 40; ++i) {
    sent.push_back(pattern(1 + static_cast<std::size_t>(i) * 97, static_cast<unsigned>(i)));
    const auto pes = writer.pes(kVideo, sent.back(), {.pts = i * 3600 + 7200, .dts = i * 3600});
    ts.insert(ts.end(), pes.begin(), pes.end());
  }
  for (std::size_t packets = 1; packets <= 7; ++packets) {
    Collector collector;
    const std::size_t piece = packets * 188;
    for (std::size_t at = 0; at < ts.size(); at += piece) {
      collector.demuxer.push(std::span(ts).subspan(at, std::min(piece, ts.size() - at)));
    }
    ASSERT_EQ(collector.units.size(), 39);  // the last has no end yet
    collector.demuxer.finish();
    ASSERT_EQ(collector.units.size(), 40);
    for (std::size_t i = 0; i < 40; ++i) {
      EXPECT_EQ(collector.units[i].bytes, sent[i]);
      EXPECT_EQ(collector.units[i].dts, static_cast<std::int64_t>(i) * 3600);
      EXPECT_EQ(collector.units[i].pts, static_cast<std::int64_t>(i) * 3600 + 7200);
      EXPECT_FALSE(collector.units[i].corrupt);
    }
    EXPECT_EQ(collector.demuxer.malformed(), 0);
  }
}

TEST_F(TsDemuxer, BeginsAnewAfterItWasFinished) {
  out.push(tables());
  out.push(writer.pes(kVideo, pattern(3000), {.pts = 0}));
  out.demuxer.finish();
  out.demuxer.finish();
  ASSERT_EQ(out.units.size(), 1);
  out.push(writer.pes(kVideo, pattern(2000), {.pts = 3600}));
  out.push(writer.pes(kVideo, pattern(10), {.pts = 7200}));
  ASSERT_EQ(out.units.size(), 2);
  EXPECT_EQ(out.units[1].bytes, pattern(2000));
  EXPECT_EQ(out.demuxer.malformed(), 0);
}

TEST_F(TsDemuxer, DoesNotWait) {
  out.push(tables());
  EXPECT_EQ(out.programs, 1);
  out.push(writer.pes(kVideo, pattern(3000), {.pts = 0}));
  EXPECT_THAT(out.units, testing::IsEmpty());
  // The first packet of the next one is enough, and with a length not even that is needed.
  auto next = writer.pes(kVideo, pattern(3000), {.pts = 3600});
  next.resize(188);
  out.push(next);
  ASSERT_EQ(out.units.size(), 1);
  EXPECT_EQ(out.units[0].bytes, pattern(3000));
  out.push(writer.pes(kAudio, pattern(500), {.pts = 0, .bounded = true, .stream_id = 0xC0}));
  ASSERT_EQ(out.units.size(), 2);
  EXPECT_EQ(out.units[1].codec, Codec::aac);
  EXPECT_EQ(out.units[1].bytes, pattern(500));
}

TEST_F(TsDemuxer, KeepsALargePesWhole) {
  out.push(tables());
  const auto large = pattern(5'000'000);
  out.push(writer.pes(kVideo, large, {.pts = 0}));
  out.push(writer.pes(kVideo, pattern(10), {.pts = 3600}));
  ASSERT_EQ(out.units.size(), 1);
  EXPECT_TRUE(out.units[0].bytes == large);
}

TEST_F(TsDemuxer, BoundsAPesWithoutEnd) {
  out.push(tables());
  out.push(writer.pes(kVideo, ByteVector(kMaxPes + 100'000, std::byte{1}), {.pts = 0}));
  ASSERT_EQ(out.units.size(), 1);
  EXPECT_LE(out.units[0].bytes.size(), kMaxPes);
}

TEST_F(TsDemuxer, UnwrapsTheClock) {
  out.push(tables());
  for (int i = 0; i < 6; ++i) {
    const std::int64_t dts = kWrap - 9000 + i * 3600;
    out.push(writer.pes(kVideo, pattern(10), {.pts = dts + 7200, .dts = dts}));
  }
  ASSERT_EQ(out.units.size(), 5);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(out.units[static_cast<std::size_t>(i)].dts, kWrap - 9000 + i * 3600);
    EXPECT_EQ(out.units[static_cast<std::size_t>(i)].pts, kWrap - 1800 + i * 3600);
  }
}

TEST_F(TsDemuxer, LeavesOutWhatIsNotThere) {
  out.push(tables());
  out.push(writer.pes(kVideo, pattern(10), {.pts = 900}));
  out.push(writer.pes(kVideo, pattern(10), {}));
  out.push(writer.pes(kVideo, pattern(10), {}));
  ASSERT_EQ(out.units.size(), 2);
  EXPECT_EQ(out.units[0].dts, 900);
  EXPECT_EQ(out.units[0].pts, 900);
  EXPECT_FALSE(out.units[1].dts);
  EXPECT_FALSE(out.units[1].pts);
}

TEST_F(TsDemuxer, EndsInTheMiddleOfAnything) {
  const auto ts = test::operator+(tables(), writer.pes(kVideo, pattern(1000), {.pts = 0}));
  for (std::size_t end = 0; end <= ts.size(); end += 188) {
    Collector collector;
    collector.demuxer.push(std::span(ts).first(end));
  }
}

TEST_F(TsDemuxer, FollowsAChangeOfThePmt) {
  out.push(tables());
  out.push(writer.pes(kVideo, pattern(300), {.pts = 0}));
  out.push(tables({{0x24, 0x200}, {0x0F, kAudio}}, 1));
  EXPECT_EQ(out.programs, 2);
  for (int i = 0; i < 3; ++i) out.push(writer.pes(0x200, pattern(400), {.pts = i}));
  ASSERT_EQ(out.units.size(), 2);
  EXPECT_EQ(out.units[0].pid, 0x200);
  EXPECT_EQ(out.units[0].codec, Codec::h265);
  // Another codec on the same PID, and the PMT on another.
  out.push(writer.pat({{1, 0x1001}}, 1));
  out.push(writer.pmt(0x1001, 1, {{0x1B, 0x200}}, 2));
  out.units.clear();
  for (int i = 0; i < 3; ++i) out.push(writer.pes(0x200, pattern(500), {.pts = i}));
  ASSERT_GE(out.units.size(), 2);
  EXPECT_EQ(out.units.back().codec, Codec::h264);
  EXPECT_EQ(out.units.back().bytes, pattern(500));
}

TEST_F(TsDemuxer, TakesTablesOfSeveralPackets) {
  out.push(writer.pat({{1, kPmt}}));
  const auto pmt =
      writer.section(kPmt, TsWriter::pmt_section(1, {{0x1B, kVideo, ByteVector(250)}, {0x0F, kAudio}}));
  for (std::size_t at = 0; at < pmt.size(); at += 188) out.demuxer.push(std::span(pmt).subspan(at, 188));
  EXPECT_EQ(out.programs, 1);
  for (int i = 0; i < 2; ++i) out.push(writer.pes(kVideo, pattern(400), {.pts = i}));
  ASSERT_EQ(out.units.size(), 1);
}

TEST_F(TsDemuxer, TellsWhatIsDamaged) {
  out.push(tables());
  auto pes = writer.pes(kVideo, pattern(1000), {.pts = 0});
  pes.erase(pes.begin() + 376, pes.begin() + 564);
  out.push(pes);
  out.push(writer.pes(kVideo, pattern(100), {.pts = 3600}));
  out.push(writer.pes(kVideo, pattern(100), {.pts = 7200}));
  ASSERT_EQ(out.units.size(), 2);
  EXPECT_TRUE(out.units[0].corrupt);
  EXPECT_FALSE(out.units[1].corrupt);
}

TEST_F(TsDemuxer, TellsWhatIsTornByTheEnd) {
  for (const bool bounded : {false, true}) {
    for (const std::size_t missing : {0, 1, 2}) {
      Collector collector;
      const auto begin = test::operator+(tables(), writer.pes(kVideo, pattern(1000), {.pts = 0}));
      auto last = writer.pes(kVideo, pattern(1000), {.pts = 3600, .bounded = bounded});
      last.resize(last.size() - missing * kPacketSize);
      collector.push(test::operator+(begin, last));
      collector.demuxer.finish();
      ASSERT_EQ(collector.units.size(), 2);
      EXPECT_FALSE(collector.units[0].torn);
      EXPECT_EQ(collector.units[1].torn, missing > 0) << bounded << missing;
    }
  }
}

TEST(TsPacket, IsStuffedWhenItsAdaptationFieldHasMoreInItThanItNeeds) {
  const auto packet = [](ByteVector adaptation) {
    ByteVector bytes(kPacketSize, std::byte{0xFF});
    const bool has_field = !adaptation.empty();
    adaptation.insert(adaptation.begin(),
                      {kSyncByte, std::byte{1}, std::byte{0}, has_field ? std::byte{0x30} : std::byte{0x10}});
    std::ranges::copy(adaptation, bytes.begin());
    return bytes;
  };
  const auto field = [&packet](std::initializer_list<int> bytes) {
    ByteVector adaptation;
    for (const int byte : bytes) adaptation.push_back(static_cast<std::byte>(byte));
    return is_stuffed(packet(adaptation));
  };
  EXPECT_FALSE(field({}));
  EXPECT_TRUE(field({0}));
  EXPECT_TRUE(field({1, 0}));
  EXPECT_FALSE(field({1, 0x40}));
  EXPECT_TRUE(field({2, 0x40, 0xFF}));
  EXPECT_FALSE(field({7, 0x10, 0, 0, 0, 0, 0, 0}));
  EXPECT_TRUE(field({8, 0x10, 0, 0, 0, 0, 0, 0, 0xFF}));
  EXPECT_FALSE(field({14, 0x1C, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9}));
  EXPECT_FALSE(field({5, 0x02, 3, 1, 2, 3}));
  EXPECT_TRUE(field({6, 0x02, 3, 1, 2, 3, 0xFF}));
  EXPECT_FALSE(field({7, 0x03, 3, 1, 2, 3, 1, 0}));
  EXPECT_FALSE(field({250, 0x03, 250}));  // private data that leaves the packet
}

TEST_F(TsDemuxer, GoesOnAfterGarbage) {
  out.push(pattern(188 * 50));
  EXPECT_GT(out.demuxer.malformed(), 0);
  ByteVector noise = pattern(188 * 50, 3);
  for (std::size_t at = 0; at < noise.size(); at += 188) noise[at] = kSyncByte;
  out.push(noise);
  out.push(tables());
  out.push(noise);
  for (int i = 0; i < 2; ++i) out.push(writer.pes(kVideo, pattern(400), {.pts = i}));
  ASSERT_GE(out.units.size(), 1);
  EXPECT_EQ(out.units.back().bytes, pattern(400));
}

}  // namespace
}  // namespace simulcast::mpegts
