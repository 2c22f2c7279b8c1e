// Keeps a stream going over the seams between its publishers: what it is fed with while none is there, and,
// in MPEG-TS, one clock and one count of packets for all of them.
//
// Declared here for media::Stream, which owns one; implemented in continuity/. Lives on the stream's shard:
// no blocking, no throwing for bad media, of which nothing is made.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "media/lane.hpp"
#include "media/packet.hpp"
#include "media/timeline.hpp"

namespace simulcast::media {

class Continuity {
 public:
  using Clock = Timeline::Clock;

  virtual ~Continuity() = default;

  // The datagrams of another publisher follow: its clock and its counters are joined to what went before.
  virtual void begin_publisher() = 0;
  // A datagram of whole MPEG-TS packets from the publisher, before anybody else sees it. That of the first
  // publisher stays as it is; behind a seam its times and counters are rewritten in place.
  virtual void join(std::span<std::byte> datagram, Clock::time_point arrival) = 0;

  // The publisher has gone quiet. `lane` is that of its form, `timeline` says where the tracks of FLV stand.
  virtual void begin_filling(PacketForm form, const Lane& lane, const Timeline& timeline) = 0;
  // Adds what is due by then, in the order it is to be sent; FLV in stream time.
  virtual void fill(Clock::time_point now, std::vector<Packet>& out) = 0;
  virtual void end_filling() = 0;
};

using ContinuityFactory = std::function<std::unique_ptr<Continuity>()>;

}  // namespace simulcast::media
