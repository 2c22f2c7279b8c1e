// Numbers in network byte order, as all of RTMP and FLV but one field has them. The caller has checked the
// length.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace simulcast {

constexpr std::uint32_t load_u8(const std::byte* p) {
  return std::to_integer<std::uint32_t>(*p);
}
constexpr std::uint32_t load_u16(const std::byte* p) {
  return load_u8(p) << 8 | load_u8(p + 1);
}
constexpr std::uint32_t load_u24(const std::byte* p) {
  return load_u16(p) << 8 | load_u8(p + 2);
}
constexpr std::uint32_t load_u32(const std::byte* p) {
  return load_u16(p) << 16 | load_u16(p + 2);
}
constexpr std::uint64_t load_u64(const std::byte* p) {
  return static_cast<std::uint64_t>(load_u32(p)) << 32 | load_u32(p + 4);
}

// The lowest `bytes` bytes of `value`; returns the position behind them.
constexpr std::byte* store(std::byte* p, std::uint64_t value, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) *p++ = static_cast<std::byte>(value >> shift);
  return p;
}

inline void append(std::vector<std::byte>& out, std::uint64_t value, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
    out.push_back(static_cast<std::byte>(value >> shift));
}

}  // namespace simulcast
