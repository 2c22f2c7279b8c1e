// One unit of media on its way from the publisher to the outputs.
//
// A small value: everything but the payload is copied, the payload is shared. What differs per output (its
// timestamp base, chunk headers) is kept in the output, never here.
#pragma once

#include <chrono>
#include <cstdint>
#include <ratio>

#include "media/payload.hpp"

namespace simulcast::media {

// Media time in 90 kHz ticks, 64-bit: the millisecond clock of RTMP (90 ticks each) and the clock of MPEG-TS
// are both exact in it, so that no conversion ever drifts.
using Time = std::chrono::duration<std::int64_t, std::ratio<1, 90'000>>;

enum class MediaKind : std::uint8_t { video, audio, data };

enum class PacketRole : std::uint8_t {
  frame,         // media that is presented once
  codec_header,  // decoder configuration: kept, and replayed to every output that joins
  metadata,      // describes the whole stream (onMetaData): kept and replayed like a codec header
  join_header,   // what only an output that joins needs first (PAT and PMT): kept, not offered to those who
                 // run
};

// How media is framed on the wire. A stream comes in one form and goes out in both.
enum class PacketForm : std::uint8_t {
  flv,     // RTMP: a payload is the body of one FLV tag
  mpegts,  // SRT: a payload is one datagram of whole MPEG-TS packets
};

struct Packet {
  MediaKind kind = MediaKind::data;
  PacketRole role = PacketRole::frame;
  std::uint8_t track = 0;
  std::uint8_t variant =
      0;  // tells several codec headers of one track apart (configuration, colour information)
  bool keyframe : 1 = false;      // a video frame that decoding can start from begins in it
  bool after_hole : 1 = false;    // of MPEG-TS: datagrams are missing in front of it
  std::uint8_t frames = 1;        // that begin in it; a datagram may hold several, or only a part of one
  std::uint16_t sync_offset = 0;  // where in the payload the keyframe begins; what lies before is older
  Time dts{};                     // stream time once it has passed the Timeline, the publisher's time before
  Time pts{};
  Payload payload;  // framed as the PacketForm of the lane it is in says
};

}  // namespace simulcast::media
