#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocol/flv/codec_config.hpp"
#include "protocol/flv/script_data.hpp"
#include "protocol/flv/tag_body.hpp"
#include "protocol/mpegts/scanner.hpp"
#include "repackage/ts_to_flv.hpp"
#include "tests/unit/protocol/bytes.hpp"
#include "tests/unit/protocol/ts_writer.hpp"

extern "C" {
#include <libavutil/log.h>
}

namespace simulcast::repackage {
namespace {

using media::MediaKind;
using media::Packet;
using media::PacketRole;
using media::Time;
using std::chrono::milliseconds;
using test::annex_b;
using test::ByteVector;
using test::hex;
using test::read_fixture;
using test::TsWriter;
using test::operator+;  // NOLINT(misc-unused-using-decls): not seen in expressions
using testing::ElementsAreArray;

constexpr unsigned kPmt = 0x1000;
constexpr unsigned kVideo = 0x100;
constexpr unsigned kAudio = 0x101;
constexpr std::int64_t kWrap = std::int64_t{1} << 33;

std::int64_t ms(Time time) {
  return std::chrono::duration_cast<milliseconds>(time).count();
}

// One tag of an FLV file as ffmpeg wrote it.
struct Tag {
  unsigned type;
  std::int64_t time;
  ByteVector body;
};
std::vector<Tag> read_flv(const std::string& name) {
  const auto file = read_fixture(name);
  std::vector<Tag> tags;
  for (std::size_t at = 13; at + 15 <= file.size();) {
    const std::size_t size = load_u24(&file[at + 1]);
    const auto body = file.begin() + static_cast<std::ptrdiff_t>(at + 11);
    tags.push_back({load_u8(&file[at]),
                    load_u24(&file[at + 4]) | load_u8(&file[at + 7]) << 24,
                    {body, body + static_cast<std::ptrdiff_t>(size)}});
    at += 11 + size + 4;
  }
  return tags;
}

// ffmpeg keeps the access unit delimiters of the transport stream.
ByteVector without_delimiters(const ByteVector& body) {
  std::vector<nal::Unit> units;
  EXPECT_TRUE(nal::split_length_prefixed(std::span(body).subspan(5), 4, units));
  ByteVector out(body.begin(), body.begin() + 5);
  for (const nal::Unit unit : units) {
    if (nal::kind_of(nal::Codec::h264, unit) == nal::Kind::delimiter) continue;
    append(out, unit.size(), 4);
    out.insert(out.end(), unit.begin(), unit.end());
  }
  return out;
}

class TsToFlvTest : public testing::Test {
 protected:
  TsToFlvTest() { av_log_set_level(AV_LOG_QUIET); }

  void push(std::span<const std::byte> packets) {
    Packet packet;
    packet.payload = media::Payload::copy_of(packets);
    flv.push(packet, out);
    flv.flush(out);
  }
  void push_file(const std::string& name, std::size_t packets = 7) {
    const auto ts = read_fixture(name);
    ASSERT_FALSE(ts.empty());
    for (std::size_t at = 0; at < ts.size(); at += packets * 188) {
      push(std::span(ts).subspan(at, std::min(packets * 188, ts.size() - at)));
    }
  }
  std::vector<Packet> only(MediaKind kind, PacketRole role = PacketRole::frame) const {
    std::vector<Packet> some;
    std::ranges::copy_if(out, std::back_inserter(some),
                         [=](const Packet& packet) { return packet.kind == kind && packet.role == role; });
    return some;
  }
  ByteVector tables(const std::vector<TsWriter::Stream>& streams, unsigned version = 0) {
    return writer.pat({{1, kPmt}}) + writer.pmt(kPmt, 1, streams, version);
  }

