// Builds the decoder configuration records of codec_config.hpp from the parameter sets of an elementary
// stream.
//
// ISO/IEC 14496-15, 5.3.3.1 (avcC) and 8.3.3.1 (hvcC), with lengths of four bytes. Pure functions, any
// thread.
#pragma once

#include <boost/system/result.hpp>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "protocol/nal/nal_units.hpp"

namespace simulcast::flv {

// What both records repeat of the sequence parameter set.
struct PictureFormat {
  std::uint8_t chroma_format = 1;  // 0 monochrome, 1 4:2:0, 2 4:2:2, 3 4:4:4
  std::uint8_t luma_depth = 8;
  std::uint8_t chroma_depth = 8;
  bool operator==(const PictureFormat&) const = default;
};

using ParameterSets = std::span<const nal::Unit>;  // of one kind, in the order they came

// Error::bad_config without a set of each kind, or when one is too short or too long for its field;
// Error::config_too_long above kMaxConfigRecord.
boost::system::result<std::vector<std::byte>> build_avc_config(ParameterSets sps, ParameterSets pps,
                                                               const PictureFormat& format);
boost::system::result<std::vector<std::byte>> build_hevc_config(ParameterSets vps, ParameterSets sps,
                                                                ParameterSets pps,
                                                                const PictureFormat& format);

}  // namespace simulcast::flv
