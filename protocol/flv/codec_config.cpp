#include "protocol/flv/codec_config.hpp"

#include <algorithm>

#include "protocol/big_endian.hpp"
#include "protocol/flv/error.hpp"

namespace simulcast::flv {

using boost::system::result;

namespace {

constexpr std::size_t kAvcFixed = 6;
constexpr std::size_t kHevcFixed = 23;

// Passes over `count` parameter sets of u16 length each; false when they reach past the end or one is empty.
bool skip_sets(std::span<const std::byte>& rest, std::size_t count) {
  for (; count > 0; --count) {
    if (rest.size() < 2) return false;
    const std::size_t length = load_u16(rest.data());
    if (length == 0 || rest.size() - 2 < length) return false;
    rest = rest.subspan(2 + length);
  }
  return true;
}

// Reads `count` NAL units of u16 length each.
const std::byte* read_units(const std::byte* p, std::size_t count, std::vector<nal::Unit>& units) {
  for (; count > 0; --count) {
    const std::size_t length = load_u16(p);
    units.emplace_back(p + 2, length);
    p += 2 + length;
  }
  return p;
}

}  // namespace

result<ConfigRecord> parse_avc_config(std::span<const std::byte> record) {
  if (record.size() > kMaxConfigRecord) return Error::config_too_long;
  if (record.size() < kAvcFixed || record[0] != std::byte{1}) return Error::bad_config;
  ConfigRecord config{.nal_length_size = static_cast<std::uint8_t>((load_u8(&record[4]) & 3) + 1),
                      .profile = std::to_integer<std::uint8_t>(record[1]),
                      .level = std::to_integer<std::uint8_t>(record[3]),
                      .parameter_sets = 0};
  const std::size_t sps = load_u8(&record[5]) & 0x1F;
  auto rest = record.subspan(kAvcFixed);
  if (!skip_sets(rest, sps) || rest.empty()) return Error::bad_config;
  const std::size_t pps = load_u8(rest.data());
  rest = rest.subspan(1);
  if (!skip_sets(rest, pps)) return Error::bad_config;
  config.parameter_sets = sps + pps;  // what may follow for high profiles is left out by many encoders
  return config;
}

result<ConfigRecord> parse_hevc_config(std::span<const std::byte> record) {
  if (record.size() > kMaxConfigRecord) return Error::config_too_long;
  // The version is 1; encoders older than the final text write 0.
  if (record.size() < kHevcFixed || record[0] > std::byte{1}) return Error::bad_config;
  ConfigRecord config{.nal_length_size = static_cast<std::uint8_t>((load_u8(&record[21]) & 3) + 1),
                      .profile = static_cast<std::uint8_t>(load_u8(&record[1]) & 0x1F),
                      .level = std::to_integer<std::uint8_t>(record[12]),
                      .parameter_sets = 0};
  auto rest = record.subspan(kHevcFixed);
  for (std::size_t arrays = load_u8(&record[22]); arrays > 0; --arrays) {
    if (rest.size() < 3) return Error::bad_config;
    const std::size_t count = load_u16(rest.data() + 1);
    rest = rest.subspan(3);
    if (!skip_sets(rest, count)) return Error::bad_config;
    config.parameter_sets += count;
  }
  return config;
}

std::vector<nal::Unit> parameter_sets(nal::Codec codec, std::span<const std::byte> record) {
  std::vector<nal::Unit> sets;
  if (codec == nal::Codec::h264) {
    const std::byte* p = record.data() + kAvcFixed - 1;
    p = read_units(p + 1, load_u8(p) & 0x1F, sets);
    read_units(p + 1, load_u8(p), sets);
    return sets;
  }
  const std::byte* p = record.data() + kHevcFixed - 1;
  std::size_t arrays = load_u8(p++);
  for (; arrays > 0; --arrays) p = read_units(p + 3, load_u16(p + 1), sets);
  return sets;
}

}  // namespace simulcast::flv
