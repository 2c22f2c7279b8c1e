// A keyframe made fit to be sent again and again: the picture that stands while no publisher sends another.
//
// Sent twice in a row it comes in two versions, for a decoder takes two IDR pictures of the same idr_pic_id
// for one (ITU-T H.264, 7.4.3). What was said about the moment it was taken (SEI: captions, timing) is left
// out. An H.264 picture that decoding may start from without being IDR, and an H.265 picture of the kind CRA,
// become such as begin anew (IDR, BLA): they would refer to the past. Plain value; any thread.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "protocol/nal/nal_units.hpp"

namespace simulcast::continuity {

class StillPicture {
 public:
  using Units = std::vector<std::vector<std::byte>>;

  // `units` of one access unit; `sets` the parameter sets that come beside the stream, if they do. Nothing
  // when it holds no picture that can stand alone.
  static std::optional<StillPicture> of(nal::Codec codec, std::span<const nal::Unit> units,
                                        std::span<const nal::Unit> sets);

  // To be sent in turn.
  const Units& version(std::size_t turn) const { return versions_[turn % versions_.size()]; }

 private:
  StillPicture() = default;

  std::array<Units, 2> versions_;
};

}  // namespace simulcast::continuity
