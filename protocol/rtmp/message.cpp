#include "protocol/rtmp/message.hpp"

#include <array>
#include <span>

#include "protocol/big_endian.hpp"
#include "protocol/rtmp/error.hpp"

namespace simulcast::rtmp {

namespace {

Message control(MessageType type, std::span<const std::byte> body) {
  return {.type = type,
          .stream_id = 0,
          .chunk_stream_id = kControlChunkStream,
          .timestamp = 0,
          .body = media::Payload::copy_of(body)};
}

Message control(MessageType type, std::uint32_t value) {
  std::array<std::byte, 4> body;
  store(body.data(), value, 4);
  return control(type, body);
}

}  // namespace

Message set_chunk_size(std::uint32_t size) {
  return control(MessageType::set_chunk_size, size);
}

Message acknowledgement(std::uint32_t bytes_received) {
  return control(MessageType::acknowledgement, bytes_received);
}

Message window_ack_size(std::uint32_t window) {
  return control(MessageType::window_ack_size, window);
}

Message set_peer_bandwidth(std::uint32_t window, BandwidthLimit limit) {
  std::array<std::byte, 5> body;
  store(body.data(), window, 4);
  body[4] = static_cast<std::byte>(limit);
  return control(MessageType::set_peer_bandwidth, body);
}

Message user_control(UserControlEvent event, std::uint32_t value) {
  std::array<std::byte, 6> body;
  store(body.data(), static_cast<std::uint16_t>(event), 2);
  store(body.data() + 2, value, 4);
  return control(MessageType::user_control, body);
}

boost::system::result<std::uint32_t> control_value(const Message& message) {
  if (message.body.size() < 4) return Error::bad_control_message;
  return load_u32(message.body.data());
}

boost::system::result<UserControl> parse_user_control(const Message& message) {
  if (message.body.size() < 2) return Error::bad_control_message;
  UserControl control{.event = static_cast<UserControlEvent>(load_u16(message.body.data())), .value = 0};
  // Some events (SWF verification) have no four-byte value.
  if (message.body.size() >= 6) control.value = load_u32(message.body.data() + 2);
  return control;
}

}  // namespace simulcast::rtmp
