// Checksums are beyond a fuzzer: tables that lie in one packet get the right one, so that mutations reach
// what is behind.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "protocol/big_endian.hpp"
#include "protocol/mpegts/packet.hpp"
#include "protocol/mpegts/section.hpp"

namespace simulcast::fuzz {

inline std::vector<std::byte> with_checksums(std::span<const std::byte> input) {
  constexpr std::size_t kCrc = 4;
  std::vector<std::byte> bytes(input.begin(), input.end());
  for (std::size_t at = 0; at + mpegts::kPacketSize <= bytes.size(); at += mpegts::kPacketSize) {
    const auto packet = std::span(bytes).subspan(at, mpegts::kPacketSize);
    const auto view = mpegts::parse_packet(packet);
    if (!view.unit_start || view.payload.empty()) continue;
    const std::size_t pointer = 1 + load_u8(view.payload.data());
    if (pointer + mpegts::kSectionHeader > view.payload.size()) continue;
    const auto section = view.payload.subspan(pointer);
    const std::size_t size = mpegts::kSectionHeader + (load_u16(&section[1]) & 0x0FFF);
    // PES packets look otherwise: they begin with 00 00 01.
    if (load_u8(section.data()) > 2 || (load_u8(&section[1]) & 0x80) == 0) continue;
    if (size > section.size() || size < mpegts::kSectionHeader + kCrc) continue;
    const auto begin = static_cast<std::size_t>(section.data() - packet.data());
    store(&packet[begin + size - kCrc], mpegts::crc32(section.first(size - kCrc)), kCrc);
  }
  return bytes;
}

}  // namespace simulcast::fuzz
