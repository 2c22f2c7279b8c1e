#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocol/big_endian.hpp"
#include "protocol/mpegts/adts.hpp"
#include "protocol/mpegts/mpeg_audio.hpp"
#include "tests/unit/protocol/bytes.hpp"

namespace simulcast::mpegts {
namespace {

using media::Time;
using test::Bytes;
using test::hex;
using test::operator+;  // NOLINT(misc-unused-using-decls): not seen in expressions

// AAC-LC, stereo; rate index 3 is 48 kHz, 4 is 44.1 kHz.
Bytes adts(std::size_t raw_size, unsigned rate_index = 4, bool crc = false, unsigned channels = 2) {
  const std::size_t header = crc ? 9 : 7;
  const std::size_t size = header + raw_size;
  Bytes out;
  append(out, crc ? 0xFFF0 : 0xFFF1, 2);
  append(out, 1U << 6 | rate_index << 2 | channels >> 2, 1);
  append(out, (channels & 3) << 6 | size >> 11, 1);
  append(out, (size & 0x7FF) << 5 | 0x1F, 2);
  append(out, 0xFC, 1);
  out.resize(size, std::byte{0x21});
  return out;
}

AudioFrames aac_frames() {
  return {adts_frame, AdtsHeader::kSize};
}

TEST(Adts, ReadsTheHeader) {
  const auto header = parse_adts(adts(100, 3));
  ASSERT_TRUE(header);
  EXPECT_EQ(header->size, 7);
  EXPECT_EQ(header->frame_size, 107);
  EXPECT_EQ(header->sample_rate(), 48'000);
  EXPECT_EQ(header->channel_config, 2);
  EXPECT_THAT(header->audio_specific_config(), testing::ElementsAreArray(hex("11 90")));
  EXPECT_EQ(parse_adts(adts(100, 4, true))->size, 9);
  EXPECT_THAT(parse_adts(adts(1, 4))->audio_specific_config(), testing::ElementsAreArray(hex("12 10")));
}

TEST(Adts, RefusesWhatIsNone) {
  EXPECT_FALSE(parse_adts({}));
  EXPECT_FALSE(parse_adts(hex("ff f1 50 80 0d 7f")));
  EXPECT_FALSE(parse_adts(adts(100, 13)));                   // no such rate
  EXPECT_FALSE(parse_adts(adts(0)));                         // nothing in it
  EXPECT_FALSE(parse_adts(hex("ff fb 50 80 0d 7f fc")));     // MP3
  EXPECT_FALSE(parse_adts(hex("ff f1 50 80 00 3f fc 00")));  // shorter than its header
}

TEST(AudioFrames, TimesSeveralFramesOfOnePes) {
  auto frames = aac_frames();
  Bytes pes;
  for (int i = 0; i < 50; ++i) pes = pes + adts(20);
  const auto& out = frames.push(pes, Time{1000});
  ASSERT_EQ(out.size(), 50);
  for (std::int64_t i = 0; i < 50; ++i) {
    EXPECT_EQ(out[static_cast<std::size_t>(i)].time.count(), 1000 + i * 1024 * 90'000 / 44'100);
  }
}

TEST(AudioFrames, CarriesAFrameOverThePes) {
  auto frames = aac_frames();
  const auto all = adts(300) + adts(200) + adts(250) + adts(20);
  for (std::size_t cut = 0; cut <= 757; ++cut) {
    auto splitter = aac_frames();
    std::vector<std::pair<std::size_t, std::int64_t>> got;
    const auto keep = [&](const auto& out) {
      for (const auto& frame : out) got.emplace_back(frame.bytes.size(), frame.time.count());
    };
    // The time of the second PES is that of the first frame that begins in it.
    const std::size_t begun = cut == 0 ? 0 : cut <= 307 ? 1 : cut <= 514 ? 2 : cut <= 771 ? 3 : 4;
    keep(splitter.push(std::span(all).first(cut), Time{0}));
    keep(splitter.push(std::span(all).subspan(cut), Time{static_cast<std::int64_t>(begun) * 100'000}));
    ASSERT_EQ(got.size(), 4) << cut;
    EXPECT_EQ(got[begun].second, static_cast<std::int64_t>(begun) * 100'000) << cut;
    EXPECT_EQ(got[0], (std::pair<std::size_t, std::int64_t>(307, 0))) << cut;
    EXPECT_EQ(got[3].first, 27) << cut;
    EXPECT_EQ(splitter.broken(), 0) << cut;
  }
}

TEST(AudioFrames, GoesOnWithoutATime) {
  auto frames = aac_frames();
  EXPECT_TRUE(frames.push(adts(10), std::nullopt).empty());  // not known yet
  EXPECT_EQ(frames.push(adts(10), Time{0}).size(), 1);
  EXPECT_EQ(frames.push(adts(10), std::nullopt)[0].time.count(), 2089);
  EXPECT_EQ(frames.push(adts(10), std::nullopt)[0].time.count(), 4179);
}

TEST(AudioFrames, LeavesOutABrokenFrame) {
  auto frames = aac_frames();
  auto pes = adts(100) + adts(100) + adts(100);
  pes[107 + 4] ^= std::byte{0x04};  // the length of the second
  const auto& out = frames.push(pes, Time{0});
  ASSERT_EQ(out.size(), 2);
  EXPECT_EQ(frames.broken(), 1);
  // Garbage between two is passed over.
  const auto& more = frames.push(test::pattern(40) + adts(30) + adts(30), Time{90'000});
  EXPECT_EQ(more.size(), 2);
  EXPECT_EQ(frames.broken(), 2);
}

TEST(AudioFrames, HoldsNoMoreThanAFrame) {
  auto frames = aac_frames();
  for (int i = 0; i < 100; ++i) {
    for (const auto& frame : frames.push(test::pattern(5000, static_cast<unsigned>(i)), Time{i})) {
      EXPECT_LE(frame.bytes.size(), AudioFrames::kMaxFrame);
    }
  }
}

TEST(MpegAudio, ReadsTheHeader) {
  const auto mp3 = parse_mpeg_audio(hex("ff fb 90 00"));  // 128 kbit/s, 44.1 kHz
  ASSERT_TRUE(mp3);
  EXPECT_EQ(mp3->layer, 3);
  EXPECT_EQ(mp3->frame_size, 417);
  EXPECT_EQ(mp3->samples, 1152);
  EXPECT_TRUE(mp3->stereo);
  const auto mp2 = parse_mpeg_audio(hex("ff fd a4 c0"));  // 192 kbit/s, 48 kHz, mono
  ASSERT_TRUE(mp2);
  EXPECT_EQ(mp2->layer, 2);
  EXPECT_EQ(mp2->sample_rate, 48'000);
  EXPECT_EQ(mp2->frame_size, 576);
  EXPECT_FALSE(mp2->stereo);
  const auto low = parse_mpeg_audio(hex("ff f3 82 00"));  // MPEG-2: 64 kbit/s, 22.05 kHz, padded
  ASSERT_TRUE(low);
  EXPECT_EQ(low->samples, 576);
  EXPECT_EQ(low->frame_size, 209);
  EXPECT_FALSE(parse_mpeg_audio(hex("ff fb f0 00")));
  EXPECT_FALSE(parse_mpeg_audio(hex("ff f1 50 80")));  // ADTS
}

}  // namespace
}  // namespace simulcast::mpegts
