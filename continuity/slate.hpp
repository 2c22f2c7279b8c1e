// A picture file as one keyframe of a stream: shown while the encoder is away, where somebody asked for it.
//
// libavformat reads the file, libswscale fits it into the stream's size, with black at the sides, and
// libavcodec encodes it once, to the stream's own codec, size, sampling, depth and profile. Pure function,
// any thread; takes a tenth of a second and more for a large one, so not on a shard.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <variant>
#include <vector>

#include "continuity/still_picture.hpp"
#include "protocol/nal/nal_units.hpp"

namespace simulcast::continuity {

struct SlateFormat {
  nal::Codec codec = nal::Codec::h264;
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  std::uint8_t chroma_format = 1;  // as flv::PictureFormat has it
  std::uint8_t depth = 8;
  std::uint8_t profile = 0;  // H.264: profile_idc
  auto operator<=>(const SlateFormat&) const = default;
};

struct Slate {
  static constexpr std::uint32_t kMaxSide = 16'384;  // of the file's picture
  // Of the stream's: 8K, upright or not. What its headers say about it is paid for in memory and time.
  static constexpr std::uint32_t kMaxStreamSide = 8192;
  static constexpr std::uint64_t kMaxStreamPixels = std::uint64_t{8192} * 4320;

  std::vector<std::vector<std::byte>> sets;  // parameter sets: VPS, SPS, PPS in this order
  StillPicture picture;                      // with its sets in it
};

// Or why not, as a sentence for the user.
std::variant<Slate, std::string> make_slate(const std::filesystem::path& file, const SlateFormat& format);

}  // namespace simulcast::continuity
