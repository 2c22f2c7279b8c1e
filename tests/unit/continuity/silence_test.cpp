#include "continuity/silence.hpp"

#include <gtest/gtest.h>

#include <array>

#include "continuity/sound_format.hpp"
#include "tests/unit/continuity/codecs.hpp"

namespace simulcast::continuity {
namespace {

struct Case {
  const char* name;
  SoundFormat format;
  std::array<std::uint8_t, 2> config;  // AudioSpecificConfig
  std::uint32_t samples;
};

class SilenceTest : public testing::TestWithParam<Case> {};

TEST_P(SilenceTest, AFrameRepeatedIsSilence) {
  const auto& [name, format, config, samples] = GetParam();
  const auto frame = make_silence(format);
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->samples, samples);
  EXPECT_EQ(frame->sample_rate, static_cast<std::uint32_t>(format.sample_rate));
  const bool aac = format.codec == SoundCodec::aac;
  const AVCodecID id = aac                               ? AV_CODEC_ID_AAC
                       : format.codec == SoundCodec::mp3 ? AV_CODEC_ID_MP3
                                                         : AV_CODEC_ID_MP2;
  const test::Complaints complaints;
  const double most = test::loudest(
      id, format.sample_rate, format.channels,
      aac ? std::span<const std::uint8_t>(config) : std::span<const std::uint8_t>{}, frame->bytes, 30);
  EXPECT_LT(most, 0.001);
  EXPECT_EQ(complaints.text(), "");
  if (aac) {
    EXPECT_EQ(format_of_aac(std::as_bytes(std::span(config))), format);
  }
}

constexpr SoundFormat aac(int rate, int channels, int type = 2) {
  return {SoundCodec::aac, rate, channels, type};
}

INSTANTIATE_TEST_SUITE_P(Formats, SilenceTest,
                         testing::Values(Case{"lc_44_stereo", aac(44'100, 2), {0x12, 0x10}, 1024},
                                         Case{"lc_48_stereo", aac(48'000, 2), {0x11, 0x90}, 1024},
                                         Case{"lc_48_mono", aac(48'000, 1), {0x11, 0x88}, 1024},
                                         Case{"lc_48_surround", aac(48'000, 6), {0x11, 0xB0}, 1024},
                                         Case{"lc_22_stereo", aac(22'050, 2), {0x13, 0x90}, 1024},
                                         Case{"main_48_stereo", aac(48'000, 2, 1), {0x09, 0x90}, 1024},
                                         Case{"mp3_44", {SoundCodec::mp3, 44'100, 2, 2}, {}, 1152},
                                         Case{"mp3_22_mono", {SoundCodec::mp3, 22'050, 1, 2}, {}, 576},
                                         Case{"mp2_48", {SoundCodec::mp2, 48'000, 2, 2}, {}, 1152}),
                         [](const auto& test) { return test.param.name; });

TEST(SoundFormat, OfHighEfficiencyAacTheCoreCounts) {
  // SBR said outright: 24 kHz inside, 48 kHz out, stereo.
  const std::array<std::uint8_t, 4> config{0x2B, 0x11, 0x88, 0x00};
  const auto format = format_of_aac(std::as_bytes(std::span(config)));
  ASSERT_TRUE(format);
  EXPECT_EQ(format->sample_rate, 24'000);
  EXPECT_EQ(format->channels, 2);
  EXPECT_EQ(format->aac_object_type, 2);
}

TEST(SoundFormat, WhatCannotBeMadeIsRefused) {
  const auto of = [](std::initializer_list<std::uint8_t> bytes) {
    const std::vector<std::uint8_t> config(bytes);
    return format_of_aac(std::as_bytes(std::span(config)));
  };
  EXPECT_FALSE(of({}));
  EXPECT_FALSE(of({0x12}));
  EXPECT_FALSE(of({0x12, 0x14}));  // 960 samples
  EXPECT_FALSE(of({0x12, 0x00}));  // channels only in the frames
  EXPECT_FALSE(of({0x16, 0x90}));  // a rate that is reserved
  EXPECT_FALSE(make_silence(aac(48'000, 0)));
  EXPECT_FALSE(make_silence(aac(48'000, 100)));
  EXPECT_FALSE(make_silence(aac(12'345, 2)));
}

}  // namespace
}  // namespace simulcast::continuity
