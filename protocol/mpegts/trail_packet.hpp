// A stream's trail in a transport stream, where the protocol around it has no place for it: a packet of
// stuffing, which whoever does not know it throws away (ISO/IEC 13818-1, 2.4.1: null packets).
//
// Pure functions, any thread.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>

#include "media/trail.hpp"
#include "protocol/mpegts/packet.hpp"

namespace simulcast::mpegts {

std::array<std::byte, kPacketSize> trail_packet(const media::Trail& trail);

// Nothing if the datagram is not such a packet, alone.
std::optional<media::Trail> read_trail_packet(std::span<const std::byte> datagram);

}  // namespace simulcast::mpegts
