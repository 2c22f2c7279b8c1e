#include "repackage/flv_to_ts.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocol/nal/nal_units.hpp"
#include "tests/unit/protocol/ts_parser.hpp"
#include "tests/unit/repackage/flv_packets.hpp"

namespace simulcast::repackage {
namespace {

using namespace std::chrono_literals;
using media::MediaKind;
using media::Packet;
using media::PacketRole;
using media::Time;
using test::Bytes;
using test::hex;
using test::number;
using test::pattern;
using test::operator+;  // NOLINT(misc-unused-using-decls): not seen in expressions

constexpr unsigned kVideoPid = 0x100;
constexpr unsigned kAudioPid = 0x101;
constexpr std::int64_t kStart = Time{mpegts::Muxer::kClockStart}.count();

constexpr std::int64_t kWireMask = (std::int64_t{1} << 33) - 1;

const Bytes kSps = hex("67 64 00 1f ac");
const Bytes kPps = hex("68 eb ec");
const Bytes kDelimiter = hex("09 f0");

Bytes avc_config(int length_size = 4, const Bytes& sps = kSps) {
  return hex("01 64 00 1f") + number(0xFC | static_cast<unsigned>(length_size - 1), 1) + hex("e1") +
         number(sps.size(), 2) + sps + hex("01") + number(kPps.size(), 2) + kPps;
}

// A slice whose bytes hold no start code.
Bytes unit(unsigned header, std::size_t size, unsigned seed = 0) {
  Bytes out = number(header, 1) + pattern(size, seed);
  for (std::byte& byte : out) byte |= std::byte{0x04};
  out[0] = static_cast<std::byte>(header);
  return out;
}
Bytes prefixed(const Bytes& nal_unit, int length_size = 4) {
  return number(nal_unit.size(), length_size) + nal_unit;
}

Packet avc_header(std::int64_t ms, const Bytes& config = avc_config()) {
  return test::video(ms, hex("17 00 000000") + config);
}
Packet avc_frame(std::int64_t ms, bool key, const Bytes& nal_unit, int length_size = 4, unsigned cts = 0) {
  return test::video(ms, hex(key ? "17 01" : "27 01") + number(cts, 3) + prefixed(nal_unit, length_size));
}
Packet aac_header(const Bytes& config = hex("12 10")) {
  return test::audio(0, hex("af 00") + config);
}
Packet aac_frame(std::int64_t ms, const Bytes& data) {
  return test::audio(ms, hex("af 01") + data);
}

std::vector<Bytes> units_of(std::span<const std::byte> annex_b) {
  std::vector<nal::Unit> units;
  nal::split_annex_b(annex_b, units);
  std::vector<Bytes> out;
  out.reserve(units.size());
  for (const nal::Unit one : units) out.emplace_back(one.begin(), one.end());
  return out;
}

struct FlvToTsTest : testing::Test {
  // As the stream does for a batch of one.
  void push(const Packet& packet, bool flush = true) {
    repackager.push(packet, out);
    if (flush) repackager.flush(out);
  }

