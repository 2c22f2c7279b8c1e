// Checks decoder configuration records (ISO/IEC 14496-15) before anything else trusts the lengths inside.
//
//   avcC  u8 1, profile, compatibility, level, 6+2 bits length size, 3+5 bits SPS count, {u16, SPS}, u8 PPS
//   count,
//         {u16, PPS}, for high profiles four bytes more
//   hvcC  22 bytes of profile and the like (byte 21: length size), u8 arrays, {u8 type, u16 count, {u16, NAL
//   unit}}
//
// Pure functions, any thread.
#pragma once

#include <boost/system/result.hpp>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "protocol/nal/nal_units.hpp"

namespace simulcast::flv {

inline constexpr std::size_t kMaxConfigRecord = 64 * 1024;  // real ones are below 1 KiB

struct ConfigRecord {
  std::uint8_t nal_length_size = 4;  // bytes of the length before each NAL unit: 1, 2 or 4
  std::uint8_t profile = 0;
  std::uint8_t level = 0;
  std::size_t parameter_sets = 0;
};

boost::system::result<ConfigRecord> parse_avc_config(std::span<const std::byte> record);
boost::system::result<ConfigRecord> parse_hevc_config(std::span<const std::byte> record);
inline boost::system::result<ConfigRecord> parse_config(nal::Codec codec, std::span<const std::byte> record) {
  return codec == nal::Codec::h264 ? parse_avc_config(record) : parse_hevc_config(record);
}

// The parameter sets in a record that has been checked, in its order; they point into it.
std::vector<nal::Unit> parameter_sets(nal::Codec codec, std::span<const std::byte> record);

}  // namespace simulcast::flv
