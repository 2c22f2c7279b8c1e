// What is told of a stream by its headers, and how much of it is looked at.
#include "inspect/describe_tracks.hpp"

#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "protocol/flv/codec_config_build.hpp"
#include "protocol/flv/tag_build.hpp"

namespace simulcast::inspect {
namespace {

// H.264, Baseline, 320x160.
constexpr std::array<unsigned char, 8> kSps{0x67, 0x42, 0x00, 0x33, 0xda, 0x05, 0x05, 0x64};
constexpr std::array<unsigned char, 4> kPps{0x68, 0xce, 0x38, 0x80};
constexpr std::array<unsigned char, 4> kSlice{0x65, 0x88, 0x84, 0xc0};
constexpr std::array<unsigned char, 2> kFillerData{0x0c, 0x80};

template <std::size_t kSize>
nal::Unit unit(const std::array<unsigned char, kSize>& bytes) {
  return std::as_bytes(std::span(bytes));
}

// `before`: units of filler data in front of the keyframe's slice.
Tracks described(std::size_t before) {
  media::Lane lane;
  const auto publish = [&](media::PacketRole role, media::Payload payload) {
    media::Packet packet;
    packet.kind = media::MediaKind::video;
    packet.role = role;
    packet.keyframe = role == media::PacketRole::frame;
    packet.payload = std::move(payload);
    lane.publish(std::move(packet));
  };
  const std::vector<nal::Unit> sps{unit(kSps)};
  const std::vector<nal::Unit> pps{unit(kPps)};
  publish(media::PacketRole::codec_header,
          flv::build_video_header(nal::Codec::h264, flv::build_avc_config(sps, pps, {}).value()));
  std::vector<nal::Unit> units(before, unit(kFillerData));
  units.push_back(unit(kSlice));
  publish(media::PacketRole::frame, flv::build_video_frame(nal::Codec::h264, true, 0, units));
  return describe_tracks(lane, media::PacketForm::flv);
}

TEST(DescribeTracks, TellsTheSizeOfThePicture) {
  for (const std::size_t before : {0, 100}) {
    const Tracks tracks = described(before);
    ASSERT_TRUE(tracks.video);
    EXPECT_EQ(tracks.video->codec, "h264");
    EXPECT_EQ(tracks.video->width, 320U);
    EXPECT_EQ(tracks.video->height, 160U);
  }
}

TEST(DescribeTracks, DoesNotLookThroughMillionsOfUnits) {
  const Tracks tracks = described(1'000'000);
  ASSERT_TRUE(tracks.video);
  EXPECT_EQ(tracks.video->profile, "Baseline");
  EXPECT_EQ(tracks.video->width, 0U);
}

}  // namespace
}  // namespace simulcast::inspect