  TsWriter writer;
  TsToFlv flv;
  std::vector<Packet> out;
};

const ByteVector kKeyframe = annex_b({"\x09\xF0", "\x67\x4D\x40\x0C", "\x68\xEE", "\x65key"});
const ByteVector kOtherKeyframe = annex_b({"\x67\x4D\x40\x0D", "\x68\xEE", "\x65key"});
const ByteVector kInter = annex_b({"\x09\xF0", "\x06\x05\x01", "\x41inter"});

TEST_F(TsToFlvTest, GivesWhatFfmpegGives) {
  push_file("h264_aac.ts");
  const auto tags = read_flv("h264_aac.flv");
  std::vector<const Tag*> video;
  std::vector<const Tag*> audio;
  for (const Tag& tag : tags) {
    if (tag.type == 9 && tag.body[1] == std::byte{1}) video.push_back(&tag);
    if (tag.type == 8 && tag.body[1] == std::byte{1}) audio.push_back(&tag);
    if (tag.type == 9 && tag.body[1] == std::byte{0}) {
      const auto headers = only(MediaKind::video, PacketRole::codec_header);
      ASSERT_EQ(headers.size(), 1);
      EXPECT_THAT(headers[0].payload.bytes(), ElementsAreArray(tag.body));
    }
    if (tag.type == 8 && tag.body[1] == std::byte{0} && tag.body.size() > 2) {
      const auto headers = only(MediaKind::audio, PacketRole::codec_header);
      ASSERT_EQ(headers.size(), 1);
      EXPECT_THAT(headers[0].payload.bytes(), ElementsAreArray(std::span(tag.body).first(4)));
    }
  }
  // The last frame of the file has no end.
  const auto frames = only(MediaKind::video);
  ASSERT_EQ(video.size(), 60);
  ASSERT_EQ(frames.size(), 59);
  for (std::size_t i = 0; i < frames.size(); ++i) {
    EXPECT_THAT(frames[i].payload.bytes(), ElementsAreArray(without_delimiters(video[i]->body))) << i;
    EXPECT_EQ(ms(frames[i].dts - frames[0].dts), video[i]->time - video[0]->time) << i;
    EXPECT_EQ(frames[i].keyframe, i % 25 == 0) << i;
    EXPECT_EQ(ms(frames[i].pts - frames[i].dts),
              flv::parse_video(frames[i].payload.bytes())->composition_offset);
  }
  const auto sound = only(MediaKind::audio);
  ASSERT_GE(sound.size() + 12, audio.size());
  for (std::size_t i = 0; i < sound.size(); ++i) {
    EXPECT_THAT(sound[i].payload.bytes(), ElementsAreArray(audio[i]->body)) << i;
    // Cut, not rounded; and the same offset to the video.
    EXPECT_NEAR(static_cast<double>(ms(sound[i].dts - frames[0].dts)),
                static_cast<double>(audio[i]->time - video[0]->time), 1.0)
        << i;
  }
  EXPECT_EQ(flv.left_out(), "");
  EXPECT_EQ(flv.broken(), 0);
}

TEST_F(TsToFlvTest, GivesTheSameWhateverTheChunks) {
  push_file("h264_aac.ts", 1);
  const auto single = std::exchange(out, {});
  for (const std::size_t packets : {2, 3, 4, 5, 6, 7, 1000}) {
    flv.begin_publisher();
    push_file("h264_aac.ts", packets);
    ASSERT_EQ(out.size(), single.size());
    for (std::size_t i = 0; i < out.size(); ++i) {
      EXPECT_EQ(out[i].dts, single[i].dts);
      EXPECT_TRUE(std::ranges::equal(out[i].payload.bytes(), single[i].payload.bytes()));
    }
    out.clear();
  }
}

TEST_F(TsToFlvTest, DescribesTheStream) {
  push_file("h264_aac.ts");
  const auto described = only(MediaKind::data, PacketRole::metadata);
  ASSERT_GE(described.size(), 1);
  EXPECT_EQ(out[0].kind == MediaKind::audio || out[0].role == PacketRole::metadata, true);
  const auto body = described.back().payload.bytes();
  EXPECT_TRUE(flv::data_kind(body).has_set_data_frame);
  const auto metadata = flv::parse_metadata(body);
  ASSERT_TRUE(metadata.has_value());
  EXPECT_EQ(metadata->width, 320);
  EXPECT_EQ(metadata->height, 180);
  EXPECT_EQ(metadata->video_codec, 7);
  EXPECT_EQ(metadata->audio_codec, 10);
}

TEST_F(TsToFlvTest, KeepsOnTheMillisecondGrid) {
  push_file("h264_aac.ts");
  for (const Packet& packet : out) {
    EXPECT_EQ(packet.dts.count() % 90, 0);
    EXPECT_EQ(packet.pts.count() % 90, 0);
    EXPECT_EQ(packet.frames, 1);
  }
}

TEST_F(TsToFlvTest, DoesNotDriftOnOddRates) {
  // 44.1 kHz from one time: 430 frames in ten PES packets without times.
  push(tables({{0x0F, kAudio}}));
  ByteVector frame = hex("ff f1 50 80 01 7f fc 21 10 04 60");
  ByteVector pes;
  for (int i = 0; i < 43; ++i) pes = pes + frame;
  for (int i = 0; i < 10; ++i) {
    push(writer.pes(kAudio, pes,
                    {.pts = i == 0 ? std::optional<std::int64_t>(9000) : std::nullopt,
                     .bounded = true,
                     .stream_id = 0xC0}));
  }
  const auto sound = only(MediaKind::audio);
  ASSERT_EQ(sound.size(), 430);
  for (std::int64_t i = 0; i < 430; ++i) {
    EXPECT_EQ(ms(sound[static_cast<std::size_t>(i)].dts), (9000 + i * 1024 * 90'000 / 44'100) / 90);
  }
}

TEST_F(TsToFlvTest, GoesOnThroughTheWrapOfTheClock) {
  push_file("wrap.ts");
  for (const MediaKind kind : {MediaKind::video, MediaKind::audio}) {
    const auto packets = only(kind);
    ASSERT_GT(packets.size(), 40);
    EXPECT_LT(packets.front().dts.count(), kWrap);
    EXPECT_GT(packets.back().dts.count(), kWrap);
    for (std::size_t i = 1; i < packets.size(); ++i) {
      const auto step = ms(packets[i].dts - packets[i - 1].dts);
      EXPECT_GE(step, kind == MediaKind::video ? 40 : 22) << i;
      EXPECT_LE(step, kind == MediaKind::video ? 40 : 24) << i;
    }
  }
  for (const Packet& frame : only(MediaKind::video)) {
    EXPECT_GE(frame.pts, frame.dts);
    EXPECT_LE(ms(frame.pts - frame.dts), 200);
  }
}

TEST_F(TsToFlvTest, CarriesH265) {
  push_file("h265.ts");
  const auto headers = only(MediaKind::video, PacketRole::codec_header);
  ASSERT_EQ(headers.size(), 1);
  const auto tag = flv::parse_video(headers[0].payload.bytes());
  EXPECT_EQ(tag->codec, flv::VideoCodec::hevc);
  EXPECT_TRUE(tag->is_header);
  EXPECT_THAT(headers[0].payload.bytes().subspan(tag->data_offset),
              ElementsAreArray(read_fixture("h265.hvcC")));
  const auto frames = only(MediaKind::video);
  EXPECT_EQ(frames.size(), 29);
  for (std::size_t i = 0; i < frames.size(); ++i) EXPECT_EQ(frames[i].keyframe, i == 0 || i == 13) << i;
  const auto metadata = flv::parse_metadata(only(MediaKind::data, PacketRole::metadata)[0].payload.bytes());
  EXPECT_EQ(metadata->video_codec, static_cast<std::uint32_t>(flv::VideoCodec::hevc));
  EXPECT_EQ(metadata->width, 320);
}

TEST_F(TsToFlvTest, TellsTheSamplingOfHighProfiles) {
  push_file("h264_444.ts");
  const auto headers = only(MediaKind::video, PacketRole::codec_header);
  ASSERT_EQ(headers.size(), 1);
  EXPECT_THAT(headers[0].payload.bytes().subspan(5), ElementsAreArray(read_fixture("h264_444.avcC")));
}

TEST_F(TsToFlvTest, CarriesMp3) {
  push_file("mp3.ts");
  const auto sound = only(MediaKind::audio);
  ASSERT_GE(sound.size(), 30);
  const auto tag = flv::parse_audio(sound[0].payload.bytes());
  EXPECT_EQ(tag->codec, flv::AudioCodec::mp3);
  const auto metadata = flv::parse_metadata(out[0].payload.bytes());
  EXPECT_EQ(metadata->audio_codec, 2);
}

TEST_F(TsToFlvTest, TakesTheFirstAudioThatFlvHasAPlaceFor) {
  push_file("three_audio.ts");
  EXPECT_EQ(flv.left_out(), "not carried over RTMP: MP2 audio, a second AAC track");
  const auto headers = only(MediaKind::audio, PacketRole::codec_header);
  ASSERT_EQ(headers.size(), 1);
  EXPECT_THAT(headers[0].payload.bytes(), ElementsAreArray(hex("af 00 11 88")));  // 48 kHz: the second
  EXPECT_GT(only(MediaKind::audio).size(), 20);
}

TEST_F(TsToFlvTest, NamesWhatIsLeftOut) {
  push(tables({{0x1B, kVideo},
               {0x0F, kAudio},
               {0x0F, 0x102},
               {0x86, 0x103},
               {0x06, 0x104, hex("05 04 'KLVA'")},
               {0x06, 0x105},
               {0x06, 0x106, hex("56 00")},
               {0x81, 0x107},
               {0x1B, 0x108}}));
  EXPECT_EQ(flv.left_out(),
            "not carried over RTMP: a second AAC track, SCTE-35 data, KLV data, private data, teletext, AC-3 "
            "audio, a second video track");
  push(writer.pes(0x105, ByteVector(500), {.stream_id = 0xBD}));
  push(writer.pes(0x105, ByteVector(500), {.stream_id = 0xBD}));
  EXPECT_THAT(out, testing::IsEmpty());
  push(tables({{0x1B, kVideo}}, 1));
  EXPECT_EQ(flv.left_out(), "");
  push(tables({{0x02, kVideo}, {0x11, kAudio}}, 2));
  EXPECT_EQ(flv.left_out(), "not carried over RTMP: MPEG-2 video, AAC audio in LATM");
}

TEST_F(TsToFlvTest, SendsAKeyframeWithTheFirstPacketOfTheNextFrame) {
  push(tables({{0x1B, kVideo}}));
  push(writer.pes(kVideo, kKeyframe + ByteVector(5000, std::byte{0x55}), {.pts = 0}));
  EXPECT_THAT(out, testing::IsEmpty());
  const auto next = writer.pes(kVideo, kInter + ByteVector(5000, std::byte{0x55}), {.pts = 3600});
  push(std::span(next).first(188));
  ASSERT_EQ(only(MediaKind::video).size(), 1);
  EXPECT_TRUE(out.back().keyframe);
  push(std::span(next).subspan(188));
  EXPECT_EQ(only(MediaKind::video).size(), 1);
  // With a length in its header a frame does not even wait for that.
  push(writer.pes(kVideo, kInter + ByteVector(5000, std::byte{0x55}), {.pts = 7200, .bounded = true}));
  EXPECT_EQ(only(MediaKind::video).size(), 3);
}

TEST_F(TsToFlvTest, BeginsWithTheFirstKeyframe) {
  push(tables({{0x1B, kVideo}, {0x0F, kAudio}}));
  push(writer.pes(kVideo, kInter, {.pts = 0}));
  push(writer.pes(kVideo, annex_b({"\x65no sets yet"}), {.pts = 3600}));
  push(writer.pes(kAudio, hex("ff f1 50 80 01 7f fc 21 10 04 60"), {.pts = 0, .bounded = true}));
  push(writer.pes(kVideo, kInter, {.pts = 7200}));
  push(writer.pes(kVideo, kKeyframe, {.pts = 10800}));
  push(writer.pes(kVideo, kInter, {.pts = 14400}));
  ASSERT_EQ(out.size(), 5);
  EXPECT_EQ(out[0].kind, MediaKind::audio);
  EXPECT_EQ(out[0].role, PacketRole::codec_header);
  EXPECT_EQ(out[1].kind, MediaKind::audio);
  EXPECT_EQ(out[2].role, PacketRole::metadata);
  EXPECT_EQ(out[3].role, PacketRole::codec_header);
  EXPECT_TRUE(out[4].keyframe);
  EXPECT_EQ(ms(out[4].dts), 120);
}

TEST_F(TsToFlvTest, DropsOnlyTheDelimiters) {
  push(tables({{0x1B, kVideo}}));
  push(writer.pes(kVideo, kKeyframe, {.pts = 0, .bounded = true}));
  push(writer.pes(kVideo, kInter, {.pts = 3600, .bounded = true}));
  const auto frames = only(MediaKind::video);
  ASSERT_EQ(frames.size(), 2);
  EXPECT_THAT(
      frames[0].payload.bytes(),
      ElementsAreArray(hex("17 01 00 00 00 00 00 00 04 67 4d 40 0c 00 00 00 02 68 ee 00 00 00 04 65 'key'")));
  EXPECT_THAT(frames[1].payload.bytes(),
              ElementsAreArray(hex("27 01 00 00 00 00 00 00 03 06 05 01 00 00 00 06 41 'inter'")));
}

TEST_F(TsToFlvTest, SendsAHeaderWhenTheParameterSetsChange) {
  push(tables({{0x1B, kVideo}}));
  const ByteVector sequence[] = {kKeyframe, kInter,         kKeyframe, kOtherKeyframe,
                                 kInter,    kOtherKeyframe, kInter};
  for (int i = 0; i < 7; ++i) push(writer.pes(kVideo, sequence[i], {.pts = i * 3600}));
  std::vector<int> kinds;  // 0 header, 1 keyframe, 2 other
  for (const Packet& packet : out) {
    if (packet.kind != MediaKind::video) continue;
    kinds.push_back(packet.role == PacketRole::codec_header ? 0 : packet.keyframe ? 1 : 2);
  }
  EXPECT_THAT(kinds, testing::ElementsAre(0, 1, 2, 1, 0, 1, 2, 1));
}

TEST_F(TsToFlvTest, ChangesThePictureInMidShow) {
  push_file("h264_aac.ts");
  push_file("h264_small.ts");
  const auto headers = only(MediaKind::video, PacketRole::codec_header);
  ASSERT_EQ(headers.size(), 2);
  const auto described = only(MediaKind::data, PacketRole::metadata);
  EXPECT_EQ(flv::parse_metadata(described.back().payload.bytes())->width, 192);
}

TEST_F(TsToFlvTest, TakesARecoveryPointForAKeyframe) {
  push(tables({{0x1B, kVideo}}));
  using namespace std::string_literals;
  push(writer.pes(kVideo, annex_b({"\x67\x4D\x40\x0C", "\x68\xEE", "\x06\x06\x01\xC4\x80", "\x41I picture"}),
                  {.pts = 0, .bounded = true}));
  ASSERT_EQ(only(MediaKind::video).size(), 1);
  EXPECT_TRUE(out.back().keyframe);
}

TEST_F(TsToFlvTest, RefusesAFrameOfNothingButStartCodes) {
  push(tables({{0x1B, kVideo}}));
  push(writer.pes(kVideo, kKeyframe, {.pts = 0, .bounded = true}));
  ByteVector codes;
  for (int i = 0; i < 100'000; ++i) append(codes, 0x00000141, 4);
  push(writer.pes(kVideo, codes, {.pts = 3600}));
  push(writer.pes(kVideo, kInter, {.pts = 7200}));
  EXPECT_EQ(only(MediaKind::video).size(), 1);
  EXPECT_EQ(flv.broken(), 1);
}

TEST_F(TsToFlvTest, CutsEachTimeByItself) {
  push(tables({{0x1B, kVideo}}));
  push(writer.pes(kVideo, kKeyframe, {.pts = 3092, .dts = 89, .bounded = true}));
  push(writer.pes(kVideo, kInter, {.bounded = true}));
  const auto frames = only(MediaKind::video);
  ASSERT_EQ(frames.size(), 2);
  EXPECT_EQ(ms(frames[0].dts), 0);
  EXPECT_EQ(ms(frames[0].pts), 34);
  EXPECT_EQ(flv::parse_video(frames[0].payload.bytes())->composition_offset, 34);
  // Without a time: the one before.
  EXPECT_EQ(frames[1].dts, frames[0].dts);
  EXPECT_EQ(frames[1].pts, frames[0].dts);
}

TEST_F(TsToFlvTest, BeginsAnewWithAPublisher) {
  push_file("h264_aac.ts");
  const auto first = std::exchange(out, {});
  flv.begin_publisher();
  EXPECT_EQ(flv.left_out(), "");
  push_file("h264_aac.ts");
  ASSERT_EQ(out.size(), first.size());
  EXPECT_EQ(only(MediaKind::video, PacketRole::codec_header).size(), 1);
}

TEST_F(TsToFlvTest, EndsWithTheLastPictureThatIsWhole) {
  for (const bool torn : {false, true}) {
    out.clear();
    flv.begin_publisher();
    const auto first = writer.pes(kVideo, kKeyframe + ByteVector(1000, std::byte{0xAA}), {.pts = 0});
    auto last = writer.pes(kVideo, kInter + ByteVector(1000, std::byte{0xAA}), {.pts = 3600});
    if (torn) last.resize(last.size() - 188);
    push(tables({{0x1B, kVideo}}) + first + last);
    flv.end_run(out);
    EXPECT_EQ(only(MediaKind::video).size(), torn ? 1 : 2);
  }
}

TEST_F(TsToFlvTest, StartsFromAJoinHeaderAndASlice) {
  // As the cache of a stream replays it: PAT and PMT, then the datagram from its keyframe on.
  const auto ts = read_fixture("h264_aac.ts");
  mpegts::Scanner scanner;
  std::size_t at = 0;
  int keyframes = 0;
  std::size_t begin = 0;
  for (; at < ts.size() && keyframes < 2; at += 1316) {
    const auto result = scanner.scan(std::span(ts).subspan(at, std::min<std::size_t>(1316, ts.size() - at)));
    if (result.keyframe) ++keyframes;
    begin = at + result.sync_offset;
  }
  push(scanner.join_header().bytes());
  push(std::span(ts).subspan(begin));
  const auto frames = only(MediaKind::video);
  ASSERT_EQ(frames.size(), 34);
  EXPECT_TRUE(frames[0].keyframe);
  EXPECT_EQ(out[0].role, PacketRole::metadata);
}

TEST_F(TsToFlvTest, PassesADamagedFrameAndGoesOn) {
  const auto ts = read_fixture("h264_aac.ts");
  for (std::size_t at = 0; at < ts.size(); at += 188) {
    if (at % (188 * 37) != 188 * 36) push(std::span(ts).subspan(at, 188));
  }
  EXPECT_GT(only(MediaKind::video).size(), 40);
  EXPECT_GT(only(MediaKind::audio).size(), 60);
}

}  // namespace
}  // namespace simulcast::repackage
