// Puts the sections of one PID together: what the tables of a transport stream (PAT, PMT) are sent as.
//
//   payload of a packet with unit start: u8 pointer, that many bytes of the section before, then sections
//   section = u8 table id, 1 bit syntax, 3 bits, 12 bits length of the rest (at most 1021), ..., u32 CRC
//
// Keeps, beside the section, the whole packets it came in, so that it can be sent again as it was. ISO/IEC
// 13818-1, 2.4.4. Owned by Tables; no thread of its own. Memory is taken once and is bounded.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "protocol/mpegts/packet.hpp"

namespace simulcast::mpegts {

inline constexpr std::size_t kSectionHeader = 3;
inline constexpr std::size_t kMaxSectionLength = 1021;  // as the length field of PAT and PMT counts it
inline constexpr std::size_t kMaxSection = kSectionHeader + kMaxSectionLength;
// Packets one section may spread over: six when they are full, more when a muxer pads them.
inline constexpr std::size_t kMaxSectionPackets = 16;

// CRC-32/MPEG-2; 0 over a section that ends with its own.
std::uint32_t crc32(std::span<const std::byte> bytes);

class SectionReader {
 public:
  // Calls `accept(section)` for each section that ends in this packet, its CRC checked; when that returns
  // true, the packets of the section become packets().
  template <typename Accept>
  void push(std::span<const std::byte> packet, const PacketView& view, Accept&& accept);

  // The packets of the newest section accepted, one behind the other.
  std::span<const std::byte> packets() const { return accepted_; }
  std::uint64_t broken() const { return broken_; }

 private:
  bool begin(const PacketView& view);
  // Takes what belongs to the section off `bytes`; true when it is complete.
  bool collect(std::span<const std::byte>& bytes);
  bool is_sound();
  void keep(std::span<const std::byte> packet);
  void drop();

  std::array<std::byte, kMaxSection> section_;
  std::size_t size_ = 0;
  bool collecting_ = false;
  std::uint8_t continuity_ = 0;
  std::vector<std::byte> collected_;  // the packets of the section being put together
  std::vector<std::byte> accepted_;
  std::uint64_t broken_ = 0;
};

template <typename Accept>
void SectionReader::push(std::span<const std::byte> packet, const PacketView& view, Accept&& accept) {
  auto bytes = view.payload;
  if (bytes.empty() || !begin(view)) return;
  const auto finish = [&] {
    if (is_sound() && accept(std::span<const std::byte>(section_.data(), size_))) accepted_.swap(collected_);
    drop();
  };
  if (view.unit_start) {
    const std::size_t pointer = load_u8(bytes.data());
    if (pointer >= bytes.size()) return drop();
    auto rest = bytes.subspan(1, pointer);
    bytes = bytes.subspan(1 + pointer);
    if (collecting_) {
      keep(packet);
      if (collecting_ && collect(rest)) finish();
    }
    drop();
    while (!bytes.empty() && bytes.front() != std::byte{0xFF}) {  // stuffing ends the sections
      collecting_ = true;
      keep(packet);
      if (!collect(bytes)) break;
      finish();
    }
  } else if (collecting_) {
    keep(packet);
    if (collecting_ && collect(bytes)) finish();
  }
}

}  // namespace simulcast::mpegts
