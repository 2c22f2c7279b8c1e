#include "protocol/flv/codec_config_build.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include "protocol/big_endian.hpp"
#include "protocol/flv/codec_config.hpp"
#include "protocol/flv/error.hpp"

namespace simulcast::flv {

using boost::system::result;

namespace {

bool are_sound(ParameterSets sets, std::size_t least, std::size_t most_sets) {
  return !sets.empty() && sets.size() <= most_sets && std::ranges::all_of(sets, [least](nal::Unit set) {
    return set.size() >= least && set.size() <= std::numeric_limits<std::uint16_t>::max();
  });
}

void append_sets(std::vector<std::byte>& out, ParameterSets sets) {
  for (const nal::Unit set : sets) {
    append(out, set.size(), 2);
    out.insert(out.end(), set.begin(), set.end());
  }
}

result<std::vector<std::byte>> checked(std::vector<std::byte>&& record) {
  if (record.size() > kMaxConfigRecord) return Error::config_too_long;
  return std::move(record);
}

}  // namespace

result<std::vector<std::byte>> build_avc_config(ParameterSets sps, ParameterSets pps,
                                                const PictureFormat& format) {
  constexpr std::size_t kMaxSps = 31;
  constexpr std::size_t kMaxPps = 255;
  if (!are_sound(sps, 4, kMaxSps) || !are_sound(pps, 1, kMaxPps)) return Error::bad_config;
  std::vector<std::byte> record;
  append(record, 1, 1);
  record.insert(record.end(), sps[0].begin() + 1, sps[0].begin() + 4);  // profile, compatibility, level
  append(record, 0xFF, 1);                                              // lengths of four bytes
  append(record, 0xE0 | sps.size(), 1);
  append_sets(record, sps);
  append(record, pps.size(), 1);
  append_sets(record, pps);
  const std::uint32_t profile = load_u8(&sps[0][1]);
  if (profile != 66 && profile != 77 && profile != 88) {  // baseline, main, extended
    append(record, 0xFCU | format.chroma_format, 1);
    append(record, 0xF8U | (format.luma_depth - 8U), 1);
    append(record, 0xF8U | (format.chroma_depth - 8U), 1);
    append(record, 0, 1);
  }
  return checked(std::move(record));
}

result<std::vector<std::byte>> build_hevc_config(ParameterSets vps, ParameterSets sps, ParameterSets pps,
                                                 const PictureFormat& format) {
  constexpr std::size_t kHeader = 2;
  constexpr std::size_t kProfileTierLevel = 12;
  constexpr std::size_t kMaxSets = 64;
  std::array<std::byte, kHeader + 1 + kProfileTierLevel> head{};
  if (!are_sound(vps, kHeader + 1, kMaxSets) || !are_sound(sps, kHeader + 1, kMaxSets) ||
      !are_sound(pps, kHeader + 1, kMaxSets) || nal::copy_raw(sps[0], head) < head.size()) {
    return Error::bad_config;
  }
  const std::uint32_t layers = load_u8(&head[kHeader]);  // VPS id 4 bits, sub-layers - 1 3, nested 1
  std::vector<std::byte> record;
  append(record, 1, 1);
  record.insert(record.end(), head.begin() + kHeader + 1, head.end());
  append(record, 0xF000, 2);  // smallest spatial segment: not told
  append(record, 0xFC, 1);    // parallelism: not told
  append(record, 0xFCU | format.chroma_format, 1);
  append(record, 0xF8U | (format.luma_depth - 8U), 1);
  append(record, 0xF8U | (format.chroma_depth - 8U), 1);
  append(record, 0, 2);  // average frame rate: not told
  append(record, ((layers >> 1 & 7) + 1) << 3 | (layers & 1) << 2 | 3, 1);
  append(record, 3, 1);
  // Array completeness is 0: the frames carry their sets as well.
  struct Array {
    unsigned type;
    ParameterSets sets;
  };
  for (const Array& array : {Array{32, vps}, Array{33, sps}, Array{34, pps}}) {
    append(record, array.type, 1);
    append(record, array.sets.size(), 2);
    append_sets(record, array.sets);
  }
  return checked(std::move(record));
}

}  // namespace simulcast::flv
