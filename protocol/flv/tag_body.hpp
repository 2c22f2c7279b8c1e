// What a relay has to know about an audio or video message, read from the first bytes of its body and nothing
// else.
//
//   video  u8: frame type 4 bits, codec 4 bits        legacy; AVC: u8 packet type, i24 composition time
//          u8: 1, frame type 3 bits, packet type 4 bits         enhanced; then FourCC, then as the packet
//          type says
//   audio  u8: format 4 bits, rate 2, size 1, channels 1        legacy; AAC: u8 packet type
//          u8: 9 in 4 bits, packet type 4 bits                  enhanced; then FourCC
//   Both enhanced forms may begin with ModEx prefixes (size, data, next packet type) and with a multitrack
//   byte.
//
// Video File Format Specification 10.1, annex E; Enhanced RTMP v2. Pure functions, any thread. An empty body
// is legal (E-RTMP: silence) and gives a tag with nothing set. A codec that is not known is not an error: it
// passes opaque.
#pragma once

#include <boost/system/result.hpp>
#include <cstddef>
#include <cstdint>
#include <span>

namespace simulcast::flv {

// A FourCC as big-endian number; legacy codecs map to the FourCC of the same codec where there is one.
using FourCc = std::uint32_t;
constexpr FourCc four_cc(const char (&text)[5]) {
  return FourCc{static_cast<unsigned char>(text[0])} << 24 |
         FourCc{static_cast<unsigned char>(text[1])} << 16 |
         FourCc{static_cast<unsigned char>(text[2])} << 8 | FourCc{static_cast<unsigned char>(text[3])};
}

enum class VideoCodec : FourCc {
  unknown = 0,
  avc = four_cc("avc1"),
  hevc = four_cc("hvc1"),
  vvc = four_cc("vvc1"),
  av1 = four_cc("av01"),
  vp8 = four_cc("vp08"),
  vp9 = four_cc("vp09"),
};
enum class AudioCodec : FourCc {
  unknown = 0,
  aac = four_cc("mp4a"),
  mp3 = four_cc(".mp3"),
  opus = four_cc("Opus"),
  flac = four_cc("fLaC"),
  ac3 = four_cc("ac-3"),
  eac3 = four_cc("ec-3"),
};

struct VideoTag {
  VideoCodec codec = VideoCodec::unknown;
  bool enhanced = false;
  std::uint8_t legacy_codec_id = 0;  // when not enhanced
  std::uint8_t track = 0;
  bool several_tracks = false;  // ManyTracks: `track` and what follows is that of the first
  bool is_header = false;       // decoder configuration
  bool is_colour_info = false;  // with is_header: metadata packet (HDR), kept beside the configuration
  bool is_keyframe = false;     // of coded frames; never for headers
  bool is_droppable = false;    // no other frame refers to it
  bool is_end_of_sequence = false;
  bool is_command = false;              // a client command, not media
  std::int32_t composition_offset = 0;  // milliseconds, pts - dts
  std::size_t data_offset = 0;          // where configuration record or coded data begin
};

struct AudioTag {
  AudioCodec codec = AudioCodec::unknown;
  bool enhanced = false;
  std::uint8_t legacy_format = 0;  // when not enhanced
  std::uint8_t track = 0;
  bool several_tracks = false;
  bool is_header = false;
  bool is_multichannel_config = false;  // with is_header
  bool is_end_of_sequence = false;
  std::size_t data_offset = 0;
};

boost::system::result<VideoTag> parse_video(std::span<const std::byte> body);
boost::system::result<AudioTag> parse_audio(std::span<const std::byte> body);

}  // namespace simulcast::flv
