#include "media/stream.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace simulcast::media {
namespace {

using namespace std::chrono_literals;

Packet packet(MediaKind kind, PacketRole role, Time dts, std::string_view text, bool keyframe = false) {
  Packet made;
  made.kind = kind;
  made.role = role;
  made.dts = made.pts = dts;
  made.keyframe = keyframe;
  made.payload = Payload::copy_of(std::as_bytes(std::span(text)));
  return made;
}
Packet video(Time dts, std::string_view text, bool keyframe = false) {
  return packet(MediaKind::video, PacketRole::frame, dts, text, keyframe);
}
Packet audio(Time dts, std::string_view text) {
  return packet(MediaKind::audio, PacketRole::frame, dts, text);
}

class Recorder final : public Output {
 public:
  void take(const Batch& batch) override {
    packets.insert(packets.end(), batch.packets.begin(), batch.packets.end());
    ++flushes;
  }
  std::string text() const {
    std::string all;
    for (const Packet& one : packets) {
      all.append(reinterpret_cast<const char*>(one.payload.data()), one.payload.size());
      all += ' ';
    }
    return all;
  }
  std::vector<Packet> packets;
  int flushes = 0;
};

struct StreamTest : testing::Test {
  void publish_headers() {
    publish(packet(MediaKind::data, PacketRole::metadata, 0ms, "meta"));
    publish(packet(MediaKind::video, PacketRole::codec_header, 0ms, "avcC"));
    publish(packet(MediaKind::audio, PacketRole::codec_header, 0ms, "asc"));
  }
  void publish(const Packet& packet) {
    stream.publish(packet);
    stream.flush();
  }
  Stream stream;
  Recorder output;
};

TEST_F(StreamTest, OutputThatIsThereFirstGetsEverythingFromTheFirstKeyframe) {
  stream.attach(output);
  publish_headers();
  publish(video(0ms, "p"));
  EXPECT_EQ(output.text(), "");
  publish(video(0ms, "K0", true));
  publish(audio(21ms, "a1"));
  publish(video(40ms, "p1"));
  EXPECT_EQ(output.text(), "meta avcC asc K0 a1 p1 ");
}

TEST_F(StreamTest, LateOutputStartsFromTheCachedKeyframeWithHeadersAtItsTime) {
  publish_headers();
  publish(video(0ms, "K0", true));
  publish(video(40ms, "p1"));
  publish(video(80ms, "K2", true));
  publish(audio(90ms, "a"));
  publish(video(120ms, "p3"));
  stream.attach(output);
  EXPECT_EQ(output.text(), "meta avcC asc K2 a p3 ");
  EXPECT_EQ(output.packets[0].dts, 80ms);
  EXPECT_EQ(output.packets[1].dts, 80ms);
  EXPECT_EQ(output.flushes, 1);
  publish(video(160ms, "p4"));
  EXPECT_EQ(output.text(), "meta avcC asc K2 a p3 p4 ");
}

TEST_F(StreamTest, AudioSentAheadOfTheKeyframeIsNotLost) {
  Recorder late;
  stream.attach(output);
  publish_headers();
  publish(audio(0ms, "a0"));
  publish(audio(20ms, "a1"));
  publish(video(20ms, "K0", true));
  EXPECT_EQ(output.text(), "meta avcC asc K0 a1 ");
  publish(audio(500ms, "a2"));
  publish(audio(520ms, "a3"));
  publish(video(510ms, "K1", true));
  stream.attach(late);
  EXPECT_EQ(output.text(), "meta avcC asc K0 a1 a2 a3 K1 ");
  EXPECT_EQ(late.text(), "meta avcC asc K1 a3 ");
}

TEST_F(StreamTest, VideoThatComesLateIsAwaitedFromItsKeyframe) {
  for (int i = 0; i <= 60; ++i) publish(audio(std::chrono::milliseconds(20 * i), "a"));
  publish(packet(MediaKind::video, PacketRole::codec_header, 1220ms, "avcC"));
  stream.attach(output);
  EXPECT_EQ(output.text(), "");
  publish(video(1220ms, "K", true));
  EXPECT_EQ(output.text(), "avcC K ");
}

TEST_F(StreamTest, PayloadIsSharedNotCopied) {
  Recorder second;
  stream.attach(output);
  stream.attach(second);
  const Packet key = video(0ms, "K", true);
  const auto* bytes = key.payload.data();
  publish(key);
  EXPECT_EQ(output.packets.back().payload.data(), bytes);
  EXPECT_EQ(second.packets.back().payload.data(), bytes);
}

TEST_F(StreamTest, DetachedOutputGetsNothingMore) {
  stream.attach(output);
  publish(video(0ms, "K", true));
  stream.detach(output);
  publish(video(40ms, "p"));
  EXPECT_EQ(output.text(), "K ");
}

TEST_F(StreamTest, NewHeaderReplacesTheOldOneForLateOutputs) {
  publish_headers();
  publish(video(0ms, "K0", true));
  publish(packet(MediaKind::video, PacketRole::codec_header, 40ms, "avcC2"));
  publish(video(40ms, "K1", true));
  stream.attach(output);
  EXPECT_EQ(output.text(), "meta avcC2 asc K1 ");
}

TEST_F(StreamTest, HeaderChangeReachesRunningOutputsBeforeTheFrame) {
  stream.attach(output);
  publish_headers();
  publish(video(0ms, "K0", true));
  publish(packet(MediaKind::video, PacketRole::codec_header, 40ms, "avcC2"));
  publish(video(40ms, "K1", true));
  EXPECT_EQ(output.text(), "meta avcC asc K0 avcC2 K1 ");
}

TEST_F(StreamTest, NextPublisherIsHeardFromItsKeyframeOn) {
  stream.attach(output);
  publish_headers();
  publish(video(0ms, "K0", true));
  stream.begin_publisher();
  publish(video(7000ms, "p"));
  publish(packet(MediaKind::video, PacketRole::codec_header, 7000ms, "avcC2"));
  publish(video(7040ms, "K1", true));
  EXPECT_EQ(output.text(), "meta avcC asc K0 avcC2 K1 ");
  EXPECT_GT(output.packets.back().dts, 0ms);
}

TEST_F(StreamTest, AudioOnlyStartsAfterASecondWithNothingLost) {
  stream.attach(output);
  for (int i = 0; i <= 52; ++i) publish(audio(std::chrono::milliseconds(20 * i), "a"));
  EXPECT_EQ(output.packets.size(), 53U);
  EXPECT_EQ(output.packets.front().dts, 0ms);
}

TEST(GopCache, GopThatOutgrowsTheBoundIsLetGoWhole) {
  GopCache cache;
  const std::vector<std::byte> megabyte(1 << 20);
  const auto frame = [&](bool keyframe) {
    Packet made = video(0ms, "", keyframe);
    made.payload = Payload::copy_of(megabyte);
    return made;
  };
  cache.push(frame(true));
  for (int i = 0; i < 70; ++i) cache.push(frame(false));
  EXPECT_FALSE(cache.ready());
  EXPECT_EQ(cache.bytes(), 0U);
  cache.push(frame(true));
  EXPECT_TRUE(cache.ready());
  EXPECT_EQ(cache.packets().size(), 1U);
}

TEST(GopCache, AFloodOfTinyFramesIsBoundedInNumber) {
  GopCache cache;
  cache.push(packet(MediaKind::video, PacketRole::frame, 0ms, "K", true));
  for (std::size_t i = 0; i < 3 * GopCache::kMaxPackets; ++i) {
    cache.push(packet(MediaKind::audio, PacketRole::frame, 1ms, "a"));
    ASSERT_LE(cache.packets().size(), GopCache::kMaxPackets);
  }
  EXPECT_FALSE(cache.ready()) << "a part of a GOP is of no use";
  cache.push(packet(MediaKind::video, PacketRole::frame, 2ms, "K", true));
  EXPECT_TRUE(cache.ready());
}

TEST(GopCache, SoundAheadOfAKeyframeIsLookedForAmongTheNewest) {
  GopCache cache;
  cache.push(packet(MediaKind::video, PacketRole::frame, 0ms, "K", true));
  for (std::size_t i = 0; i < 20 * GopCache::kMostAhead; ++i) {
    cache.push(packet(MediaKind::audio, PacketRole::frame, 9000ms, "a"));
  }
  for (int i = 1; i < 1000; ++i) {
    cache.push(packet(MediaKind::video, PacketRole::frame, std::chrono::milliseconds(i), "K", true));
    ASSERT_LE(cache.packets().size(), 1 + GopCache::kMostAhead);
  }
}

}  // namespace
}  // namespace simulcast::media
