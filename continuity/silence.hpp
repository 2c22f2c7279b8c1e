// One frame of silence in the codec and format of a track, made by libavcodec.
//
// Any frame of it may follow any other: it is from the middle of a run of zeros, and refers to no frame
// before. Any thread, but not a shard: it takes a few milliseconds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace simulcast::continuity {

enum class SoundCodec : std::uint8_t { aac, mp3, mp2, ac3, eac3, opus };

struct SoundFormat {
  SoundCodec codec = SoundCodec::aac;
  int sample_rate = 48'000;
  int channels = 2;
  int aac_object_type = 2;  // AAC: 1 Main, 2 LC, ...
  bool operator==(const SoundFormat&) const = default;
};

struct SilentFrame {
  std::vector<std::byte> bytes;  // AAC: raw, without ADTS
  std::uint32_t samples = 0;
  std::uint32_t sample_rate = 0;
};

// Nothing when libavcodec has no encoder for it, or none for this format.
std::optional<SilentFrame> make_silence(const SoundFormat& format);
// How often an encoder was opened for it in this process. For tests.
std::uint64_t silence_encoder_runs();

}  // namespace simulcast::continuity
