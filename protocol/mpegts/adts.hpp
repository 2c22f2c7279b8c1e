// The ADTS framing of AAC, as MPEG-TS carries it, and the AudioSpecificConfig that takes its place in FLV.
//
//   12 bits sync (all set), version 1, layer 2, no CRC 1, profile 2, sample rate index 4, private 1,
//   channel configuration 3, 4 bits, frame length 13 (with the header), fullness 11, blocks - 1 2, CRC u16 if
//   there
//
// ISO/IEC 14496-3, 1.A.2 and 1.6.2.1. Pure functions, any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "protocol/mpegts/audio_frames.hpp"

namespace simulcast::mpegts {

using AudioSpecificConfig = std::array<std::byte, 2>;

struct AdtsHeader {
  static constexpr std::size_t kSize = 7;
  static constexpr std::uint32_t kSamples = 1024;  // of one block

  std::uint8_t size = kSize;  // 9 with a CRC
  std::uint8_t profile = 0;   // audio object type - 1
  std::uint8_t rate_index = 0;
  std::uint8_t channel_config = 0;  // 0: a program config element in the frame says
  std::uint8_t blocks = 1;
  std::uint16_t frame_size = 0;  // header and all

  std::uint32_t sample_rate() const;
  AudioSpecificConfig audio_specific_config() const;
};

// Nothing when the bytes begin no ADTS frame, or fewer than kSize are there.
std::optional<AdtsHeader> parse_adts(std::span<const std::byte> bytes);
// The same as an AudioFrames wants it.
std::optional<AudioFrameHeader> adts_frame(std::span<const std::byte> bytes);

}  // namespace simulcast::mpegts
