// Makes single MPEG-TS packets: what is put into a transport stream that somebody else muxes.
//
// ISO/IEC 13818-1, 2.4.3.2 to 2.4.3.7. Pure functions, any thread. Continuity counters are left at zero, for
// whoever owns the stream to count.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "media/packet.hpp"
#include "protocol/mpegts/packet.hpp"

namespace simulcast::mpegts {

// The 27 MHz clock reference: 33 bits of 90 kHz and a remainder of 300ths.
struct ClockReference {
  media::Time base{};
  std::uint16_t extension = 0;
};

// One access unit in one PES packet, presented when it is decoded. `random_access`: decoding may start here.
void append_pes(std::uint16_t pid, std::uint8_t stream_id, media::Time pts, bool random_access,
                std::span<const std::byte> access_unit, std::vector<std::byte>& packets);

// A packet that carries the clock reference and nothing else.
void append_clock(std::uint16_t pid, const ClockReference& clock, std::vector<std::byte>& packets);

}  // namespace simulcast::mpegts
