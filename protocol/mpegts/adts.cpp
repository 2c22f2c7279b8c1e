#include "protocol/mpegts/adts.hpp"

#include "protocol/big_endian.hpp"

namespace simulcast::mpegts {

namespace {
constexpr std::array<std::uint32_t, 13> kRates = {96'000, 88'200, 64'000, 48'000, 44'100, 32'000, 24'000,
                                                  22'050, 16'000, 12'000, 11'025, 8'000,  7'350};
}  // namespace

std::uint32_t AdtsHeader::sample_rate() const {
  return kRates[rate_index];
}

AudioSpecificConfig AdtsHeader::audio_specific_config() const {
  // Object type 5 bits, rate index 4, channel configuration 4, three zero bits.
  const unsigned config = (profile + 1U) << 11 | static_cast<unsigned>(rate_index) << 7 |
                          static_cast<unsigned>(channel_config) << 3;
  return {static_cast<std::byte>(config >> 8), static_cast<std::byte>(config)};
}

std::optional<AdtsHeader> parse_adts(std::span<const std::byte> bytes) {
  constexpr std::uint8_t kCrc = 2;
  if (bytes.size() < AdtsHeader::kSize) return std::nullopt;
  const std::uint32_t first = load_u32(bytes.data());
  const std::uint32_t second = load_u24(&bytes[4]);
  if ((first & 0xFFF60000) != 0xFFF00000) return std::nullopt;  // sync and layer
  AdtsHeader header;
  if ((first & 0x00010000) == 0) header.size = AdtsHeader::kSize + kCrc;
  header.profile = static_cast<std::uint8_t>(first >> 14 & 3);
  header.rate_index = static_cast<std::uint8_t>(first >> 10 & 0x0F);
  header.channel_config = static_cast<std::uint8_t>(first >> 6 & 7);
  header.frame_size = static_cast<std::uint16_t>((first & 3) << 11 | second >> 13);
  header.blocks = static_cast<std::uint8_t>((second & 3) + 1);
  if (header.rate_index >= kRates.size() || header.frame_size <= header.size) return std::nullopt;
  return header;
}

std::optional<AudioFrameHeader> adts_frame(std::span<const std::byte> bytes) {
  const auto header = parse_adts(bytes);
  if (!header) return std::nullopt;
  return AudioFrameHeader{.frame_size = header->frame_size,
                          .samples = AdtsHeader::kSamples * header->blocks,
                          .sample_rate = header->sample_rate()};
}

}  // namespace simulcast::mpegts
