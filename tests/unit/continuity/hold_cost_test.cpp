// What a publisher that vanishes costs the shard: nothing is encoded, decoded or copied there, whatever it
// sent.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <memory>
#include <set>
#include <vector>

#include "continuity/make_continuity.hpp"
#include "continuity/pace.hpp"
#include "continuity/silence.hpp"
#include "continuity/ts_parts.hpp"
#include "media/stream.hpp"
#include "protocol/flv/codec_config_build.hpp"
#include "protocol/flv/tag_build.hpp"
#include "tests/unit/continuity/codecs.hpp"
#include "tests/unit/continuity/waiting_order.hpp"

namespace simulcast::continuity {
namespace {

using namespace std::chrono_literals;
using Clock = media::Timeline::Clock;
using media::MediaKind;
using media::Packet;
using media::PacketForm;
using media::PacketRole;
using media::Time;

constexpr std::byte kLowComplexity48Stereo[] = {std::byte{0x11}, std::byte{0x90}};
constexpr std::byte kLowComplexity44Stereo[] = {std::byte{0x12}, std::byte{0x10}};

class Recorder final : public media::Output {
 public:
  void take(const media::Batch& batch) override {
    packets.insert(packets.end(), batch.packets.begin(), batch.packets.end());
  }
  std::size_t pictures() const {
    return static_cast<std::size_t>(std::ranges::count_if(packets, [](const Packet& packet) {
      return packet.kind == MediaKind::video && packet.role == PacketRole::frame;
    }));
  }
  std::size_t sounds() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(packets, [](const Packet& packet) { return packet.kind == MediaKind::audio; }));
  }
  std::set<int> silent_tracks() const {
    std::set<int> tracks;
    for (const Packet& packet : packets) {
      if (packet.kind == MediaKind::audio) tracks.insert(packet.track);
    }
    return tracks;
  }
  std::vector<Packet> packets;
};

struct HoldCostTest : testing::Test {
  void SetUp() override {
    const auto coded = test::encode_video({.parameters = "keyint=250:bframes=0"}, 1);
    keyframe = coded.at(0).bytes;
    stream.begin_publisher();
    stream.attach(output);
  }
  ~HoldCostTest() override { let_go(); }

  // The workshop makes nothing until let_go().
  void keep_busy() {
    waiting = std::make_shared<test::WaitingOrder>();
    ASSERT_TRUE(workshop.begin(waiting));
  }
  void let_go() {
    if (waiting) waiting->let_go();
    waiting.reset();
  }

  void publish(MediaKind kind, PacketRole role, std::uint8_t track, Time dts, media::Payload payload) {
    Packet packet;
    packet.kind = kind;
    packet.role = role;
    packet.track = track;
    packet.dts = packet.pts = dts;
    packet.keyframe = kind == MediaKind::video && role == PacketRole::frame;
    packet.payload = std::move(payload);
    stream.publish(std::move(packet), now);
    stream.flush_now();
  }

  // `more`: units of the keyframe behind those of the encoder.
  void publish_picture(const std::vector<test::ByteVector>& more = {}) {
    std::vector<nal::Unit> units;
    nal::split_annex_b(keyframe, units);
    std::vector<nal::Unit> sets[2];
    for (const nal::Unit unit : units) {
      const auto kind = nal::kind_of(nal::Codec::h264, unit);
      if (kind == nal::Kind::sps) sets[0].push_back(unit);
      if (kind == nal::Kind::pps) sets[1].push_back(unit);
    }
    const auto config = flv::build_avc_config(sets[0], sets[1], {});
    ASSERT_TRUE(config);
    units.insert(units.end(), more.begin(), more.end());
    publish(MediaKind::video, PacketRole::codec_header, 0, 0ms,
            flv::build_video_header(nal::Codec::h264, *config));
    publish(MediaKind::video, PacketRole::frame, 0, 0ms,
            flv::build_video_frame(nal::Codec::h264, true, 0, units));
  }
  void publish_sound(std::uint8_t track, std::span<const std::byte> config, Time dts = 0ms) {
    publish(MediaKind::audio, PacketRole::codec_header, track, dts, flv::build_aac_header(config));
    publish(MediaKind::audio, PacketRole::frame, track, dts, flv::build_aac_frame(test::ByteVector(16)));
  }

