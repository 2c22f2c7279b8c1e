#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocol/flv/codec_config.hpp"
#include "protocol/flv/codec_config_build.hpp"
#include "protocol/flv/error.hpp"
#include "protocol/flv/tag_body.hpp"
#include "protocol/flv/tag_build.hpp"
#include "tests/unit/protocol/bytes.hpp"

namespace simulcast::flv {
namespace {

using test::Bytes;
using test::hex;
using testing::ElementsAreArray;

TEST(CodecConfigBuild, WritesAvcC) {
  const Bytes sps = hex("67 4d 40 1f aa");
  const Bytes pps = hex("68 ee 3c 80");
  const Bytes second = hex("68 12");
  const nal::Unit sets[] = {sps};
  const nal::Unit both[] = {pps, second};
  const auto record = build_avc_config(sets, both, {});
  ASSERT_TRUE(record.has_value());
  EXPECT_THAT(*record,
              ElementsAreArray(hex("01 4d 40 1f ff e1 00 05 67 4d 40 1f aa 02 00 04 68 ee 3c 80 00 02 "
                                   "68 12")));
  const auto parsed = parse_avc_config(*record);
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->parameter_sets, 3);
  EXPECT_EQ(parsed->nal_length_size, 4);
}

TEST(CodecConfigBuild, SaysMoreOfHighProfiles) {
  const Bytes sps = hex("67 7a 00 1f aa");
  const Bytes pps = hex("68 ee");
  const nal::Unit sets[] = {sps};
  const nal::Unit pictures[] = {pps};
  const auto record =
      build_avc_config(sets, pictures, {.chroma_format = 2, .luma_depth = 10, .chroma_depth = 10});
  ASSERT_TRUE(record.has_value());
  EXPECT_THAT(std::span(*record).last(4), ElementsAreArray(hex("fe fa fa 00")));
}

TEST(CodecConfigBuild, RefusesWhatFitsNoRecord) {
  const Bytes sps = hex("67 4d 40 1f aa");
  const Bytes huge(60'000, std::byte{0x67});
  const Bytes too_long(65'536, std::byte{0x67});
  const nal::Unit one[] = {sps};
  const nal::Unit short_one[] = {nal::Unit(sps).first(3)};
  const nal::Unit two_huge[] = {huge, huge};
  const nal::Unit long_one[] = {too_long};
  EXPECT_EQ(build_avc_config({}, one, {}).error(), Error::bad_config);
  EXPECT_EQ(build_avc_config(one, {}, {}).error(), Error::bad_config);
  EXPECT_EQ(build_avc_config(short_one, one, {}).error(), Error::bad_config);
  EXPECT_EQ(build_avc_config(long_one, one, {}).error(), Error::bad_config);
  EXPECT_EQ(build_avc_config(two_huge, one, {}).error(), Error::config_too_long);
  EXPECT_EQ(build_hevc_config(one, short_one, one, {}).error(), Error::bad_config);
}

TEST(TagBuild, VideoIsReadBackAsItWasMeant) {
  const Bytes key = hex("65 01 02");
  const Bytes sei = hex("06 05");
  const nal::Unit units[] = {sei, key};
  for (const nal::Codec codec : {nal::Codec::h264, nal::Codec::h265}) {
    const auto frame = build_video_frame(codec, true, -40, units);
    const auto tag = parse_video(frame.bytes());
    ASSERT_TRUE(tag.has_value());
    EXPECT_EQ(tag->codec, codec == nal::Codec::h264 ? VideoCodec::avc : VideoCodec::hevc);
    EXPECT_TRUE(tag->is_keyframe);
    EXPECT_FALSE(tag->is_header);
    EXPECT_EQ(tag->composition_offset, -40);
    EXPECT_THAT(frame.bytes().subspan(tag->data_offset),
                ElementsAreArray(hex("00 00 00 02 06 05 00 00 00 03 65 01 02")));

    const auto inter = build_video_frame(codec, false, 1LL << 40, units);
    EXPECT_FALSE(parse_video(inter.bytes())->is_keyframe);
    EXPECT_EQ(parse_video(inter.bytes())->composition_offset, kMaxCompositionTime);

    const auto header = build_video_header(codec, hex("01 02 03"));
    const auto header_tag = parse_video(header.bytes());
    EXPECT_TRUE(header_tag->is_header);
    EXPECT_THAT(header.bytes().subspan(header_tag->data_offset), ElementsAreArray(hex("01 02 03")));
  }
}

TEST(TagBuild, AudioIsReadBackAsItWasMeant) {
  const auto header = build_aac_header(hex("12 10"));
  EXPECT_THAT(header.bytes(), ElementsAreArray(hex("af 00 12 10")));
  EXPECT_TRUE(parse_audio(header.bytes())->is_header);
  EXPECT_THAT(build_aac_frame(hex("21 00")).bytes(), ElementsAreArray(hex("af 01 21 00")));
  EXPECT_THAT(build_mp3_frame(44'100, true, hex("ff fb")).bytes(), ElementsAreArray(hex("2f ff fb")));
  EXPECT_THAT(build_mp3_frame(22'050, false, hex("ff")).bytes(), ElementsAreArray(hex("2a ff")));
  EXPECT_THAT(build_mp3_frame(8'000, false, hex("ff")).bytes(), ElementsAreArray(hex("e6 ff")));
  EXPECT_EQ(parse_audio(build_mp3_frame(48'000, true, hex("ff")).bytes())->codec, AudioCodec::mp3);
}

TEST(NalUnits, CopiesWithoutEmulationPrevention) {
  Bytes raw(8);
  EXPECT_EQ(nal::copy_raw(hex("67 00 00 03 01 00 00 03 00 00 03"), raw), 8);
  EXPECT_THAT(raw, ElementsAreArray(hex("67 00 00 01 00 00 00 00")));
}

TEST(NalUnits, FindsTheRecoveryPoint) {
  EXPECT_TRUE(nal::has_recovery_point(hex("06 06 01 c4 80")));
  EXPECT_TRUE(nal::has_recovery_point(hex("06 05 03 01 02 03 06 01 c4 80")));
  EXPECT_FALSE(nal::has_recovery_point(hex("06 05 03 06 01 c4 80")));
  EXPECT_FALSE(nal::has_recovery_point(hex("06 05 ff ff 06 01 c4 80")));
  EXPECT_FALSE(nal::has_recovery_point(hex("06")));
  EXPECT_FALSE(nal::has_recovery_point(hex("65 06 01 c4 80")));
}

}  // namespace
}  // namespace simulcast::flv
