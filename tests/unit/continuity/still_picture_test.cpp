#include "continuity/still_picture.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <span>

#include "protocol/nal/bits.hpp"
#include "protocol/nal/h264_slice.hpp"
#include "tests/unit/continuity/codecs.hpp"

namespace simulcast::continuity {
namespace {

using test::ByteVector;

ByteVector annex_b(const StillPicture::Units& units) {
  ByteVector bytes;
  for (const auto& unit : units) {
    bytes.insert(bytes.end(), {std::byte{0}, std::byte{0}, std::byte{0}, std::byte{1}});
    bytes.insert(bytes.end(), unit.begin(), unit.end());
  }
  return bytes;
}

std::optional<StillPicture> still_of(nal::Codec codec, const ByteVector& access_unit) {
  std::vector<nal::Unit> units;
  nal::split_annex_b(access_unit, units);
  return StillPicture::of(codec, units, {});
}

struct Case {
  const char* name;
  test::VideoSettings settings;
  std::size_t keyframe = 0;  // which one is made to stand
};

class StillPictureTest : public testing::TestWithParam<Case> {};

// A group of pictures that breaks off, the still picture for a while, then an encoder that begins anew.
TEST_P(StillPictureTest, ADecoderSeesNoErrorAndTheSamePictureAgainAndAgain) {
  const auto& [name, settings, nth] = GetParam();
  const bool h264 = settings.encoder == "libx264";
  const nal::Codec codec = h264 ? nal::Codec::h264 : nal::Codec::h265;
  const AVCodecID id = h264 ? AV_CODEC_ID_H264 : AV_CODEC_ID_HEVC;
  const auto coded = test::encode_video(settings, 40);
  std::vector<std::size_t> keyframes;
  for (std::size_t i = 0; i < coded.size(); ++i) {
    if (coded[i].keyframe) keyframes.push_back(i);
  }
  ASSERT_GT(keyframes.size(), nth);
  const std::size_t key = keyframes[nth];
  const auto still = still_of(codec, coded[key].bytes);
  ASSERT_TRUE(still);

  std::vector<ByteVector> show;
  for (std::size_t i = 0; i < key + 5; ++i) show.push_back(coded[i].bytes);
  for (std::size_t turn = 0; turn < 5; ++turn) show.push_back(annex_b(still->version(turn)));
  for (std::size_t i = 0; i < 12; ++i) show.push_back(coded[i].bytes);

  const test::Complaints complaints;
  const auto pictures = test::decode_video(id, show);
  EXPECT_EQ(complaints.text(), "");
  ASSERT_EQ(pictures.size(), show.size());
  const auto alone = test::decode_video(id, {annex_b(still->version(0))});
  ASSERT_EQ(alone.size(), 1U);
  EXPECT_EQ(std::ranges::count(pictures, alone[0]) >= 5, true);
  for (std::size_t turn = 0; turn < 5; ++turn) EXPECT_EQ(pictures[key + 5 + turn], alone[0]) << turn;
  // It is the picture that the encoder made.
  const auto whole = test::decode_video(id, {coded[keyframes[0]].bytes});
  if (nth == 0) {
    EXPECT_EQ(alone[0], whole[0]);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Encoders, StillPictureTest,
    testing::Values(
        Case{"baseline", {.parameters = "keyint=20:bframes=0:cabac=0:8x8dct=0:weightp=0"}},
        Case{"main", {.parameters = "keyint=20:bframes=2:8x8dct=0"}},
        Case{"high", {.parameters = "keyint=20:bframes=3:b-pyramid=2"}},
        Case{"slices", {.parameters = "keyint=20:bframes=2:slices=4"}},
        Case{"cavlc_slices", {.parameters = "keyint=20:bframes=2:slices=3:cabac=0"}},
        Case{"no_deblocking", {.parameters = "keyint=20:no-deblock=1"}},
        Case{"interlaced", {.parameters = "keyint=20:bframes=2:interlaced=1", .interlaced = true}},
        Case{"high422_10", {.pixels = AV_PIX_FMT_YUV422P10, .parameters = "keyint=20:bframes=2"}},
        Case{"scaling_lists", {.parameters = "keyint=20:cqm=jvt"}},
        // Decoding may start at its later keyframes although they are no IDR pictures.
        Case{"open_gop", {.parameters = "keyint=12:min-keyint=12:scenecut=0:bframes=3:open-gop=1"}, 1},
        Case{"h265_idr", {.encoder = "libx265", .parameters = "keyint=20:bframes=2:no-open-gop=1"}},
        Case{"h265_cra",
             {.encoder = "libx265", .parameters = "keyint=12:min-keyint=12:scenecut=0:bframes=3:open-gop=1"},
             1}),
    [](const auto& test) { return test.param.name; });

// Of the slices of a picture that is no field: ITU-T H.264, 7.3.3.
std::vector<std::uint32_t> idr_pic_ids(const StillPicture::Units& units) {
  nal::H264Sps sps;
  std::vector<std::uint32_t> ids;
  for (const auto& unit : units) {
    if (const auto parsed = nal::parse_h264_sps(unit)) sps = *parsed;
    if (nal::kind_of(nal::Codec::h264, unit) != nal::Kind::random_access) continue;
    const auto raw = nal::without_emulation_prevention(std::span(unit).subspan(1));
    nal::BitReader in(raw);
    in.ue();
    in.ue();
    in.ue();
    EXPECT_EQ(in.bits(sps.frame_num_bits), 0U);
    ids.push_back(in.ue());
  }
  return ids;
}

// Decoders of libavcodec do not mind, others do.
TEST(StillPicture, TwoInARowDifferInTheirIdrPicId) {
  const auto coded = test::encode_video({.parameters = "keyint=20:bframes=0:slices=3"}, 1);
  const auto still = still_of(nal::Codec::h264, coded.at(0).bytes);
  ASSERT_TRUE(still);
  const auto even = idr_pic_ids(still->version(0));
  const auto odd = idr_pic_ids(still->version(1));
  EXPECT_EQ(even.size(), 3U);
  EXPECT_EQ(std::ranges::count(even, even[0]), 3);
  EXPECT_EQ(std::ranges::count(odd, odd[0]), 3);
  EXPECT_NE(even[0], odd[0]);
  // Nor are they what an encoder begins with.
  EXPECT_GT(std::min(even[0], odd[0]), 1U);
}

TEST(StillPicture, OfAPictureThatCannotStandAloneThereIsNothing) {
  const auto coded = test::encode_video({.parameters = "keyint=12:intra-refresh=1:bframes=0"}, 40);
  std::size_t seen = 0;
  for (std::size_t i = 1; i < coded.size(); ++i) {
    EXPECT_FALSE(still_of(nal::Codec::h264, coded[i].bytes)) << i;
    ++seen;
  }
  EXPECT_GT(seen, 20U);
}

TEST(StillPicture, WhatIsCutShortIsNoPicture) {
  const auto coded = test::encode_video({.parameters = "keyint=20:bframes=0"}, 1);
  std::vector<nal::Unit> units;
  nal::split_annex_b(coded.at(0).bytes, units);
  for (std::size_t size = 0; size < 40; ++size) {
    std::vector<nal::Unit> cut = units;
    for (auto& unit : cut) unit = unit.first(std::min(unit.size(), std::max<std::size_t>(size, 1)));
    if (size < 3) {
      EXPECT_FALSE(StillPicture::of(nal::Codec::h264, cut, {})) << size;
    }
  }
}

}  // namespace
}  // namespace simulcast::continuity