  // Looks at all that has come out so far, and checks what holds of every stream.
  test::TsParser& parse() {
    for (; parsed < out.size(); ++parsed) {
      const Packet& packet = out[parsed];
      EXPECT_EQ(packet.role, PacketRole::frame);
      EXPECT_EQ(packet.payload.size() % 188, 0U);
      EXPECT_LE(packet.payload.size(), 1316U);
      EXPECT_GT(packet.payload.size(), 0U);
      EXPECT_EQ(packet.dts, packet.pts);
      EXPECT_EQ(packet.sync_offset, 0);
      const auto first = ts.packets.size();
      ts.push(packet.payload.bytes());
      unsigned begun = 0;
      const unsigned counted = packet.kind == MediaKind::video ? kVideoPid : kAudioPid;
      for (auto i = first; i < ts.packets.size(); ++i) {
        const auto& [pid, starts] = std::pair(ts.packets[i].pid, ts.packets[i].starts_unit);
        const bool media = pid >= kVideoPid && pid < mpegts::Muxer::kTablesPid;
        begun += media && starts && pid % 2 == counted % 2 ? 1 : 0;
      }
      EXPECT_EQ(packet.frames, begun);
      if (packet.keyframe) {
        EXPECT_EQ(ts.packets[first].pid, 0U);
        EXPECT_EQ(ts.packets[first + 1].pid, mpegts::Muxer::kTablesPid);
        EXPECT_EQ(ts.packets[first + 2].pid, kVideoPid);
        EXPECT_TRUE(ts.packets[first + 2].starts_unit && ts.packets[first + 2].random_access);
      }
    }
    EXPECT_EQ(ts.broken_continuity, 0);
    for (const auto& pes : ts.pes) {
      if (pes.pcr) {
        EXPECT_EQ((pes.dts - *pes.pcr / 300) & kWireMask, Time{mpegts::Muxer::kDecoderLead}.count());
      }
    }
    return ts;
  }
  auto keyframes() const {
    return std::ranges::count_if(out, [](const Packet& packet) { return packet.keyframe; });
  }
  test::TsParser& finish() {
    parse().finish();
    return ts;
  }