  void away(std::chrono::milliseconds time) {
    for (const auto until = now + time; now < until; now += media::Stream::kFillPeriod) stream.fill(now);
  }

  Clock::time_point now = Clock::time_point{} + 1h;
  SlateChoice no_slate;
  Workshop workshop;
  std::shared_ptr<test::WaitingOrder> waiting;
  media::Stream stream{{}, nullptr, nullptr, [this] { return make_continuity(no_slate, workshop); }};
  Recorder output;
  test::ByteVector keyframe;
};

TEST_F(HoldCostTest, SilenceIsEncodedOnceAFormatAndNotOnTheShard) {
  publish_picture();
  for (int track = 0; track < 256; ++track) {
    publish_sound(static_cast<std::uint8_t>(track),
                  track % 2 == 0 ? kLowComplexity48Stereo : kLowComplexity44Stereo);
  }
  output.packets.clear();
  keep_busy();
  const auto before = silence_encoder_runs();
  stream.begin_filling();
  away(2s);
  EXPECT_EQ(silence_encoder_runs(), before);
  EXPECT_TRUE(output.packets.empty());

  let_go();
  workshop.wait();
  EXPECT_EQ(silence_encoder_runs(), before + 2);
  away(1s);
  EXPECT_EQ(silence_encoder_runs(), before + 2);
  EXPECT_EQ(output.silent_tracks().size(), kMostSilentTracks);
  // What was due while nothing was there comes then.
  std::vector<Time> first;
  for (const Packet& packet : output.packets) {
    if (packet.kind == MediaKind::audio && packet.track == 0) first.push_back(packet.dts);
  }
  ASSERT_GT(first.size(), 2U);
  EXPECT_EQ(first.front(), Time(1920));
  for (std::size_t i = 1; i < first.size(); ++i) EXPECT_EQ(first[i] - first[i - 1], Time(1920));
  EXPECT_GE(output.pictures(), 4U);

  // And for those who vanish after.
  stream.begin_publisher();
  publish_picture();
  publish_sound(0, kLowComplexity48Stereo);
  stream.begin_filling();
  workshop.wait();
  output.packets.clear();
  away(1s);
  EXPECT_EQ(output.silent_tracks().size(), 1U);
  EXPECT_EQ(silence_encoder_runs(), before + 2);
}

TEST_F(HoldCostTest, AKeyframeThatIsTooLargeIsNotShownAgain) {
  constexpr std::byte kFillerData{12};
  publish_picture({test::ByteVector(kLargestStill + 1, kFillerData)});
  publish_sound(0, kLowComplexity48Stereo);
  stream.begin_filling();
  workshop.wait();
  output.packets.clear();
  away(2s);
  EXPECT_EQ(output.pictures(), 0U);
  EXPECT_GT(output.sounds(), 50U);
}

TEST_F(HoldCostTest, NorOneInTooManyPieces) {
  constexpr std::byte kFillerData{12};
  publish_picture(std::vector<test::ByteVector>(kMostStillUnits, test::ByteVector(1, kFillerData)));
  publish_sound(0, kLowComplexity48Stereo);
  stream.begin_filling();
  workshop.wait();
  output.packets.clear();
  away(2s);
  EXPECT_EQ(output.pictures(), 0U);
}

TEST_F(HoldCostTest, ATrackThatWasQuietForHoursGetsSilenceOfAMoment) {
  publish_picture();
  publish_sound(0, kLowComplexity48Stereo);
  now += 5h;
  publish_picture();
  stream.begin_filling();
  workshop.wait();
  output.packets.clear();
  away(40ms);
  EXPECT_LE(output.sounds(), static_cast<std::size_t>(kMostMissed / Time(1920)) + 2);
}

