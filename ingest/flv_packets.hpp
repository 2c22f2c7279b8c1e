// Makes media packets of an RTMP publisher's messages: the FLV tag body stays as it is, its first bytes say
// what it is, and the 32-bit millisecond clock is unwrapped.
//
// Sans-I/O; owned by one publisher session.
#pragma once

#include <cstdint>
#include <optional>

#include "media/packet.hpp"
#include "protocol/rtmp/server_session.hpp"

namespace simulcast::ingest {

class FlvPackets {
 public:
  // Nothing for what is not passed on: commands in the video channel, an end of sequence, which is kept back
  // (see take_end_of_sequence), and tag bodies that make no sense, which are counted.
  std::optional<media::Packet> packet_of(rtmp::MediaMessage&& message);

  // The encoder's end-of-sequence tag, if it was the last video it sent. Destinations may take it for the end
  // of the broadcast, so it is passed on only once the encoder has said goodbye.
  std::optional<media::Packet> take_end_of_sequence();

  std::uint64_t malformed() const { return malformed_; }

 private:
  media::Time unwrap(std::uint32_t timestamp);
  std::optional<media::Packet> video(media::Packet&& packet);
  std::optional<media::Packet> audio(media::Packet&& packet);
  std::optional<media::Packet> data(media::Packet&& packet);

  std::optional<std::int64_t> last_;  // unwrapped milliseconds of the last message
  std::optional<media::Packet> end_of_sequence_;
  std::uint64_t malformed_ = 0;
};

}  // namespace simulcast::ingest