  FlvToTs repackager;
  std::vector<Packet> out;
  std::size_t parsed = 0;
  test::TsParser ts;
};

// What a file holds, against what came out.
struct FileTest : FlvToTsTest {
  void run(const std::string& name) {
    for (const Packet& packet : test::flv_file(name)) {
      push(packet);
      if (packet.role != PacketRole::frame) continue;
      (packet.kind == MediaKind::video ? video : audio).push_back(packet);
    }
    finish();
    EXPECT_EQ(repackager.malformed(), 0U);
    EXPECT_EQ(repackager.left_out(), "");
  }
  void expect_times(const std::vector<test::Pes>& pes, const std::vector<Packet>& packets) {
    ASSERT_EQ(pes.size(), packets.size());
    for (std::size_t i = 0; i < pes.size(); ++i) {
      EXPECT_EQ(pes[i].dts, packets[i].dts.count() + kStart);
      EXPECT_EQ(pes[i].pts, packets[i].pts.count() + kStart);
    }
  }
  std::vector<Packet> video;
  std::vector<Packet> audio;
  std::size_t pushed_video = 0;
  std::size_t pushed_audio = 0;
};

TEST_F(FileTest, H264AndAacComeThroughBitExact) {
  run("flv/h264_aac.flv");
  const auto pictures = ts.of(kVideoPid);
  expect_times(pictures, video);
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    std::vector<nal::Unit> sent;
    ASSERT_TRUE(nal::split_length_prefixed(video[i].payload.bytes().subspan(5), 4, sent));
    auto got = units_of(pictures[i].data);
    EXPECT_EQ(got.front(), kDelimiter);
    got.erase(got.begin());
    EXPECT_EQ(pictures[i].random_access, video[i].keyframe);
    if (video[i].keyframe) {
      EXPECT_EQ(got[0][0], std::byte{0x67});
      EXPECT_EQ(got[1][0], std::byte{0x68});
      got.erase(got.begin(), got.begin() + 2);
    }
    ASSERT_EQ(got.size(), sent.size());
    for (std::size_t u = 0; u < sent.size(); ++u) EXPECT_TRUE(std::ranges::equal(got[u], sent[u]));
  }
  const auto sound = ts.of(kAudioPid);
  expect_times(sound, audio);
  for (std::size_t i = 0; i < sound.size(); ++i) {
    const auto raw = audio[i].payload.bytes().subspan(2);
    EXPECT_TRUE(std::ranges::equal(std::span(sound[i].data).subspan(7), raw)) << "behind the ADTS header";
  }
  EXPECT_EQ(ts.version, 0U) << "both tracks in the first tables";
  EXPECT_EQ(keyframes(), 3);
  EXPECT_TRUE(out.front().keyframe);
  for (const Packet& packet : out) EXPECT_EQ(packet.kind, MediaKind::video);
}

TEST_F(FileTest, TablesAreNeverFarAway) {
  run("flv/h264_aac.flv");
  Time last{};
  for (const Packet& packet : out) {
    test::TsParser one;
    one.push(packet.payload.bytes());
    if (std::ranges::none_of(one.packets, [](const auto& each) { return each.pid == 0; })) continue;
    EXPECT_LE(packet.dts - last, 100ms);
    last = packet.dts;
  }
  EXPECT_GT(last, 2800ms);
}

TEST_F(FileTest, Mp3AloneIsCountedAndMarkedAsAudio) {
  run("flv/mp3.flv");
  const auto sound = ts.of(kAudioPid);
  expect_times(sound, audio);
  for (std::size_t i = 0; i < sound.size(); ++i) {
    EXPECT_TRUE(std::ranges::equal(sound[i].data, audio[i].payload.bytes().subspan(1)));
  }
  EXPECT_EQ(ts.streams, (std::map<unsigned, unsigned>{{kAudioPid, 0x04U}})) << "22050 Hz: MPEG-2";
  EXPECT_EQ(ts.clock_pid, kAudioPid);
  EXPECT_EQ(ts.version, 0U);
  for (const Packet& packet : out) EXPECT_EQ(packet.kind, MediaKind::audio);
}

// The stream starts an output with headers, a keyframe and then the rest.
TEST_F(FileTest, StartSequenceInOneBatchLosesNothing) {
  for (const Packet& packet : test::flv_file("flv/h264_aac.flv")) {
    repackager.push(packet, out);
    if (packet.role == PacketRole::frame) ++(packet.kind == MediaKind::video ? pushed_video : pushed_audio);
  }
  repackager.flush(out);
  finish();
  EXPECT_EQ(ts.of(kVideoPid).size(), 75U);
  EXPECT_EQ(ts.of(kVideoPid).size(), pushed_video);
  EXPECT_EQ(ts.of(kAudioPid).size(), pushed_audio);
}

// H.265 in both FLV forms: the Annex B fixture is cut at its delimiters.
struct H265Test : FlvToTsTest {
  void SetUp() override {
    std::vector<std::vector<Bytes>> pictures;
    for (const Bytes& one : units_of(bytes)) {
      const auto kind = nal::kind_of(nal::Codec::h265, one);
      if (kind == nal::Kind::delimiter) pictures.emplace_back();
      pictures.back().push_back(one);
      if (kind == nal::Kind::vps) vps = one;
      if (kind == nal::Kind::sps) sps = one;
      if (kind == nal::Kind::pps) pps = one;
    }
    const auto array = [](unsigned type, const Bytes& set) {
      return number(type, 1) + hex("00 01") + number(set.size(), 2) + set;
    };
    config = hex("01") + Bytes(20) + hex("03 03") + array(32, vps) + array(33, sps) + array(34, pps);
    // As an encoder with global headers does: sets and delimiters are left to the configuration.
    for (const auto& picture : pictures) {
      frames.emplace_back();
      for (const Bytes& one : picture) {
        const auto kind = nal::kind_of(nal::Codec::h265, one);
        if (kind == nal::Kind::other || kind == nal::Kind::slice || kind == nal::Kind::random_access) {
          frames.back().push_back(one);
        }
      }
    }
  }
  bool is_key(std::size_t i) const {
    return std::ranges::any_of(frames[i], [](const Bytes& one) {
      return nal::kind_of(nal::Codec::h265, one) == nal::Kind::random_access;
    });
  }
  Bytes body(std::size_t i) const {
    Bytes out_bytes;
    for (const Bytes& one : frames[i]) out_bytes = std::move(out_bytes) + prefixed(one);
    return out_bytes;
  }
  void expect_all() {
    finish();
    EXPECT_EQ(ts.streams, (std::map<unsigned, unsigned>{{kVideoPid, 0x24U}}));
    const auto got = ts.of(kVideoPid);
    ASSERT_EQ(got.size(), frames.size());
    for (std::size_t i = 0; i < got.size(); ++i) {
      std::vector<Bytes> expected{hex("46 01 50")};
      if (is_key(i)) expected.insert(expected.end(), {vps, sps, pps});
      expected.insert(expected.end(), frames[i].begin(), frames[i].end());
      EXPECT_EQ(units_of(got[i].data), expected);
    }
    EXPECT_EQ(keyframes(), 2);
  }