TEST_F(HoldCostTest, LargePicturesThatWereMissedAreNotAllMadeUpFor) {
  EXPECT_EQ(first_picture_due(0s, 10s, 100'000), Time(0s));
  EXPECT_EQ(first_picture_due(0s, 3h, 100'000), Time(3h) - kMostMissed);
  EXPECT_EQ(first_picture_due(0s, 10s, std::size_t{1} << 20), Time(8s));
  EXPECT_EQ(first_picture_due(0s, 10s, kLargestStill), Time(9'500ms));
  EXPECT_EQ(first_picture_due(0s, 10s, 0), Time(0s));
}

TEST(TsParts, HoldsABoundedPartOfTheGroupOfPictures) {
  media::Lane lane;
  Packet packet;
  packet.kind = MediaKind::video;
  packet.payload = media::Payload::copy_of(test::ByteVector(188, std::byte{0x47}));
  const auto publish = [&](int datagrams) {
    for (int i = 0; i < datagrams; ++i) {
      packet.keyframe = lane.gop().empty();
      lane.publish(packet);
    }
  };
  publish(1000);
  EXPECT_EQ(TsParts(lane).datagrams(), 1000U);
  publish(20'000);
  EXPECT_EQ(TsParts(lane).datagrams(), 21'000U);  // beginning and end meet
  publish(40'000);                                // fewer than the cached GOP may have
  EXPECT_EQ(TsParts(lane).datagrams(), 2 * TsParts::kMostDatagrams);
  packet.dts += 10s;
  publish(1);
  EXPECT_EQ(TsParts(lane).datagrams(), TsParts::kMostDatagrams + 1);

  media::Lane large;
  packet.payload = media::Payload::copy_of(test::ByteVector(std::size_t{1} << 20, std::byte{0x47}));
  for (int i = 0; i < 40; ++i) {
    packet.keyframe = i == 0;
    large.publish(packet);
  }
  EXPECT_EQ(TsParts(large).datagrams(), 2 * (TsParts::kMostBytes >> 20));
}

class CountingOrder final : public Order {
 public:
  explicit CountingOrder(std::atomic<int>& made) : made_(made) {}

 private:
  void make(Silences&) override { ++made_; }
  std::atomic<int>& made_;
};

class FailingOrder final : public Order {
  void make(Silences&) override { throw std::bad_alloc(); }
};

TEST(Workshop, WhatNobodyWantsAnyLongerIsNotMade) {
  std::atomic<int> made{0};
  Workshop workshop;
  const auto waiting = std::make_shared<test::WaitingOrder>();
  ASSERT_TRUE(workshop.begin(waiting));
  auto wanted = std::make_shared<CountingOrder>(made);
  ASSERT_TRUE(workshop.begin(wanted));
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(workshop.begin(std::make_shared<CountingOrder>(made)));
  waiting->let_go();
  workshop.wait();
  EXPECT_EQ(made, 1);
  EXPECT_TRUE(wanted->ready());
}

class PriorityOrder final : public Order {
 public:
  int nice = 0;

 private:
  void make(Silences&) override { nice = ::getpriority(PRIO_PROCESS, 0); }
};

TEST(Workshop, PacketsGoFirst) {
  Workshop workshop;
  const auto order = std::make_shared<PriorityOrder>();
  ASSERT_TRUE(workshop.begin(order));
  workshop.wait();
  EXPECT_GE(order->nice, Background::kNice);
}

TEST(Workshop, SoManyWaitAndNoMore) {
  std::atomic<int> made{0};
  Workshop workshop;
  const auto waiting = std::make_shared<test::WaitingOrder>();
  const auto wanted = std::make_shared<CountingOrder>(made);
  ASSERT_TRUE(workshop.begin(waiting));
  for (std::size_t i = 1; i < Workshop::kMostWaiting; ++i) ASSERT_TRUE(workshop.begin(waiting));
  EXPECT_FALSE(workshop.begin(wanted));
  waiting->let_go();
  workshop.wait();
  EXPECT_TRUE(workshop.begin(wanted));
  workshop.wait();
  EXPECT_EQ(made, 1);
}

TEST(Workshop, OfWhatFailsNothingIsMadeAndTheNextOneIs) {
  std::atomic<int> made{0};
  Workshop workshop;
  const auto failing = std::make_shared<FailingOrder>();
  const auto wanted = std::make_shared<CountingOrder>(made);
  ASSERT_TRUE(workshop.begin(failing));
  ASSERT_TRUE(workshop.begin(wanted));
  workshop.wait();
  EXPECT_TRUE(failing->ready());
  EXPECT_EQ(made, 1);
}

}  // namespace
}  // namespace simulcast::continuity
