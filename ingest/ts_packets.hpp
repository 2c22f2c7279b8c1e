// Makes media packets of an SRT publisher's datagrams: the MPEG-TS stays as it is, a look inside says where
// an output can begin.
//
// Sans-I/O; owned by one publisher session.
#pragma once

#include <cstdint>
#include <optional>

#include "media/packet.hpp"
#include "protocol/mpegts/scanner.hpp"

namespace simulcast::ingest {

class TsPackets {
 public:
  struct Packets {
    std::optional<media::Packet>
        join_header;  // before a keyframe: what an output that joins there needs first
    media::Packet datagram;
  };
  // Nothing for what is no MPEG-TS, which is counted. Times are left to the stream: they are those of
  // arrival.
  std::optional<Packets> packets_of(media::Payload&& datagram);

  std::uint64_t malformed() const { return malformed_; }

 private:
  mpegts::Scanner scanner_;
  std::uint64_t malformed_ = 0;
};

}  // namespace simulcast::ingest