  const Bytes bytes = test::file("flv/h265.bin");
  Bytes vps, sps, pps, config;
  std::vector<std::vector<Bytes>> frames;
};

TEST_F(H265Test, EnhancedWithAndWithoutCompositionTime) {
  push(test::video(0, hex("90 'hvc1'") + config));
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const bool key = is_key(i);
    const auto head = i % 2 == 0 ? hex(key ? "91 'hvc1' 000028" : "a1 'hvc1' 000028")
                                 : hex(key ? "93 'hvc1'" : "a3 'hvc1'");
    push(test::video(static_cast<std::int64_t>(i) * 40, head + body(i)));
  }
  expect_all();
  EXPECT_EQ(ts.of(kVideoPid)[2].pts - ts.of(kVideoPid)[2].dts, 40 * 90);
  EXPECT_EQ(ts.of(kVideoPid)[3].pts, ts.of(kVideoPid)[3].dts);
}

TEST_F(H265Test, LegacyCodecId12) {
  push(test::video(0, hex("1c 00 000000") + config));
  for (std::size_t i = 0; i < frames.size(); ++i) {
    push(test::video(static_cast<std::int64_t>(i) * 40,
                     hex(is_key(i) ? "1c 01 000000" : "2c 01 000000") + body(i)));
  }
  expect_all();
}

TEST_F(FlvToTsTest, EnhancedAvcAndAllLengthSizes) {
  for (const int size : {1, 2, 3, 4}) {
    FlvToTs one;
    std::vector<Packet> made;
    const Bytes idr = unit(0x65, 200), slice = unit(0x41, 150);
    one.push(test::video(0, hex("90 'avc1'") + avc_config(size)), made);
    one.push(test::video(0, hex("91 'avc1' 000000") + prefixed(idr, size)), made);
    one.push(test::video(20, hex("a3 'avc1'") + prefixed(slice, size)), made);
    test::TsParser parser;
    for (const Packet& packet : made) parser.push(packet.payload.bytes());
    parser.finish();
    ASSERT_EQ(parser.pes.size(), 2U);
    EXPECT_EQ(units_of(parser.pes[0].data), (std::vector<Bytes>{kDelimiter, kSps, kPps, idr}));
    EXPECT_EQ(units_of(parser.pes[1].data), (std::vector<Bytes>{kDelimiter, slice}));
  }
}

TEST_F(FlvToTsTest, AChangedHeaderTakesEffectAtTheKeyframeInTheSameProgram) {
  const Bytes other = hex("67 64 00 20 ac");
  push(avc_header(0));
  push(avc_frame(0, true, unit(0x65, 5000)));
  push(avc_frame(20, false, unit(0x41, 3000)));
  push(avc_header(40, avc_config(2, other)));
  push(avc_frame(40, true, unit(0x65, 5000), 2));
  push(avc_frame(60, false, unit(0x41, 3000), 2));
  finish();
  EXPECT_EQ(ts.version, 0U);
  EXPECT_EQ(ts.marked_discontinuities, 0);
  ASSERT_EQ(ts.pes.size(), 4U);
  EXPECT_EQ(units_of(ts.pes[0].data)[1], kSps);
  EXPECT_EQ(units_of(ts.pes[2].data)[1], other);
}

TEST_F(FlvToTsTest, VideoAloneLeavesAtOnce) {
  push(avc_header(0));
  for (int i = 0; i < 60; ++i) {
    const auto before = out.size();
    push(avc_frame(i * 40, i % 25 == 0, unit(i % 25 == 0 ? 0x65 : 0x41, 400)), false);
    EXPECT_GT(out.size(), before);
    EXPECT_EQ(out.back().dts, std::chrono::milliseconds{i * 40});
  }
  finish();
  EXPECT_EQ(ts.of(kVideoPid).size(), 60U);
  EXPECT_EQ(ts.streams, (std::map<unsigned, unsigned>{{kVideoPid, 0x1BU}}));
}

