// What a stream is fed with while its encoder is away, in both forms.
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <set>
#include <vector>

#include "continuity/make_continuity.hpp"
#include "continuity/silence.hpp"
#include "media/stream.hpp"
#include "protocol/flv/codec_config_build.hpp"
#include "protocol/flv/tag_build.hpp"
#include "repackage/make_repackager.hpp"
#include "tests/unit/continuity/codecs.hpp"
#include "tests/unit/protocol/ts_parser.hpp"

namespace simulcast::continuity {
namespace {

using namespace std::chrono_literals;
using Clock = media::Timeline::Clock;
using media::MediaKind;
using media::Packet;
using media::PacketForm;
using media::PacketRole;
using media::Time;

constexpr Time kPicture = 40ms;
constexpr Time kSound = Time(1920);  // 1024 samples at 48 kHz
constexpr std::byte kLowComplexity48Stereo[] = {std::byte{0x11}, std::byte{0x90}};

class Recorder final : public media::Output {
 public:
  void take(const media::Batch& batch) override {
    packets.insert(packets.end(), batch.packets.begin(), batch.packets.end());
  }
  std::vector<Time> times(MediaKind kind, std::size_t from = 0) const {
    std::vector<Time> all;
    for (std::size_t i = from; i < packets.size(); ++i) {
      if (packets[i].kind == kind && packets[i].role == PacketRole::frame) all.push_back(packets[i].dts);
    }
    return all;
  }
  std::vector<Packet> packets;
};

// An encoder of a second of H.264 and AAC, which then goes.
struct FillerTest : testing::Test {
  void SetUp() override { coded = test::encode_video({.parameters = "keyint=250:bframes=0"}, 25); }

  void publish(MediaKind kind, PacketRole role, Time dts, media::Payload payload, bool keyframe = false) {
    Packet packet;
    packet.kind = kind;
    packet.role = role;
    packet.dts = packet.pts = dts;
    packet.keyframe = keyframe;
    packet.payload = std::move(payload);
    stream.publish(std::move(packet), now);
    stream.flush_now();
  }

