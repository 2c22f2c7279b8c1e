// Tells of a PES packet that nothing more of its PID follows, and that has no length, whether it is whole.
//
// Nothing in MPEG-TS marks the end of such a packet but the beginning of the next one. What a multiplexer
// does at the end of a PES packet and never within one shows it all the same:
//
//   stuffing   the last packet is filled up, unless what is left fills it exactly (one time in 184)
//   other      packets of another elementary stream, or null packets, where this multiplexer lets none come
//              between the packets of one PES
//   short      a datagram that is shorter than others: the encoder has sent out what was left
//
// Whether it does so within a PES packet as well is learned from those that have gone by, so that nothing is
// taken for a sign that is none with this encoder. Where there is no sign at all, the packet counts as torn:
// see docs/architecture.md. One behind which packets are missing is torn as well.
//
// Owned by a Demuxer, on its thread. ISO/IEC 13818-1, 2.4.3.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "protocol/mpegts/packet.hpp"

namespace simulcast::mpegts {

class PesEnds {
 public:
  // Watches these PIDs, from the next packet on. What was learned of those watched before is kept.
  void select(std::span<const std::uint16_t> pids);

  // In the order in which they came, of all PIDs.
  void packet(std::span<const std::byte> bytes, const PacketView& view);
  // The packets so far came in one datagram of this many bytes.
  void datagram_ended(std::size_t size);
  // Packets are missing here: what has begun is torn.
  void hole();

  // Nothing more comes: whether the last PES packet of the PID, one without a length, has its end.
  bool is_whole(std::uint16_t pid) const;

 private:
  enum Sign : std::uint8_t { stuffing, other_stream, null_packet, short_datagram, kSigns };
  using Counts = std::array<std::uint32_t, kSigns>;

  struct Watched {
    std::uint16_t pid;
    bool open = false;  // a PES packet has begun, and all its packets have come so far
    std::optional<std::uint8_t> continuity{};
    Counts behind{};  // the last packet of the PID
    Counts within{};  // the most between two packets of one PES packet
  };

  void packet_of(Watched& watched, std::span<const std::byte> bytes, const PacketView& view);
  void count(Sign sign);

  std::vector<Watched> watched_;
  std::size_t longest_datagram_ = 0;
};

}  // namespace simulcast::mpegts