TEST_F(FlvToTsTest, FramesBeforeTheFirstKeyframeAreLeftOut) {
  push(avc_header(0));
  push(avc_frame(0, false, unit(0x41, 400)));
  EXPECT_TRUE(out.empty());
  push(avc_frame(40, true, unit(0x65, 400)));
  EXPECT_EQ(finish().pes.size(), 1U);
  EXPECT_EQ(repackager.malformed(), 0U);
}

TEST_F(FlvToTsTest, AudioAheadOfTheFirstKeyframeComesBehindIt) {
  push(avc_header(0));
  push(aac_header());
  push(aac_frame(0, pattern(200, 1)));
  push(aac_frame(21, pattern(200, 2)));
  EXPECT_TRUE(out.empty());
  push(avc_frame(5, true, unit(0x65, 400)));
  push(avc_frame(45, false, unit(0x41, 400)));
  finish();
  EXPECT_TRUE(out.front().keyframe);
  EXPECT_EQ(ts.of(kAudioPid).size(), 2U);
  EXPECT_EQ(ts.version, 0U);
}

TEST_F(FlvToTsTest, AudioDoesNotWaitForeverForAnnouncedVideo) {
  push(avc_header(0));
  push(aac_header());
  for (int i = 0; i <= 50; ++i) push(aac_frame(i * 21, pattern(200)));
  parse();
  EXPECT_EQ(ts.of(kAudioPid).size() + 1, 51U);
  EXPECT_EQ(ts.streams.size(), 1U);
  push(avc_frame(1100, true, unit(0x65, 400)));
  finish();
  EXPECT_EQ(ts.streams.size(), 2U);
  EXPECT_EQ(ts.version, 1U);
  EXPECT_EQ(ts.clock_pid, kVideoPid);
}

TEST_F(FlvToTsTest, LateAudioBringsNewTables) {
  push(avc_header(0));
  for (int i = 0; i < 5; ++i) push(avc_frame(i * 40, i == 0, unit(i == 0 ? 0x65 : 0x41, 400)));
  push(aac_header());
  push(aac_frame(170, pattern(200)));
  push(avc_frame(200, false, unit(0x41, 400)));
  push(avc_frame(240, true, unit(0x65, 400)));
  finish();
  EXPECT_EQ(ts.version, 1U);
  EXPECT_EQ(ts.streams, (std::map<unsigned, unsigned>{{kVideoPid, 0x1BU}, {kAudioPid, 0x0FU}}));
  EXPECT_EQ(ts.of(kVideoPid).size(), 7U);
  EXPECT_EQ(ts.of(kAudioPid).size(), 1U);
}

TEST_F(FlvToTsTest, AnotherAudioConfigurationBringsNewTables) {
  push(aac_header());
  push(aac_frame(0, pattern(200)));
  push(aac_header());
  push(aac_frame(21, pattern(200)));
  EXPECT_EQ(finish().version, 0U) << "the same header again";
  push(aac_header(hex("11 90")));
  push(aac_frame(42, pattern(200)));
  EXPECT_EQ(finish().version, 1U);
  EXPECT_EQ(ts.of(kAudioPid).size(), 3U);
  EXPECT_EQ(ts.of(kAudioPid)[2].data[2], std::byte{0x4C}) << "LC, 48 kHz";
}

TEST_F(FlvToTsTest, LateVideoTurnsAnAudioStreamIntoAVideoStream) {
  push(aac_header());
  push(aac_frame(0, pattern(200)));
  push(aac_frame(21, pattern(200)));
  EXPECT_EQ(out.back().kind, MediaKind::audio);
  EXPECT_EQ(out.back().frames, 1);
  push(avc_header(40));
  push(avc_frame(40, true, unit(0x65, 400)));
  EXPECT_EQ(out.back().kind, MediaKind::video);
  EXPECT_TRUE(out.back().keyframe);
  push(aac_frame(42, pattern(200)));
  push(avc_frame(80, false, unit(0x41, 400)));
  finish();
  EXPECT_EQ(ts.version, 1U);
  EXPECT_EQ(ts.of(kAudioPid).size(), 3U);
}

