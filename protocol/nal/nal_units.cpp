#include "protocol/nal/nal_units.hpp"

#include <array>
#include <cstring>

namespace simulcast::nal {

namespace {

constexpr std::size_t kStartCode = 3;  // 00 00 01; a fourth zero before it belongs to no unit

// Where the next 00 00 01 begins, or the end.
std::size_t find_start_code(std::span<const std::byte> bytes, std::size_t from) {
  while (from + kStartCode <= bytes.size()) {
    // Looks for the 01, which is rarer than zeros are in coded video.
    const void* found = std::memchr(bytes.data() + from + 2, 1, bytes.size() - from - 2);
    if (found == nullptr) break;
    const auto one = static_cast<std::size_t>(static_cast<const std::byte*>(found) - bytes.data());
    if (bytes[one - 1] == std::byte{0} && bytes[one - 2] == std::byte{0}) return one - 2;
    from = one - 1;
  }
  return bytes.size();
}

Kind kind_of_h264(unsigned type) {
  switch (type) {
    case 1:
    case 2:
    case 3:
    case 4:
      return Kind::slice;
    case 5:
      return Kind::random_access;
    case 7:
      return Kind::sps;
    case 8:
      return Kind::pps;
    case 9:
      return Kind::delimiter;
    default:
      return Kind::other;
  }
}

Kind kind_of_h265(unsigned type) {
  constexpr unsigned kFirstIrap = 16;
  constexpr unsigned kLastIrap = 23;
  constexpr unsigned kLastVcl = 31;
  if (type >= kFirstIrap && type <= kLastIrap) return Kind::random_access;
  if (type <= kLastVcl) return Kind::slice;
  switch (type) {
    case 32:
      return Kind::vps;
    case 33:
      return Kind::sps;
    case 34:
      return Kind::pps;
    case 35:
      return Kind::delimiter;
    default:
      return Kind::other;
  }
}

}  // namespace

Kind kind_of(Codec codec, Unit unit) {
  if (unit.empty()) return Kind::other;
  const auto header = std::to_integer<unsigned>(unit.front());
  return codec == Codec::h264 ? kind_of_h264(header & 0x1F) : kind_of_h265((header >> 1) & 0x3F);
}

void split_annex_b(std::span<const std::byte> access_unit, std::vector<Unit>& units, std::size_t most) {
  units.clear();
  std::size_t start = find_start_code(access_unit, 0);
  while (start < access_unit.size() && units.size() < most) {
    const std::size_t begin = start + kStartCode;
    start = find_start_code(access_unit, begin);
    std::size_t end = start;
    while (end > begin && access_unit[end - 1] == std::byte{0}) --end;
    if (end > begin) units.push_back(access_unit.subspan(begin, end - begin));
  }
}

bool split_length_prefixed(std::span<const std::byte> access_unit, std::size_t length_size,
                           std::vector<Unit>& units, std::size_t most) {
  units.clear();
  while (!access_unit.empty()) {
    if (access_unit.size() < length_size || units.size() == most) return false;
    std::size_t length = 0;
    for (std::size_t i = 0; i < length_size; ++i) {
      length = length << 8 | std::to_integer<std::size_t>(access_unit[i]);
    }
    access_unit = access_unit.subspan(length_size);
    if (length > access_unit.size()) return false;
    if (length > 0) units.push_back(access_unit.first(length));
    access_unit = access_unit.subspan(length);
  }
  return true;
}

std::size_t copy_raw(Unit unit, std::span<std::byte> out) {
  std::size_t size = 0;
  int zeros = 0;
  for (const std::byte b : unit) {
    if (size == out.size()) break;
    if (zeros >= 2 && b == std::byte{3}) {
      zeros = 0;
      continue;
    }
    zeros = b == std::byte{0} ? zeros + 1 : 0;
    out[size++] = b;
  }
  return size;
}

bool has_recovery_point(Unit unit) {
  constexpr unsigned kSei = 6;
  constexpr std::size_t kRecoveryPoint = 6;
  constexpr std::size_t kLongest = 1024;  // messages beyond are not looked at
  if (unit.empty() || (std::to_integer<unsigned>(unit.front()) & 0x1F) != kSei) return false;
  std::array<std::byte, kLongest> raw;
  const std::size_t size = copy_raw(unit, raw);
  std::size_t at = 1;
  const auto number = [&] {  // each 0xFF counts 255 and another byte follows
    std::size_t value = 0;
    while (at < size && raw[at] == std::byte{0xFF}) value += std::to_integer<std::size_t>(raw[at++]);
    return at < size ? value + std::to_integer<std::size_t>(raw[at++]) : value;
  };
  while (at + 2 < size) {
    if (number() == kRecoveryPoint) return true;
    at += number();
  }
  return false;
}

}  // namespace simulcast::nal
