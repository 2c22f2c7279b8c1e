// What the publisher sends and the sink recognises: FLV bodies that look like H.264 and AAC to whoever relays
// them, with a stamp in each frame.
//
//   stamp = "SCBENCH1", sequence number (16 hex digits), CLOCK_MONOTONIC in ns (16 hex digits)
//
// A video frame begins like a real slice, for relays that look at it to learn the picture's size. Stamp and
// filler are ASCII: no byte of the slice is zero, so that the NAL unit needs no emulation prevention and
// stays valid.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace simulcast::load {

using Bytes = std::vector<std::byte>;

inline constexpr std::uint64_t kAudioSamples = 1024;  // in a packet
inline constexpr std::uint64_t kAudioRate = 48'000;

inline constexpr std::size_t kStampSize = 40;
inline constexpr std::size_t kVideoStampAt =
    12;  // frame type, packet type, composition time, length, NAL header, begin of the slice
inline constexpr std::size_t kAudioStampAt = 2;  // sound format, packet type

struct Stamp {
  std::uint64_t sequence = 0;
  std::int64_t sent_ns = 0;
};

Bytes metadata(double fps, double video_kbps, double audio_kbps);  // body of @setDataFrame onMetaData
Bytes avc_sequence_header();
Bytes aac_sequence_header();

// Bodies of `size` bytes in all, at least what the stamp needs.
Bytes video_frame(bool keyframe, std::size_t size);
Bytes audio_frame(std::size_t size);
// Apart from the stamp, which is not looked at, the body is one of those, bit for bit.
bool is_video_frame(std::span<const std::byte> body);
bool is_audio_frame(std::span<const std::byte> body);

// When a frame is due, in ns from the first.
std::int64_t video_time(std::uint64_t frame, double fps);
std::int64_t audio_time(std::uint64_t packet);
// As it stands in the message.
std::uint32_t milliseconds(std::int64_t ns);

void put_stamp(std::span<std::byte> at, const Stamp& stamp);
// Nothing if there is no stamp there.
std::optional<Stamp> read_stamp(std::span<const std::byte> at);

}  // namespace simulcast::load