TEST_F(FlvToTsTest, AudioRidesWithTheNextVideo) {
  push(avc_header(0));
  push(aac_header());
  push(avc_frame(0, true, unit(0x65, 400)));
  const auto before = out.size();
  push(aac_frame(5, pattern(200)));
  EXPECT_EQ(out.size(), before) << "waits";
  push(avc_frame(16, false, unit(0x41, 400)));
  ASSERT_EQ(out.size(), before + 1);
  EXPECT_EQ(out.back().dts, 5ms);
  EXPECT_EQ(out.back().frames, 1);
}

TEST_F(FlvToTsTest, AudioWaitsNoLongerThanItMay) {
  push(avc_header(0));
  push(aac_header());
  push(avc_frame(0, true, unit(0x65, 400)));
  auto before = out.size();
  push(aac_frame(2, pattern(200)));
  EXPECT_EQ(out.size(), before);
  push(aac_frame(23, pattern(200)));
  EXPECT_EQ(out.size(), before + 1);
  // The video has stopped: each leaves by itself.
  for (int i = 1; i <= 50; ++i) {
    before = out.size();
    push(aac_frame(100 + i * 21, pattern(200)));
    EXPECT_EQ(out.size(), before + 1);
  }
  EXPECT_EQ(finish().of(kAudioPid).size(), 52U);
}

TEST_F(FlvToTsTest, AudioOnlyFillsDatagramsWithinABatch) {
  push(aac_header());
  for (int i = 0; i < 7; ++i) push(aac_frame(i * 21, pattern(150)), false);
  EXPECT_FALSE(out.empty());
  EXPECT_EQ(out.front().payload.size(), 1316U);
  repackager.flush(out);
  EXPECT_EQ(finish().of(kAudioPid).size(), 7U);
}

TEST_F(FlvToTsTest, ANewPublisherWithTheSameTracksRunsOn) {
  for (int publisher = 0; publisher < 3; ++publisher) {
    repackager.begin_publisher();
    const int start = publisher * 1000;
    push(avc_header(start));
    push(aac_header());
    push(avc_frame(start, false, unit(0x41, 400)));  // nothing to decode it from
    push(avc_frame(start, true, unit(0x65, 400)));
    push(aac_frame(start + 5, pattern(200)));
    push(avc_frame(start + 40, false, unit(0x41, 400)));
  }
  finish();
  EXPECT_EQ(ts.version, 0U);
  EXPECT_EQ(ts.marked_discontinuities, 0);
  EXPECT_EQ(ts.of(kVideoPid).size(), 6U);
  EXPECT_EQ(ts.of(kAudioPid).size(), 3U);
}

TEST_F(FlvToTsTest, ANewPublisherWithoutVideoTakesItOutOfTheTables) {
  push(avc_header(0));
  push(aac_header());
  push(avc_frame(0, true, unit(0x65, 400)));
  repackager.begin_publisher();
  push(aac_header());
  push(aac_frame(1000, pattern(200)));
  finish();
  EXPECT_EQ(ts.streams, (std::map<unsigned, unsigned>{{kAudioPid, 0x0FU}}));
  EXPECT_EQ(ts.clock_pid, kAudioPid);
  EXPECT_EQ(out.back().kind, MediaKind::audio);
}

TEST_F(FlvToTsTest, CodecOfATrackMayChange) {
  push(avc_header(0));
  push(avc_frame(0, true, unit(0x65, 400)));
  push(test::video(40, hex("90 'hvc1' 01") + Bytes(20) + hex("03 00")));
  push(test::video(40, hex("a3 'hvc1'") + prefixed(hex("02 01 d0"))));
  push(test::video(80, hex("93 'hvc1'") + prefixed(hex("26 01 af"))));
  finish();
  EXPECT_EQ(ts.streams, (std::map<unsigned, unsigned>{{kVideoPid, 0x24U}}));
  EXPECT_EQ(ts.version, 1U);
  EXPECT_EQ(ts.of(kVideoPid).size(), 2U);
}