  void show() {
    stream.begin_publisher();
    std::vector<nal::Unit> units;
    nal::split_annex_b(coded.at(0).bytes, units);
    std::vector<nal::Unit> sps;
    std::vector<nal::Unit> pps;
    for (const nal::Unit unit : units) {
      const auto kind = nal::kind_of(nal::Codec::h264, unit);
      if (kind == nal::Kind::sps) sps.push_back(unit);
      if (kind == nal::Kind::pps) pps.push_back(unit);
    }
    const auto config = flv::build_avc_config(sps, pps, {});
    ASSERT_TRUE(config);
    publish(MediaKind::video, PacketRole::codec_header, 0ms,
            flv::build_video_header(nal::Codec::h264, *config));
    publish(MediaKind::audio, PacketRole::codec_header, 0ms, flv::build_aac_header(kLowComplexity48Stereo));
    const auto frame = make_silence({SoundCodec::aac, 48'000, 2, 2});
    ASSERT_TRUE(frame);
    Time sound{};
    for (std::size_t i = 0; i < coded.size(); ++i, now += 40ms) {
      units.clear();
      nal::split_annex_b(coded[i].bytes, units);
      const Time dts = kPicture * static_cast<int>(i);
      publish(MediaKind::video, PacketRole::frame, dts,
              flv::build_video_frame(nal::Codec::h264, coded[i].keyframe, 0, units), coded[i].keyframe);
      for (; sound < dts + kPicture; sound += kSound)
        publish(MediaKind::audio, PacketRole::frame, sound, flv::build_aac_frame(frame->bytes));
    }
    now -= 40ms;  // the last picture was sent then
  }

  void away(std::chrono::seconds time) {
    stream.begin_filling();
    workshop.wait();
    for (const auto until = now + time; now < until; now += media::Stream::kFillPeriod) stream.fill(now);
  }

  SlateChoice no_slate;
  Workshop workshop;
  media::Stream stream{repackage::make_repackager, nullptr, nullptr,
                       [this] { return make_continuity(no_slate, workshop); }};
  std::vector<test::Coded> coded;
  Clock::time_point now = Clock::time_point{} + 1h;
};

std::set<Time> steps_of(const std::vector<Time>& times) {
  std::set<Time> steps;
  for (std::size_t i = 1; i < times.size(); ++i) steps.insert(times[i] - times[i - 1]);
  return steps;
}

TEST_F(FillerTest, FlvGetsTwoPicturesASecondAndSilenceWithoutAGap) {
  Recorder output;
  stream.attach(output);
  show();
  const std::size_t shown = output.packets.size();
  const Time last = output.times(MediaKind::video).back();
  away(10s);
  const auto pictures = output.times(MediaKind::video, shown);
  ASSERT_EQ(pictures.size(), 19U);
  EXPECT_EQ(pictures.front(), last + 500ms);
  EXPECT_EQ(steps_of(pictures), std::set<Time>{500ms});
  EXPECT_EQ(steps_of(output.times(MediaKind::audio)), std::set<Time>{kSound});
  const Time end = output.times(MediaKind::audio).back() + kSound;
  EXPECT_GE(end, last + 10s - 2 * kSound - Time(media::Stream::kFillPeriod));
  EXPECT_LE(end, last + 10s);
  // No header is needed, and two pictures in a row differ.
  std::optional<Packet> before;
  for (std::size_t i = shown; i < output.packets.size(); ++i) {
    const Packet& packet = output.packets[i];
    EXPECT_EQ(packet.role, PacketRole::frame);
    if (packet.kind != MediaKind::video) continue;
    EXPECT_TRUE(packet.keyframe);
    EXPECT_TRUE(!before || !std::ranges::equal(before->payload.bytes(), packet.payload.bytes()));
    before = packet;
  }
}

TEST_F(FillerTest, LateCallsMakeUpForWhatWasMissedButNotForHours) {
  Recorder output;
  stream.attach(output);
  show();
  stream.begin_filling();
  workshop.wait();
  const std::size_t shown = output.packets.size();
  now += 2s;
  stream.fill(now);
  EXPECT_EQ(output.times(MediaKind::video, shown).size(), 4U);
  EXPECT_EQ(steps_of(output.times(MediaKind::audio)), std::set<Time>{kSound});
  const std::size_t before = output.packets.size();
  now += 3h;
  stream.fill(now);
  EXPECT_LE(output.times(MediaKind::video, shown).size(), 25U);
  EXPECT_LE(output.times(MediaKind::audio, before).size(), static_cast<std::size_t>(10s / kSound) + 2);
  EXPECT_EQ(steps_of(output.times(MediaKind::audio, before)), std::set<Time>{kSound});
  now += 2s;
  stream.fill(now);
  EXPECT_EQ(steps_of(output.times(MediaKind::audio, before)), std::set<Time>{kSound});
}

TEST_F(FillerTest, MpegTsHasRunningCountersClockAndTimes) {
  // Made by the other form's lane first, and published as it is.
  Recorder datagrams;
  stream.attach(datagrams, PacketForm::mpegts);
  show();
  media::Stream relayed{repackage::make_repackager, nullptr, nullptr,
                        [this] { return make_continuity(no_slate, workshop); }};
  Recorder output;
  relayed.attach(output, PacketForm::mpegts);
  relayed.begin_publisher(PacketForm::mpegts);
  const auto step = std::chrono::duration_cast<Clock::duration>(1s) / datagrams.packets.size();
  Clock::time_point time = now - 1s;
  for (const Packet& packet : datagrams.packets) {
    time += step;
    test::ByteVector bytes(packet.payload.bytes().begin(), packet.payload.bytes().end());
    relayed.join(bytes, time);
    Packet copy = packet;
    copy.payload = media::Payload::copy_of(bytes);
    relayed.publish(std::move(copy), time);
    relayed.flush_now();
  }
  const std::size_t shown = output.packets.size();
  ASSERT_GT(shown, 20U);
  relayed.begin_filling();
  workshop.wait();
  for (const auto until = now + 10s; now < until; now += media::Stream::kFillPeriod) relayed.fill(now);

  test::TsParser parser;
  for (const Packet& packet : output.packets) parser.push(packet.payload.bytes());
  parser.finish();
  EXPECT_EQ(parser.broken_continuity, 0);
  EXPECT_EQ(parser.marked_discontinuities, 0);
  std::optional<std::int64_t> clock;
  for (const auto& packet : parser.packets) {
    if (!packet.pcr) continue;
    EXPECT_GE(*packet.pcr, clock.value_or(0));
    clock = packet.pcr;
  }
  ASSERT_TRUE(clock);
  ASSERT_EQ(parser.streams.size(), 2U);
  for (const auto& [pid, type] : parser.streams) {
    constexpr unsigned kH264 = 0x1B;
    const auto units = parser.of(pid);
    std::int64_t longest = 0;
    for (std::size_t i = 1; i < units.size(); ++i) {
      EXPECT_GT(units[i].dts, units[i - 1].dts) << type;
      longest = std::max(longest, units[i].dts - units[i - 1].dts);
    }
    const Time length(units.back().dts - units.front().dts);
    EXPECT_GE(length, Time(10s)) << type;
    EXPECT_LE(length, Time(11s)) << type;
    EXPECT_LE(Time(longest), type == kH264 ? Time(500ms) : Time(200ms)) << type;
  }
}

}  // namespace
}  // namespace simulcast::continuity
