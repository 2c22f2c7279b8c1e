#include "protocol/flv/script_data.hpp"

#include <gtest/gtest.h>

#include "protocol/flv/error.hpp"
#include "protocol/flv/tag_body.hpp"
#include "tests/unit/protocol/bytes.hpp"

namespace simulcast::flv {
namespace {

using test::Bytes;
using test::hex;
using test::operator+;  // NOLINT(misc-unused-using-decls): not seen in expressions

const Bytes kPrefix = hex("02 000d '@setDataFrame'");
const Bytes kMetadata =
    hex("02 000a 'onMetaData' 08 00000014 0005 'width' 00 4094000000000000 0006 'height' 00 4086800000000000"
        "0009 'framerate' 00 403e000000000000 000c 'videocodecid' 00 401c000000000000 000c 'audiocodecid' 02 "
        "0004 'Opus'"
        "0007 'encoder' 02 0003 'obs' 000009");

TEST(ScriptData, Recognised) {
  EXPECT_TRUE(data_kind(kPrefix + kMetadata).is_metadata);
  EXPECT_TRUE(data_kind(kPrefix + kMetadata).has_set_data_frame);
  EXPECT_TRUE(data_kind(kMetadata).is_metadata);
  EXPECT_FALSE(data_kind(kMetadata).has_set_data_frame);
  EXPECT_FALSE(data_kind(hex("02 000a 'onCuePoint' 05")).is_metadata);
  EXPECT_FALSE(data_kind(kPrefix + hex("02 000a 'onTextData' 05")).is_metadata);
  EXPECT_FALSE(data_kind({}).is_metadata);
  EXPECT_FALSE(data_kind(hex("02 00ff 'onMetaData'")).is_metadata);
}

TEST(ScriptData, ThePrefixIsAddedToMetadataOnly) {
  const auto bare = media::Payload::copy_of(kMetadata);
  EXPECT_TRUE(std::ranges::equal(with_set_data_frame(bare).bytes(), kPrefix + kMetadata));
  const auto prefixed = media::Payload::copy_of(kPrefix + kMetadata);
  EXPECT_EQ(with_set_data_frame(prefixed).data(), prefixed.data());
  const auto cue = media::Payload::copy_of(hex("02 000a 'onCuePoint' 05"));
  EXPECT_EQ(with_set_data_frame(cue).data(), cue.data());
}

TEST(ScriptData, MetadataIsRead) {
  for (const Bytes& body : {kMetadata, kPrefix + kMetadata}) {
    const auto metadata = parse_metadata(body);
    ASSERT_TRUE(metadata.has_value());
    EXPECT_EQ(metadata->width, 1280.0);
    EXPECT_EQ(metadata->height, 720.0);
    EXPECT_EQ(metadata->frame_rate, 30.0);
    EXPECT_EQ(metadata->video_codec, 7U);
    EXPECT_EQ(metadata->audio_codec, four_cc("Opus"));
    EXPECT_EQ(metadata->encoder, "obs");
    EXPECT_EQ(metadata->video_data_rate, std::nullopt);
  }
}

TEST(ScriptData, NonsenseIsLeftOut) {
  const auto metadata = parse_metadata(
      hex("02 000a 'onMetaData' 03 0005 'width' 00 7ff8000000000000 0006 'height' 00 bff0000000000000"
          "000c 'videocodecid' 00 42d0000000000000 000c 'audiocodecid' 02 0003 'AAC' 000009"));
  ASSERT_TRUE(metadata.has_value());
  EXPECT_EQ(metadata->width, std::nullopt);
  EXPECT_EQ(metadata->height, std::nullopt);
  EXPECT_EQ(metadata->video_codec, std::nullopt);
  EXPECT_EQ(metadata->audio_codec, std::nullopt);
  EXPECT_EQ(parse_metadata(hex("02 000a 'onMetaData' 05")).error(), Error::bad_metadata);
  EXPECT_EQ(parse_metadata(hex("02 000a 'onTextData' 03 000009")).error(), Error::bad_metadata);
}

}  // namespace
}  // namespace simulcast::flv
