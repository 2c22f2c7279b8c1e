#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocol/mpegts/scanner.hpp"
#include "tests/unit/protocol/ts_writer.hpp"

namespace simulcast::mpegts {
namespace {

using test::annex_b;
using test::ByteVector;
using test::TsWriter;
using test::operator+;  // NOLINT(misc-unused-using-decls): not seen in expressions

constexpr unsigned kPmt = 0x1000;
constexpr unsigned kVideo = 0x100;
constexpr unsigned kAudio = 0x101;

const ByteVector kKeyframe = annex_b({"\x09\xF0", "\x67\x64\x01\x0C", "\x68\xEE", "\x65key"});
const ByteVector kInter = annex_b({"\x09\xF0", "\x41inter"});

class TsScanner : public testing::Test {
 protected:
  void tables(const std::vector<TsWriter::Stream>& streams, unsigned version = 0) {
    EXPECT_FALSE(scan(writer.pat({{1, kPmt}})).malformed);
    EXPECT_FALSE(scan(writer.pmt(kPmt, 1, streams, version)).malformed);
  }
  Scanner::Datagram scan(const ByteVector& datagram) { return scanner.scan(datagram); }

  TsWriter writer;
  Scanner scanner;
};

TEST_F(TsScanner, FindsTheKeyframeByItsRandomAccessIndicator) {
  tables({{0x1B, kVideo}, {0x0F, kAudio}});
  const auto other = writer.pes(kAudio, ByteVector(100), {.pts = 0});
  const auto result = scan(other + writer.pes(kVideo, kInter, {.pts = 0, .random_access = true}));
  EXPECT_TRUE(result.has_video);
  EXPECT_TRUE(result.keyframe);
  EXPECT_EQ(result.sync_offset, 188);
  EXPECT_EQ(result.frames, 1);
}

TEST_F(TsScanner, FindsTheKeyframeByItsParameterSets) {
  tables({{0x1B, kVideo}});
  const auto result =
      scan(writer.pes(kVideo, kInter, {.pts = 0}) + writer.pes(kVideo, kInter, {.pts = 3600}) +
           writer.pes(kVideo, kKeyframe, {.pts = 7200}));
  EXPECT_TRUE(result.keyframe);
  EXPECT_EQ(result.sync_offset, 376);
  EXPECT_EQ(result.frames, 3);
  EXPECT_FALSE(scan(writer.pes(kVideo, kInter, {.pts = 0})).keyframe);
}

TEST_F(TsScanner, FindsTheKeyframeOfH265) {
  tables({{0x24, kVideo}});
  using namespace std::string_literals;
  EXPECT_TRUE(scan(writer.pes(kVideo, annex_b({"\x46\x01\x50"s, "\x40\x01\x0C"s}), {.pts = 0})).keyframe);
  EXPECT_TRUE(scan(writer.pes(kVideo, annex_b({"\x2A\x01\xAF"s}), {.pts = 0})).keyframe);   // CRA
  EXPECT_FALSE(scan(writer.pes(kVideo, annex_b({"\x02\x01\xD0"s}), {.pts = 0})).keyframe);  // TRAIL_R
}

TEST_F(TsScanner, CountsAudioOnlyWhereThereIsNoVideo) {
  tables({{0x0F, kAudio}});
  const auto result = scan(writer.pes(kAudio, ByteVector(10), {.pts = 0, .random_access = true}) +
                           writer.pes(kAudio, ByteVector(10), {.pts = 1920}));
  EXPECT_FALSE(result.has_video);
  EXPECT_FALSE(result.keyframe);
  EXPECT_EQ(result.frames, 2);
}

TEST_F(TsScanner, CarriesTheTablesAsTheyCame) {
  EXPECT_TRUE(scanner.join_header().empty());
  const auto pat = writer.pat({{1, kPmt}});
  ByteVector section = TsWriter::pmt_section(
      1, {{0x1B, kVideo, ByteVector(200)}, {0x06, 0x200, ByteVector(250)}, {0x0F, kAudio}});
  const auto pmt = writer.section(kPmt, section);
  ASSERT_EQ(pmt.size(), 3 * 188);
  scan(pat);
  EXPECT_TRUE(scanner.join_header().empty());
  for (std::size_t at = 0; at < pmt.size(); at += 188) {
    scan(
        {pmt.begin() + static_cast<std::ptrdiff_t>(at), pmt.begin() + static_cast<std::ptrdiff_t>(at + 188)});
  }
  EXPECT_THAT(scanner.join_header().bytes(), testing::ElementsAreArray(pat + pmt));
  // The newest, also when nothing in it is new.
  const auto again = writer.pat({{1, kPmt}});
  scan(again);
  EXPECT_THAT(scanner.join_header().bytes(), testing::ElementsAreArray(again + pmt));
  ASSERT_NE(scanner.program(), nullptr);
  EXPECT_EQ(scanner.program()->streams.size(), 3);
}

TEST_F(TsScanner, TakesNoTableWithABadChecksum) {
  scan(writer.pat({{1, kPmt}}));
  auto pmt = writer.pmt(kPmt, 1, {{0x1B, kVideo}});
  pmt[15] ^= std::byte{1};
  scan(pmt);
  EXPECT_EQ(scanner.program(), nullptr);
  EXPECT_EQ(scanner.broken_sections(), 1);
  scan(writer.pmt(kPmt, 1, {{0x1B, kVideo}}));
  EXPECT_TRUE(scan(writer.pes(kVideo, kKeyframe, {.pts = 0})).keyframe);
}

TEST_F(TsScanner, LosesASectionWithAMissingPacketOnly) {
  scan(writer.pat({{1, kPmt}}));
  const auto section = TsWriter::pmt_section(1, {{0x1B, kVideo, ByteVector(250)}});
  auto pmt = writer.section(kPmt, section);
  ASSERT_EQ(pmt.size(), 2 * 188);
  scan({pmt.begin(), pmt.begin() + 188});
  writer.skip_counter(kPmt);
  const auto whole = writer.section(kPmt, section);
  scan({whole.begin() + 188, whole.end()});
  EXPECT_EQ(scanner.program(), nullptr);
  scan(writer.section(kPmt, section));
  EXPECT_NE(scanner.program(), nullptr);
}

TEST_F(TsScanner, RefusesASectionInTooManyPackets) {
  scan(writer.pat({{1, kPmt}}));
  const auto pmt = writer.section(kPmt, TsWriter::pmt_section(1, {{0x1B, kVideo}}), 1);
  ASSERT_GT(pmt.size(), kMaxSectionPackets * 188);
  for (std::size_t at = 0; at < pmt.size(); at += 188) scanner.scan(std::span(pmt).subspan(at, 188));
  EXPECT_EQ(scanner.program(), nullptr);
}

TEST_F(TsScanner, FollowsAChangeOfThePmt) {
  tables({{0x1B, kVideo}});
  tables({{0x1B, 0x300}}, 1);
  EXPECT_EQ(scan(writer.pes(kVideo, kKeyframe, {.pts = 0})).frames, 0);
  EXPECT_TRUE(scan(writer.pes(0x300, kKeyframe, {.pts = 0})).keyframe);
  // Its PID changes as well.
  scan(writer.pat({{1, 0x1001}}, 1));
  scan(writer.pmt(0x1001, 1, {{0x24, 0x301}}, 2));
  EXPECT_EQ(scanner.program()->video()->pid, 0x301);
}

TEST_F(TsScanner, OffersNoKeyframeFromBeforeAChange) {
  tables({{0x1B, kVideo}});
  const auto key = writer.pes(kVideo, kKeyframe, {.pts = 0});
  EXPECT_FALSE(scan(key + writer.pmt(kPmt, 1, {{0x1B, 0x300}}, 1)).keyframe);
  const auto result =
      scan(writer.pes(kVideo, kKeyframe, {.pts = 0}) + writer.pmt(kPmt, 1, {{0x1B, kVideo}}, 2) +
           writer.pes(kVideo, kKeyframe, {.pts = 3600}));
  EXPECT_TRUE(result.keyframe);
  EXPECT_EQ(result.sync_offset, 376);
}

TEST_F(TsScanner, SelectsTheFirstProgramWithVideo) {
  scan(writer.pat({{0, 0x10}, {1, 0x1000}, {2, 0x1001}, {3, 0x1002}}));
  scan(writer.pmt(0x1002, 3, {{0x1B, 0x300}}));
  EXPECT_EQ(scanner.program()->number, 3);
  scan(writer.pmt(0x1000, 1, {{0x0F, 0x100}}));
  EXPECT_EQ(scanner.program()->number, 3);
  scan(writer.pmt(0x1001, 2, {{0x0F, 0x201}, {0x24, 0x200}}));
  EXPECT_EQ(scanner.program()->number, 2);
  EXPECT_TRUE(scan(writer.pes(0x200, kInter, {.pts = 0, .random_access = true})).keyframe);
}

TEST_F(TsScanner, CountsMissingPackets) {
  tables({{0x1B, kVideo}});
  const auto pes = writer.pes(kVideo, ByteVector(1000), {.pts = 0});
  ASSERT_EQ(pes.size(), 6 * 188);
  scan(pes);
  EXPECT_EQ(scanner.continuity_errors(), 0);
  writer.skip_counter(kVideo);
  const auto next = writer.pes(kVideo, ByteVector(10), {.pts = 0});
  scan(next);
  EXPECT_EQ(scanner.continuity_errors(), 1);
  scan(next);  // sent twice is legal
  EXPECT_EQ(scanner.continuity_errors(), 1);
  scan(next);
  EXPECT_EQ(scanner.continuity_errors(), 2);
}

TEST_F(TsScanner, CountsNoErrorWhereNoneIs) {
  tables({{0x1B, kVideo}});
  scan(writer.pes(kVideo, ByteVector(10), {.pts = 0}));
  ByteVector null(188, std::byte{0xFF});
  null[0] = kSyncByte;
  null[1] = std::byte{0x1F};
  null[3] = std::byte{0x15};
  scan(null);
  // Only an adaptation field: the counter stands still.
  ByteVector adaptation = null;
  adaptation[1] = std::byte{0x01};
  adaptation[2] = std::byte{0x00};
  adaptation[3] = std::byte{0x20};
  adaptation[4] = std::byte{183};
  adaptation[5] = std::byte{0};
  scan(adaptation);
  scan(writer.pes(kVideo, ByteVector(10), {.pts = 0}));
  EXPECT_EQ(scanner.continuity_errors(), 0);
  // A jump that is announced.
  writer.skip_counter(kVideo);
  auto announced = writer.pes(kVideo, ByteVector(10), {.pts = 0});
  announced[5] = std::byte{0x80};
  scan(announced);
  EXPECT_EQ(scanner.continuity_errors(), 0);
}

TEST_F(TsScanner, ReportsWhatIsNoTransportStream) {
  tables({{0x1B, kVideo}});
  auto datagram = writer.pes(kVideo, kKeyframe, {.pts = 0});
  EXPECT_TRUE(scan({}).malformed);
  EXPECT_TRUE(scan(datagram + ByteVector(1)).malformed);
  EXPECT_TRUE(scan(datagram + ByteVector(188)).malformed);
  ByteVector long_one;
  for (int i = 0; i < 8; ++i) long_one = long_one + datagram;
  EXPECT_TRUE(scan(long_one).malformed);
  EXPECT_EQ(scanner.malformed(), 4);
  EXPECT_EQ(scanner.continuity_errors(), 0);
  const auto result = scan(datagram);
  EXPECT_FALSE(result.malformed);
  EXPECT_TRUE(result.keyframe);
}

TEST_F(TsScanner, CountsWhatFfmpegSends) {
  const auto ts = test::read_fixture("h264_aac.ts");
  ASSERT_FALSE(ts.empty());
  int frames = 0;
  std::vector<std::size_t> keyframes;
  for (std::size_t at = 0; at < ts.size(); at += 1316) {
    const auto result = scanner.scan(std::span(ts).subspan(at, std::min<std::size_t>(1316, ts.size() - at)));
    EXPECT_FALSE(result.malformed);
    frames += result.frames;
    if (result.keyframe) keyframes.push_back(at + result.sync_offset);
  }
  EXPECT_EQ(frames, 60);
  EXPECT_EQ(keyframes.size(), 3);
  for (const std::size_t at : keyframes) {
    EXPECT_TRUE(parse_packet(std::span(ts).subspan(at, 188)).random_access);
  }
  EXPECT_EQ(scanner.continuity_errors(), 0);
  EXPECT_EQ(scanner.broken_sections(), 0);
}

}  // namespace
}  // namespace simulcast::mpegts
