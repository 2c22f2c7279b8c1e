// What a decoder would make of the parameter sets of a video: size, colour sampling, depth.
//
// libavcodec's parser is asked, which knows all the profiles. Pure function, any thread; costs some
// microseconds and memory, so it is for when the sets change.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "protocol/flv/codec_config_build.hpp"
#include "protocol/nal/nal_units.hpp"

namespace simulcast::repackage {

struct Picture {
  std::uint32_t width = 0;  // as shown, without what is cropped away
  std::uint32_t height = 0;
  flv::PictureFormat format;
  bool operator==(const Picture&) const = default;
};

// `units` are the parameter sets and then the first slice of a picture that refers to them. Nothing when they
// make no sense.
std::optional<Picture> picture_of(nal::Codec codec, std::span<const nal::Unit> units);

}  // namespace simulcast::repackage
