#include "continuity/sound_format.hpp"

#include <array>
#include <cstdint>

#include "protocol/mpegts/mpeg_audio.hpp"
#include "protocol/nal/bits.hpp"

namespace simulcast::continuity {

namespace {

constexpr std::array kRates{96'000, 88'200, 64'000, 48'000, 44'100, 32'000, 24'000,
                            22'050, 16'000, 12'000, 11'025, 8'000,  7'350};
constexpr std::array kChannels{0, 1, 2, 3, 4, 5, 6, 8};

std::uint32_t read_object_type(nal::BitReader& in) {
  constexpr std::uint32_t kEscape = 31;
  const std::uint32_t type = in.bits(5);
  return type == kEscape ? 32 + in.bits(6) : type;
}

int read_rate(nal::BitReader& in) {
  constexpr std::uint32_t kExplicit = 15;
  const std::uint32_t index = in.bits(4);
  if (index == kExplicit) return static_cast<int>(in.bits(24));
  return index < kRates.size() ? kRates[index] : 0;
}

}  // namespace

std::optional<SoundFormat> format_of_aac(std::span<const std::byte> audio_specific_config) {
  constexpr std::uint32_t kMain = 1;
  constexpr std::uint32_t kLtp = 4;
  constexpr std::uint32_t kSbr = 5;
  constexpr std::uint32_t kPs = 29;
  nal::BitReader in(audio_specific_config);
  std::uint32_t type = read_object_type(in);
  SoundFormat format;
  format.sample_rate = read_rate(in);
  const std::uint32_t channels = in.bits(4);
  if (type == kSbr || type == kPs) {
    read_rate(in);  // with the extension
    type = read_object_type(in);
  }
  if (type < kMain || type > kLtp || in.flag() || in.failed()) return std::nullopt;
  if (format.sample_rate <= 0 || channels == 0 || channels >= kChannels.size()) return std::nullopt;
  format.channels = kChannels[channels];
  format.aac_object_type = static_cast<int>(type);
  return format;
}

std::optional<SoundFormat> format_of_mpeg_audio(std::span<const std::byte> frame) {
  const auto header = mpegts::parse_mpeg_audio(frame);
  if (!header || (header->layer != 2 && header->layer != 3)) return std::nullopt;
  return SoundFormat{.codec = header->layer == 2 ? SoundCodec::mp2 : SoundCodec::mp3,
                     .sample_rate = static_cast<int>(header->sample_rate),
                     .channels = header->stereo ? 2 : 1};
}

}  // namespace simulcast::continuity
