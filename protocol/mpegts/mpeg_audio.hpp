// The frame header of MPEG audio (MP1, MP2, MP3), which alone tells the layers apart.
//
//   11 bits sync (all set), version 2, layer 2, no CRC 1, bitrate index 4, rate index 2, padding 1, private
//   1, channel mode 2, ...
//
// ISO/IEC 11172-3, 2.4.1.3, and 13818-3. Pure functions, any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "protocol/mpegts/audio_frames.hpp"

namespace simulcast::mpegts {

struct MpegAudioHeader {
  static constexpr std::size_t kSize = 4;

  std::uint8_t layer = 3;
  std::uint32_t sample_rate = 0;
  std::uint32_t samples = 0;
  std::uint16_t frame_size = 0;  // header and all
  bool stereo = false;
};

// Nothing when the bytes begin no frame, one of free bitrate (its size is not told), or are too few.
std::optional<MpegAudioHeader> parse_mpeg_audio(std::span<const std::byte> bytes);
// The same as an AudioFrames wants it.
std::optional<AudioFrameHeader> mpeg_audio_frame(std::span<const std::byte> bytes);

}  // namespace simulcast::mpegts
