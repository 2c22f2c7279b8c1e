#include "protocol/flv/tag_body.hpp"

#include <gtest/gtest.h>

#include "protocol/flv/codec_config.hpp"
#include "protocol/flv/error.hpp"
#include "tests/unit/protocol/bytes.hpp"

namespace simulcast::flv {
namespace {

using test::Bytes;
using test::hex;
using test::operator+;  // NOLINT(misc-unused-using-decls): not seen in expressions

VideoTag video(std::string_view text) {
  const auto tag = parse_video(hex(text));
  EXPECT_TRUE(tag.has_value()) << text;
  return tag.has_value() ? *tag : VideoTag{};
}

AudioTag audio(std::string_view text) {
  const auto tag = parse_audio(hex(text));
  EXPECT_TRUE(tag.has_value()) << text;
  return tag.has_value() ? *tag : AudioTag{};
}

TEST(VideoTag, LegacyAvc) {
  const auto header = video("17 00 000000 01");
  EXPECT_EQ(header.codec, VideoCodec::avc);
  EXPECT_TRUE(header.is_header);
  EXPECT_FALSE(header.is_keyframe);
  EXPECT_EQ(header.data_offset, 5U);

  const auto key = video("17 01 000042 00");
  EXPECT_TRUE(key.is_keyframe);
  EXPECT_FALSE(key.is_header);
  EXPECT_EQ(key.composition_offset, 66);

  const auto inter = video("27 01 fffff6 00");
  EXPECT_FALSE(inter.is_keyframe);
  EXPECT_FALSE(inter.is_droppable);
  EXPECT_EQ(inter.composition_offset, -10);
  EXPECT_EQ(video("27 01 800000").composition_offset, -(1 << 23));

  EXPECT_TRUE(video("37 01 000000 00").is_droppable);
  EXPECT_TRUE(video("17 02 000000").is_end_of_sequence);
  EXPECT_TRUE(video("17 02").is_end_of_sequence);
  EXPECT_TRUE(video("57 00").is_command);
}

TEST(VideoTag, OtherLegacyCodecs) {
  EXPECT_EQ(video("1c 00 000000 01").codec, VideoCodec::hevc);
  EXPECT_TRUE(video("1c 00 000000 01").is_header);
  EXPECT_EQ(video("2d 01 000000").codec, VideoCodec::av1);
  EXPECT_TRUE(video("12 aa").is_keyframe);  // H.263 has no headers
  EXPECT_EQ(video("12 aa").legacy_codec_id, 2);
  EXPECT_EQ(video("12 aa").data_offset, 1U);
}

TEST(VideoTag, Enhanced) {
  const auto header = video("90 'hvc1' 01");
  EXPECT_EQ(header.codec, VideoCodec::hevc);
  EXPECT_TRUE(header.enhanced && header.is_header && !header.is_keyframe);
  EXPECT_EQ(header.data_offset, 5U);

  const auto frames = video("91 'hvc1' fffffe 00");
  EXPECT_TRUE(frames.is_keyframe);
  EXPECT_EQ(frames.composition_offset, -2);
  EXPECT_EQ(frames.data_offset, 8U);
  EXPECT_EQ(video("91 'avc1' 000010").composition_offset, 16);
  EXPECT_EQ(video("91 'vvc1' 000010").composition_offset, 16);

  const auto without_offset = video("a1 'av01' 12 34 56");
  EXPECT_FALSE(without_offset.is_keyframe);
  EXPECT_EQ(without_offset.composition_offset, 0);
  EXPECT_EQ(without_offset.data_offset, 5U);
  EXPECT_EQ(video("93 'hvc1' 00").data_offset, 5U);
  EXPECT_TRUE(video("93 'hvc1' 00").is_keyframe);
  EXPECT_TRUE(video("b3 'hvc1' 00").is_droppable);

  EXPECT_TRUE(video("92 'hvc1'").is_end_of_sequence);
  EXPECT_TRUE(video("95 'av01' 00").is_header);
  const auto colour = video("d4 'hvc1' 02");  // the frame type of a metadata packet means nothing
  EXPECT_TRUE(colour.is_header && colour.is_colour_info);
  EXPECT_TRUE(video("d1 00").is_command);
}

TEST(VideoTag, UnknownCodecsPassOpaque) {
  const auto tag = video("91 'xyz1' 00");
  EXPECT_EQ(tag.codec, VideoCodec::unknown);
  EXPECT_TRUE(tag.is_keyframe);
  EXPECT_FALSE(video("9f 00").is_header);  // a packet type of a later version
}

TEST(VideoTag, Multitrack) {
  const auto one = video("96 01 'hvc1' 03 000005 00");
  EXPECT_EQ(one.track, 3);
  EXPECT_FALSE(one.several_tracks);
  EXPECT_TRUE(one.is_keyframe);
  EXPECT_EQ(one.composition_offset, 5);
  EXPECT_EQ(one.data_offset, 10U);
  EXPECT_TRUE(video("96 00 'hvc1' 01 01").is_header);

  const auto many = video("96 13 'hvc1' 00 000001 aa 01 000001 bb");
  EXPECT_TRUE(many.several_tracks && many.is_keyframe);
  EXPECT_EQ(many.data_offset, 10U);
  EXPECT_EQ(video("96 23 'av01' 07 000001 aa 'hvc1' 01 000001 bb").codec, VideoCodec::av1);
  EXPECT_EQ(parse_video(hex("96 31 'hvc1' 00")).error(), Error::bad_multitrack);
}

TEST(VideoTag, ModExPrefixes) {
  const auto nano = video("97 02 000100 01 'avc1' 000007 aa");
  EXPECT_TRUE(nano.is_keyframe);
  EXPECT_EQ(nano.composition_offset, 7);
  EXPECT_TRUE(video("97 00 aa 07 00 bb 03 'hvc1'").is_keyframe);  // two of them
  const Bytes wide = hex("97 ff 0100") + Bytes(257) + hex("03 'hvc1'");
  ASSERT_TRUE(parse_video(wide).has_value());
  EXPECT_TRUE(parse_video(wide)->is_keyframe);
  EXPECT_EQ(parse_video(hex("97 ff ffff 00 00")).error(), Error::truncated);
  EXPECT_EQ(parse_video(hex("97 00 aa")).error(), Error::truncated);
  Bytes endless = hex("97");
  for (int i = 0; i < 1000; ++i) endless = endless + hex("00 aa 07");
  EXPECT_EQ(parse_video(endless).error(), Error::truncated);
}

TEST(VideoTag, EmptyIsLegalAndTruncatedIsNot) {
  ASSERT_TRUE(parse_video({}).has_value());
  EXPECT_FALSE(parse_video({})->is_keyframe);
  for (const std::string_view text :
       {"17", "17 01", "17 01 0000", "17 00 00", "90", "90 'hvc'", "91 'hvc1' 0000", "96", "96 01",
        "96 01 'hvc1'", "96 11 'hvc1' 00 0000", "97"}) {
    EXPECT_EQ(parse_video(hex(text)).error(), Error::truncated) << text;
  }
}

TEST(AudioTag, Legacy) {
  const auto header = audio("af 00 12 10");
  EXPECT_EQ(header.codec, AudioCodec::aac);
  EXPECT_TRUE(header.is_header);
  EXPECT_EQ(header.data_offset, 2U);
  EXPECT_FALSE(audio("af 01 21").is_header);
  EXPECT_EQ(audio("2f ff").codec, AudioCodec::mp3);
  EXPECT_EQ(audio("2f ff").data_offset, 1U);
  EXPECT_EQ(audio("72").legacy_format, 7);
  EXPECT_FALSE(parse_audio({})->is_header);
  EXPECT_EQ(parse_audio(hex("af")).error(), Error::truncated);
}

TEST(AudioTag, Enhanced) {
  EXPECT_TRUE(audio("90 'Opus'").is_header);  // an empty header is legal
  EXPECT_EQ(audio("91 'Opus' fc").codec, AudioCodec::opus);
  EXPECT_FALSE(audio("91 'Opus' fc").is_header);
  EXPECT_EQ(audio("91 'ac-3'").codec, AudioCodec::ac3);
  EXPECT_EQ(audio("91 'ec-3'").codec, AudioCodec::eac3);
  EXPECT_EQ(audio("91 'fLaC'").codec, AudioCodec::flac);
  EXPECT_EQ(audio("91 '.mp3'").codec, AudioCodec::mp3);
  EXPECT_EQ(audio("91 'what'").codec, AudioCodec::unknown);
  EXPECT_TRUE(audio("92 'mp4a'").is_end_of_sequence);
  const auto layout = audio("94 'Opus' 01 02 00000003");
  EXPECT_TRUE(layout.is_header && layout.is_multichannel_config);
  const auto track = audio("95 00 'mp4a' 02 12 10");
  EXPECT_TRUE(track.is_header);
  EXPECT_EQ(track.track, 2);
  EXPECT_EQ(track.data_offset, 7U);
  EXPECT_TRUE(audio("97 00 aa 00 'mp4a'").is_header);
  for (const std::string_view text : {"90", "90 'mp4'", "95", "95 00 'mp4a'", "97 05 00"}) {
    EXPECT_EQ(parse_audio(hex(text)).error(), Error::truncated) << text;
  }
}

TEST(CodecConfig, Avc) {
  const Bytes record = hex("01 64001e ff e1 0004 67640020 01 0002 68eb");
  const auto config = parse_avc_config(record);
  ASSERT_TRUE(config.has_value());
  EXPECT_EQ(config->profile, 0x64);
  EXPECT_EQ(config->level, 0x1e);
  EXPECT_EQ(config->nal_length_size, 4);
  EXPECT_EQ(config->parameter_sets, 2U);
  EXPECT_TRUE(parse_avc_config(record + hex("fd f8 f8 00")).has_value());
  for (std::size_t size = 0; size < record.size(); ++size) {
    EXPECT_EQ(parse_avc_config(std::span(record).first(size)).error(), Error::bad_config) << size;
  }
  EXPECT_EQ(parse_avc_config(hex("00 64001e ff e1 0004 67640020 01 0002 68eb")).error(), Error::bad_config);
  EXPECT_EQ(parse_avc_config(Bytes(kMaxConfigRecord + 1, std::byte{1})).error(), Error::config_too_long);
}

TEST(CodecConfig, Hevc) {
  const Bytes record =
      hex("01 01 60000000 900000000000 5d f000 fc fd f8 f8 0000 0f 02 a0 0001 0003 400101 a1 0001 0002 4201");
  const auto config = parse_hevc_config(record);
  ASSERT_TRUE(config.has_value());
  EXPECT_EQ(config->profile, 1);
  EXPECT_EQ(config->level, 0x5d);
  EXPECT_EQ(config->nal_length_size, 4);
  EXPECT_EQ(config->parameter_sets, 2U);
  for (std::size_t size = 0; size < record.size(); ++size) {
    EXPECT_EQ(parse_hevc_config(std::span(record).first(size)).error(), Error::bad_config) << size;
  }
}

}  // namespace
}  // namespace simulcast::flv