TEST_F(FlvToTsTest, EnhancedAudioCodecs) {
  const Bytes opus_head = hex("'OpusHead' 01 02 3801 80bb0000 0000 00");
  push(test::audio(0, hex("90 'Opus'") + opus_head));
  push(test::audio(0, hex("91 'Opus'") + pattern(300, 1)));
  push(test::audio(20, hex("95 01 'ac-3' 01") + pattern(700, 2)));
  push(test::audio(20, hex("95 01 'ec-3' 02") + pattern(700, 3)));
  push(test::audio(20, hex("95 01 'mp4a' 03") + hex("ff")));
  finish();
  EXPECT_EQ(ts.streams, (std::map<unsigned, unsigned>{{0x101, 0x06U}, {0x103, 0x81U}, {0x105, 0x87U}}));
  const auto opus = ts.of(0x101).at(0).data;
  EXPECT_EQ(opus, hex("7f e0 ff 2d") + pattern(300, 1)) << "behind a control header";
  EXPECT_EQ(ts.of(0x103).at(0).data, pattern(700, 2));
  EXPECT_EQ(ts.of(0x105).at(0).data, pattern(700, 3));
  EXPECT_EQ(repackager.malformed(), 1U) << "AAC without a header";
}

TEST_F(FlvToTsTest, FurtherTracksGetPidsOfTheirOwn) {
  push(avc_header(0));
  push(aac_header());
  push(test::video(0, hex("96 00 'avc1' 01") + avc_config()));
  push(test::audio(0, hex("95 00 'mp4a' 01 11 90")));
  push(avc_frame(0, true, unit(0x65, 400)));
  push(test::video(1, hex("96 01 'avc1' 01 000000") + prefixed(unit(0x65, 300))));
  push(aac_frame(2, pattern(200, 1)));
  push(test::audio(3, hex("95 01 'mp4a' 01") + pattern(200, 2)));
  push(avc_frame(40, false, unit(0x41, 400)));
  finish();
  EXPECT_EQ(ts.version, 0U);
  EXPECT_EQ(ts.streams.size(), 4U);
  for (const auto& [pid, type] : ts.streams) EXPECT_FALSE(ts.of(pid).empty()) << pid;
  EXPECT_EQ(ts.clock_pid, kVideoPid);
  EXPECT_EQ(keyframes(), 1) << "those of the first track";
}

TEST_F(FlvToTsTest, NamesWhatItLeavesOut) {
  push(test::video(0, hex("90 'av01' 81 00 0c 00")));
  push(test::video(0, hex("91 'av01'") + pattern(100)));
  push(aac_header());
  push(aac_frame(0, pattern(200)));
  EXPECT_EQ(repackager.left_out(), "not carried over SRT: AV1 video");
  EXPECT_EQ(finish().of(kAudioPid).size(), 1U) << "the rest is carried";
  push(test::audio(20, hex("b2 00")));
  EXPECT_EQ(repackager.left_out(), "not carried over SRT: AV1 video, Speex audio");
  push(test::audio(20, hex("96 10 'mp4a'")));
  repackager.begin_publisher();
  EXPECT_EQ(repackager.left_out(), "");
  push(aac_header(hex("f9 48")));
  push(aac_frame(2000, pattern(200)));
  EXPECT_EQ(repackager.left_out(), "not carried over SRT: AAC audio of this profile");
  EXPECT_EQ(repackager.malformed(), 0U);
}

TEST_F(FlvToTsTest, TracksThatShareAMessageAreLeftOut) {
  push(test::video(0, hex("96 11 'avc1' 00 000001 00 01 000001 00")));
  EXPECT_EQ(repackager.left_out(), "not carried over SRT: tracks that share a message");
}

TEST_F(FlvToTsTest, TracksAreLimited) {
  for (unsigned track = 0; track < 20; ++track) {
    push(test::audio(0, hex("95 01 'ac-3'") + number(track, 1) + pattern(100)));
  }
  EXPECT_EQ(finish().streams.size(), FlvToTs::kMaxTracks);
  EXPECT_EQ(repackager.left_out(), "not carried over SRT: more than 16 tracks");
}

