#include "protocol/rtmp/client_session.hpp"

#include <algorithm>
#include <random>
#include <utility>

#include "protocol/rtmp/error.hpp"
#include "protocol/rtmp/limits.hpp"

namespace simulcast::rtmp {

ClientSession::ClientSession(ClientOptions options)
    : options_(std::move(options)),
      handshake_(options_.handshake_seed ? *options_.handshake_seed : std::random_device{}()) {
  const std::string& name = options_.stream_name;
  secrets_.push_back(name);
  secrets_.push_back(name.substr(0, name.find('?')));
  // Signed URLs carry their token in the application's query.
  if (const auto query = options_.app.find('?'); query != std::string::npos) {
    secrets_.push_back(options_.app.substr(query + 1));
  }
}

void ClientSession::start() {
  handshake_.start(output_);
}

ClientSession::Step ClientSession::read(std::span<const std::byte>& in) {
  if (error_) return error_;
  const std::size_t before = in.size();
  auto step = advance(in);
  received_ += before - in.size();
  if (step.has_error()) {
    error_ = step.error();
  } else if (in.empty()) {
    acknowledge();
  }
  return step;
}

ClientSession::Step ClientSession::advance(std::span<const std::byte>& in) {
  if (state_ == State::handshake) {
    if (const auto error = handshake_.read(in, output_)) return error;
    if (!handshake_.done()) return std::nullopt;
    send_connect();
  }
  for (;;) {
    auto message = reader_.read(in);
    if (message.has_error()) return message.error();
    if (!*message) return std::nullopt;
    auto step = handle(**message);
    if (step.has_error() || *step) return step;
  }
}

ClientSession::Step ClientSession::handle(const Message& message) {
  switch (message.type) {
    case MessageType::acknowledgement: {
      const auto total = control_value(message);
      if (total.has_error()) return total.error();
      return on_acknowledgement(*total);
    }
    case MessageType::window_ack_size: {
      const auto window = control_value(message);
      if (window.has_error()) return window.error();
      ack_window_ = std::max(*window, kMinAckWindow);
      return std::nullopt;
    }
    case MessageType::user_control: {
      const auto control = parse_user_control(message);
      if (control.has_error()) return control.error();
      if (control->event == UserControlEvent::ping_request) {
        send(user_control(UserControlEvent::ping_response, control->value));
      }
      return std::nullopt;
    }
    case MessageType::command_amf0:
    case MessageType::command_amf3:
      return handle_command(message);
    default:
      return std::nullopt;
  }
}

// The counter on the wire has 32 bits and passes them after 4 GiB: it is read as the nearest value not behind
// the last.
ClientSession::Step ClientSession::on_acknowledgement(std::uint32_t total) {
  const std::uint32_t step = total - static_cast<std::uint32_t>(peer_acknowledged_);
  if (step >= 0x8000'0000) return std::nullopt;  // behind
  peer_acknowledged_ += step;
  return Acknowledged{peer_acknowledged_};
}

// As servers do it for us. At most one for each run of bytes read, whatever the window.
void ClientSession::acknowledge() {
  if (state_ == State::handshake || received_ - acknowledged_ < ack_window_) return;
  acknowledged_ = received_;
  send(acknowledgement(static_cast<std::uint32_t>(received_)));  // modulo 2^32
}

void ClientSession::send(const Message& message) {
  writer_.write(message, output_);
}

void ClientSession::send_command(std::uint32_t chunk_stream_id, std::uint32_t stream_id,
                                 std::initializer_list<amf0::Value> values) {
  send({.type = MessageType::command_amf0,
        .stream_id = stream_id,
        .chunk_stream_id = chunk_stream_id,
        .timestamp = 0,
        .body = media::Payload::copy_of(amf0::encode_all(values))});
}

}  // namespace simulcast::rtmp
