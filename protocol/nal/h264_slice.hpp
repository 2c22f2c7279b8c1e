// The headers of H.264 slices, as far as it takes to make a picture that begins a decoder anew of one that
// was sent before.
//
// ITU-T H.264, 7.3.2.1 (sequence parameter set), 7.3.2.2 (picture parameter set), 7.3.3 (slice header). Pure
// functions, any thread; hostile input gives nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "protocol/nal/nal_units.hpp"

namespace simulcast::nal {

struct H264Sps {
  std::uint32_t id = 0;
  bool separate_colour_planes = false;
  unsigned frame_num_bits = 4;
  std::uint32_t poc_type = 0;
  unsigned poc_bits = 4;               // poc_type 0
  bool delta_poc_always_zero = false;  // poc_type 1
  bool frames_only = true;
};
std::optional<H264Sps> parse_h264_sps(Unit unit);

struct H264Pps {
  std::uint32_t id = 0;
  std::uint32_t sps_id = 0;
  bool cabac = false;
  bool bottom_field_poc = false;
  bool deblocking_control = false;
  bool redundant_pictures = false;
};
// Nothing for slice groups, which no encoder in this field uses.
std::optional<H264Pps> parse_h264_pps(Unit unit);

// Which picture parameter set a slice names.
std::optional<std::uint32_t> h264_slice_pps(Unit slice);

// The same slice as one of an IDR picture with this idr_pic_id (two IDR pictures in a row must differ in it,
// 7.4.3), which outputs what the decoder still holds and keeps nothing else. Only intra slices can be that;
// nothing for others.
inline constexpr std::uint32_t kMaxIdrPicId = 65535;
std::optional<std::vector<std::byte>> as_idr_slice(Unit slice, const H264Sps& sps, const H264Pps& pps,
                                                   std::uint32_t idr_pic_id);

}  // namespace simulcast::nal