TEST_F(FlvToTsTest, NegativeCompositionTimesMoveTheDecodingTimes) {
  push(avc_header(0));
  const int cts[] = {0, 80, -40, 0, 80, -40, 0};
  for (int i = 0; i < 7; ++i) {
    push(avc_frame(i * 40, i == 0, unit(i == 0 ? 0x65 : 0x41, 400), 4,
                   static_cast<unsigned>(cts[i]) & 0xFFFFFF));
  }
  finish();
  const auto pes = ts.of(kVideoPid);
  ASSERT_EQ(pes.size(), 7U);
  for (std::size_t i = 0; i < 7; ++i) {
    EXPECT_GE(pes[i].pts, pes[i].dts);
    if (i > 0) {
      EXPECT_GT(pes[i].dts, pes[i - 1].dts);
    }
    if (i != 2) {
      EXPECT_EQ(pes[i].pts, kStart + (static_cast<std::int64_t>(i) * 40 + cts[i]) * 90);
    }
  }
}

TEST_F(FlvToTsTest, RunsAcrossTheWrapOfTheWire) {
  const std::int64_t start = (std::int64_t{1} << 33) / 90 - 1000 - 500;
  push(avc_header(start));
  push(aac_header());
  for (int i = 0; i < 60; ++i) {
    push(avc_frame(start + i * 20, i % 30 == 0, unit(i % 30 == 0 ? 0x65 : 0x41, 2000)));
    push(aac_frame(start + i * 20, pattern(200)));
  }
  repackager.flush(out);
  finish();
  EXPECT_EQ(ts.of(kVideoPid).size(), 60U);
  EXPECT_GE(ts.of(kAudioPid).size(), 59U);
  EXPECT_LT(ts.of(kVideoPid).back().dts, 90'000) << "begun again";
}

TEST_F(FlvToTsTest, HostileBodiesAreCountedAndLeftOut) {
  push(avc_header(0));
  push(avc_frame(0, true, unit(0x65, 400)));
  const auto before = repackager.malformed();
  push(test::video(10, hex("27 01 000000 ffffffff 41")));  // a length beyond the end
  push(test::video(20, hex("27 01 000000 00000000")));     // nothing in it
  push(test::video(30, hex("27 01 000000")));
  push(test::video(40, hex("17 00 000000 01 64")));            // half a configuration
  push(test::video(50, hex("91 'hvc1' 000000 00000001 26")));  // a codec without header
  push(test::audio(60, hex("2e 00 00 00 00")));                // MP3 without sync
  push(test::audio(70, hex("91 'ac-3'") + Bytes(FlvToTs::kMaxAudioFrame + 1)));
  push(test::audio(80, hex("af 00")));
  EXPECT_EQ(repackager.malformed(), before + 8);
  Packet truncated;
  truncated.kind = MediaKind::video;
  truncated.payload = media::Payload::copy_of(hex("17"));
  push(truncated);
  EXPECT_EQ(repackager.malformed(), before + 9);
  push(avc_frame(100, false, unit(0x41, 400)));
  EXPECT_EQ(finish().of(kVideoPid).size(), 2U) << "the stream goes on";
}

TEST_F(FlvToTsTest, WhatIsNotMediaIsIgnored) {
  Packet metadata;
  metadata.role = PacketRole::metadata;
  metadata.payload = media::Payload::copy_of(hex("02 00 0a 'onMetaData'"));
  push(metadata);
  Packet data;
  data.payload = media::Payload::copy_of(hex("02 00 0a 'onTextData'"));
  push(data);
  push(test::audio(0, {}));
  push(test::video(0, hex("52 00")));                                     // command
  push(test::video(0, hex("94 'hvc1' 02 00 09 'colorInfo' 03 000009")));  // colour information
  EXPECT_TRUE(out.empty());
  EXPECT_EQ(repackager.malformed(), 0U);
  EXPECT_EQ(repackager.left_out(), "");
}

}  // namespace
}  // namespace simulcast::repackage
