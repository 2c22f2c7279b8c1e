// One RTMP message, and the protocol control messages of section 5.4 of the specification and of 7.1.7 (user
// control).
//
// Plain values. The body of a Message is shared, never changed.
#pragma once

#include <boost/system/result.hpp>
#include <cstdint>

#include "media/payload.hpp"

namespace simulcast::rtmp {

enum class MessageType : std::uint8_t {
  set_chunk_size = 1,
  abort = 2,
  acknowledgement = 3,
  user_control = 4,
  window_ack_size = 5,
  set_peer_bandwidth = 6,
  audio = 8,
  video = 9,
  data_amf3 = 15,
  shared_object_amf3 = 16,
  command_amf3 = 17,
  data_amf0 = 18,
  shared_object_amf0 = 19,
  command_amf0 = 20,
  aggregate = 22,
};

struct Message {
  MessageType type{};
  std::uint32_t stream_id = 0;
  std::uint32_t chunk_stream_id = 0;
  std::uint32_t timestamp = 0;  // milliseconds, modulo 2^32
  media::Payload body;
};

// Chunk streams that we send on; the numbers are labels, these are the customary ones.
inline constexpr std::uint32_t kControlChunkStream = 2;  // demanded by the specification for types 1 to 6
inline constexpr std::uint32_t kCommandChunkStream = 3;

enum class UserControlEvent : std::uint16_t {
  stream_begin = 0,
  stream_eof = 1,
  stream_dry = 2,
  set_buffer_length = 3,
  stream_is_recorded = 4,
  ping_request = 6,
  ping_response = 7,
};

struct UserControl {
  UserControlEvent event{};
  std::uint32_t value = 0;  // a stream id, or the timestamp of a ping
};

enum class BandwidthLimit : std::uint8_t { hard = 0, soft = 1, dynamic = 2 };

Message set_chunk_size(std::uint32_t size);
Message acknowledgement(std::uint32_t bytes_received);
Message window_ack_size(std::uint32_t window);
Message set_peer_bandwidth(std::uint32_t window, BandwidthLimit limit);
Message user_control(UserControlEvent event, std::uint32_t value);

// The number that a control message of type 1, 2, 3, 5 or 6 begins with. Broken peers leave out the limit
// type of Set Peer Bandwidth, so only these four bytes are asked for.
boost::system::result<std::uint32_t> control_value(const Message& message);
boost::system::result<UserControl> parse_user_control(const Message& message);

}  // namespace simulcast::rtmp
