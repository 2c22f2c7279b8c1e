#include "protocol/mpegts/mpeg_audio.hpp"

#include <array>

#include "protocol/big_endian.hpp"

namespace simulcast::mpegts {

namespace {

using Bitrates = std::array<std::uint16_t, 15>;  // kbit/s; 0 is free

constexpr Bitrates kMpeg1[] = {
    {0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448},
    {0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384},
    {0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320},
};
constexpr Bitrates kMpeg2[] = {
    {0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256},
    {0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160},
    {0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160},
};
constexpr std::array<std::uint32_t, 3> kRates = {44'100, 48'000, 32'000};

}  // namespace

std::optional<MpegAudioHeader> parse_mpeg_audio(std::span<const std::byte> bytes) {
  if (bytes.size() < MpegAudioHeader::kSize) return std::nullopt;
  const std::uint32_t word = load_u32(bytes.data());
  const std::uint32_t version = word >> 19 & 3;  // 3: MPEG-1, 2: MPEG-2, 0: MPEG-2.5
  const std::uint32_t layer_code = word >> 17 & 3;
  const std::uint32_t bitrate_index = word >> 12 & 0x0F;
  const std::uint32_t rate_index = word >> 10 & 3;
  if (word >> 21 != 0x7FF || version == 1 || layer_code == 0 || bitrate_index == 0 || bitrate_index == 15 ||
      rate_index == 3) {
    return std::nullopt;
  }
  MpegAudioHeader header;
  header.layer = static_cast<std::uint8_t>(4 - layer_code);
  const bool is_mpeg1 = version == 3;
  const std::uint32_t bitrate = 1000U * (is_mpeg1 ? kMpeg1 : kMpeg2)[header.layer - 1][bitrate_index];
  header.sample_rate = kRates[rate_index] >> (is_mpeg1 ? 0 : version == 2 ? 1 : 2);
  const std::uint32_t padding = word >> 9 & 1;
  header.samples = header.layer == 1 ? 384 : header.layer == 3 && !is_mpeg1 ? 576 : 1152;
  // The padding slot is four bytes in layer 1, one in the others.
  header.frame_size = static_cast<std::uint16_t>(
      header.layer == 1 ? 4 * (12 * bitrate / header.sample_rate + padding)
                        : header.samples / 8 * bitrate / header.sample_rate + padding);
  header.stereo = (word >> 6 & 3) != 3;
  return header;
}

std::optional<AudioFrameHeader> mpeg_audio_frame(std::span<const std::byte> bytes) {
  const auto header = parse_mpeg_audio(bytes);
  if (!header) return std::nullopt;
  return AudioFrameHeader{
      .frame_size = header->frame_size, .samples = header->samples, .sample_rate = header->sample_rate};
}

}  // namespace simulcast::mpegts
