// The header of one MPEG-TS packet.
//
//   u8  0x47
//   u16 error 1 bit, payload unit start 1, priority 1, PID 13
//   u8  scrambling 2 bits, adaptation field 1, payload 1, continuity counter 4
//   adaptation field: u8 length, then u8 discontinuity 1 bit, random access 1, ...
//
// ISO/IEC 13818-1, 2.4.3. Pure functions, any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "protocol/big_endian.hpp"

namespace simulcast::mpegts {

inline constexpr std::size_t kPacketSize = 188;
inline constexpr std::byte kSyncByte{0x47};
inline constexpr std::size_t kPidCount = 8192;
inline constexpr std::uint16_t kPatPid = 0;
inline constexpr std::uint16_t kNullPid = 0x1FFF;

struct PacketView {
  std::uint16_t pid = kNullPid;
  std::uint8_t continuity = 0;
  bool transport_error = false;
  bool unit_start = false;
  bool has_payload = false;
  bool discontinuity = false;
  bool random_access = false;
  std::span<const std::byte> payload;  // empty when the adaptation field leaves no room for it
};

// `packet` is kPacketSize long and begins with the sync byte; nothing else is taken for granted.
inline PacketView parse_packet(std::span<const std::byte> packet) {
  constexpr std::size_t kHeader = 4;
  PacketView view;
  const std::uint32_t flags = load_u16(&packet[1]);
  view.transport_error = (flags & 0x8000) != 0;
  view.unit_start = (flags & 0x4000) != 0;
  view.pid = static_cast<std::uint16_t>(flags & 0x1FFF);
  const std::uint32_t control = load_u8(&packet[3]);
  view.continuity = static_cast<std::uint8_t>(control & 0x0F);
  view.has_payload = (control & 0x10) != 0;
  std::size_t begin = kHeader;
  if ((control & 0x20) != 0) {
    const std::size_t length = load_u8(&packet[kHeader]);
    if (length > 0) {
      const std::uint32_t adaptation = load_u8(&packet[kHeader + 1]);
      view.discontinuity = (adaptation & 0x80) != 0;
      view.random_access = (adaptation & 0x40) != 0;
    }
    begin += 1 + length;
  }
  if (view.has_payload && begin < kPacketSize) view.payload = packet.subspan(begin, kPacketSize - begin);
  return view;
}

// Whether its adaptation field has more in it than its flags ask for. A PES packet seldom ends where a packet
// of the transport stream does: the one with its end is stuffed, the others are not. Takes what
// parse_packet() does.
inline bool is_stuffed(std::span<const std::byte> packet) {
  constexpr std::size_t kFlags = 5;
  if ((load_u8(&packet[3]) & 0x20) == 0) return false;
  const std::size_t length = load_u8(&packet[4]);
  if (length == 0) return true;
  const std::uint32_t flags = load_u8(&packet[kFlags]);
  std::size_t needed = 1;
  if ((flags & 0x10) != 0) needed += 6;               // PCR
  if ((flags & 0x08) != 0) needed += 6;               // OPCR
  if ((flags & 0x04) != 0) needed += 1;               // splice countdown
  for (const std::uint32_t sized : {0x02U, 0x01U}) {  // private data, extension
    if ((flags & sized) == 0) continue;
    if (kFlags + needed >= kPacketSize) return false;
    needed += 1 + load_u8(&packet[kFlags + needed]);
  }
  return length > needed || flags == 0;
}

}  // namespace simulcast::mpegts
