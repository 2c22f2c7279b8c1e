#include "ingest/flv_packets.hpp"

#include <gtest/gtest.h>

#include <string_view>

namespace simulcast::ingest {
namespace {

using namespace std::chrono_literals;
using media::MediaKind;
using media::PacketRole;

rtmp::MediaMessage message(rtmp::MessageType type, std::uint32_t timestamp, std::string_view body) {
  return {type, timestamp, media::Payload::copy_of(std::as_bytes(std::span(body)))};
}
using namespace std::string_view_literals;
constexpr auto kAvcHeader = "\x17\x00\x00\x00\x00\x01\x64\x00\x1f\xff\xe1\x00\x00\x01\x00\x00"sv;
constexpr auto kKeyframe = "\x17\x01\x00\x00\x50xxxx"sv;
constexpr auto kInter = "\x27\x01\x00\x00\x00yyyy"sv;
constexpr auto kNegativeOffset = "\x27\x01\xff\xff\xd8yyyy"sv;
constexpr auto kEndOfSequence = "\x17\x02\x00\x00\x00"sv;
constexpr auto kAac = "\xaf\x01zzzz"sv;
constexpr auto kAacHeader = "\xaf\x00\x12\x10"sv;
constexpr auto kMetadata = "\x02\x00\x0aonMetaData\x08\x00\x00\x00\x00\x00\x00\x09"sv;

struct FlvPacketsTest : testing::Test {
  std::optional<media::Packet> video(std::uint32_t timestamp, std::string_view body) {
    return packets.packet_of(message(rtmp::MessageType::video, timestamp, body));
  }
  std::optional<media::Packet> audio(std::uint32_t timestamp, std::string_view body) {
    return packets.packet_of(message(rtmp::MessageType::audio, timestamp, body));
  }
  FlvPackets packets;
};

TEST_F(FlvPacketsTest, KnowsHeadersKeyframesAndCompositionTime) {
  EXPECT_EQ(video(0, kAvcHeader)->role, PacketRole::codec_header);
  EXPECT_EQ(audio(0, kAacHeader)->role, PacketRole::codec_header);
  const auto key = video(40, kKeyframe);
  EXPECT_EQ(key->role, PacketRole::frame);
  EXPECT_TRUE(key->keyframe);
  EXPECT_EQ(key->dts, 40ms);
  EXPECT_EQ(key->pts, 120ms);
  EXPECT_FALSE(video(80, kInter)->keyframe);
  EXPECT_EQ(video(120, kNegativeOffset)->pts, 80ms);
  EXPECT_EQ(audio(60, kAac)->kind, MediaKind::audio);
}

TEST_F(FlvPacketsTest, PayloadPassesUntouched) {
  auto body = message(rtmp::MessageType::video, 0, kKeyframe);
  const auto* bytes = body.body.data();
  EXPECT_EQ(packets.packet_of(std::move(body))->payload.data(), bytes);
}

TEST_F(FlvPacketsTest, ClockGoesOnAcrossTheWrap) {
  EXPECT_EQ(video(0xFFFFFFF0, kKeyframe)->dts, std::chrono::milliseconds{0xFFFFFFF0});
  EXPECT_EQ(audio(0xFFFFFFF8, kAac)->dts, std::chrono::milliseconds{0xFFFFFFF8});
  EXPECT_EQ(video(0x18, kInter)->dts, std::chrono::milliseconds{0x100000018});
  EXPECT_EQ(audio(0xFFFFFFFE, kAac)->dts, std::chrono::milliseconds{0xFFFFFFFE})
      << "late audio from before the wrap";
  EXPECT_EQ(video(0x40, kInter)->dts, std::chrono::milliseconds{0x100000040});
}

TEST_F(FlvPacketsTest, EndOfSequenceIsKeptBackUnlessMoreVideoFollows) {
  video(0, kKeyframe);
  EXPECT_FALSE(video(40, kEndOfSequence));
  EXPECT_TRUE(video(80, kInter));
  EXPECT_FALSE(packets.take_end_of_sequence());
  EXPECT_FALSE(video(120, kEndOfSequence));
  EXPECT_TRUE(audio(120, kAac));
  EXPECT_TRUE(packets.take_end_of_sequence());
  EXPECT_FALSE(packets.take_end_of_sequence());
}

TEST_F(FlvPacketsTest, MetadataGetsThePrefixThatDestinationsExpect) {
  const auto packet = packets.packet_of(message(rtmp::MessageType::data_amf0, 0, kMetadata));
  EXPECT_EQ(packet->role, PacketRole::metadata);
  EXPECT_EQ(packet->payload.size(), kMetadata.size() + 16);
}

TEST_F(FlvPacketsTest, OtherDataPassesVerbatim) {
  const auto packet =
      packets.packet_of(message(rtmp::MessageType::data_amf0, 5, "\x02\x00\x0aonTextData\x05"sv));
  EXPECT_EQ(packet->role, PacketRole::frame);
  EXPECT_EQ(packet->payload.size(), 14U);
}

TEST_F(FlvPacketsTest, MalformedTagIsLeftOutAndCounted) {
  EXPECT_FALSE(video(0, "\x17\x01"sv));
  EXPECT_EQ(packets.malformed(), 1U);
}

TEST_F(FlvPacketsTest, EmptyMessagesPass) {
  EXPECT_TRUE(audio(0, ""sv));
  EXPECT_EQ(packets.malformed(), 0U);
}

}  // namespace
}  // namespace simulcast::ingest
