// Groups MPEG-TS packets into datagrams of up to seven, as SRT carries them, and remembers of each what a
// relay must know: when it is of, whether decoding can start with it, how many access units begin in it.
//
// The bytes are cut from slabs that the datagrams share: no allocation per datagram. Owned by whoever muxes;
// any one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "media/packet.hpp"
#include "media/payload.hpp"
#include "media/payload_slab.hpp"
#include "protocol/mpegts/packet.hpp"

namespace simulcast::mpegts {

inline constexpr std::size_t kMaxDatagram = 7 * kPacketSize;  // what fits the payload of one SRT packet

struct Datagram {
  media::Payload bytes;
  media::Time time{};       // of the access unit that it begins with or continues
  bool join_point = false;  // it begins with the tables that a join point brings along
  std::uint8_t units = 0;   // counted ones that begin in it
};

class DatagramWriter {
 public:
  // What is appended from now on belongs to this access unit. A join point starts a fresh datagram.
  void begin_unit(media::Time time, bool join_point, bool counted);
  // `starts_unit`: with it the access unit itself begins, after the tables that may precede it.
  void append(std::span<const std::byte, kPacketSize> packet, bool starts_unit);
  // Ends the datagram that is being filled, if there is one.
  void cut();

  bool filling() const { return filled_ > 0; }
  // Of the datagram that is being filled.
  media::Time filling_time() const { return current_.time; }

  // Those that are complete, in order; the caller clears them away.
  std::vector<Datagram>& complete() { return complete_; }

 private:
  void open();

  media::PayloadSlab slab_;
  std::span<std::byte> room_;  // for the datagram that is being filled
  std::size_t filled_ = 0;
  Datagram current_;
  std::vector<Datagram> complete_;

  media::Time unit_time_{};
  bool unit_join_point_ = false;  // until its first packet
  bool unit_counted_ = false;
};

}  // namespace simulcast::mpegts
