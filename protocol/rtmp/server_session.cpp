#include "protocol/rtmp/server_session.hpp"

#include <algorithm>
#include <random>
#include <utility>

#include "protocol/rtmp/error.hpp"
#include "protocol/rtmp/limits.hpp"

namespace simulcast::rtmp {

ServerSession::ServerSession(ServerOptions options)
    : options_(std::move(options)),
      handshake_(options_.handshake_seed ? *options_.handshake_seed : std::random_device{}()) {}

ServerSession::Step ServerSession::read(std::span<const std::byte>& in, const media::Payload* whole) {
  if (error_) return error_;
  const std::size_t before = in.size();
  auto step = advance(in, whole);
  received_ += before - in.size();
  if (step.has_error()) {
    error_ = step.error();
  } else if (in.empty()) {
    acknowledge();
  }
  return step;
}

ServerSession::Step ServerSession::advance(std::span<const std::byte>& in, const media::Payload* whole) {
  if (state_ == State::handshake) {
    if (const auto error = handshake_.read(in, output_)) return error;
    if (!handshake_.done()) return std::nullopt;
    state_ = State::connecting;
  }
  for (;;) {
    if (aggregate_) {
      auto part = aggregate_->next();
      if (part.has_error()) return part.error();
      if (*part) {
        auto step = handle_media(std::move(**part));
        if (step.has_error() || *step) return step;
        continue;
      }
      aggregate_.reset();
    }
    auto message = reader_.read(in, whole);
    if (message.has_error()) return message.error();
    if (!*message) return std::nullopt;
    auto step = handle(std::move(**message));
    if (step.has_error() || *step) return step;
  }
}

ServerSession::Step ServerSession::handle(Message&& message) {
  switch (message.type) {
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
    case MessageType::audio:
    case MessageType::video:
    case MessageType::data_amf0:
    case MessageType::data_amf3:
      return handle_media(std::move(message));
    case MessageType::aggregate:
      if (state_ < State::publishing) return Error::media_before_publish;
      aggregate_.emplace(std::move(message));
      return std::nullopt;
    case MessageType::command_amf0:
    case MessageType::command_amf3:
      return handle_command(message);
    default:
      return std::nullopt;  // acknowledgements, bandwidth, shared objects, what does not exist
  }
}

ServerSession::Step ServerSession::handle_media(Message&& message) {
  const bool is_data = message.type == MessageType::data_amf0 || message.type == MessageType::data_amf3;
  if (state_ < State::publishing) {
    if (is_data) return std::nullopt;
    return Error::media_before_publish;
  }
  if (state_ == State::ended) return std::nullopt;
  if (message.type == MessageType::data_amf3) {
    // In practice a zero byte and then AMF0 values. What is really AMF3 no RTMP destination expects.
    if (message.body.empty() || message.body.data()[0] != std::byte{0}) return std::nullopt;
    message.body = message.body.slice(1, message.body.size() - 1);
    message.type = MessageType::data_amf0;
  }
  return MediaMessage{.type = message.type, .timestamp = message.timestamp, .body = std::move(message.body)};
}

void ServerSession::accept_publish() {
  if (state_ != State::deciding) return;
  state_ = State::publishing;
  reader_.set_limits(ChunkReader::authorised());
  send(user_control(UserControlEvent::stream_begin, publish_stream_id_));
  send_status(publish_stream_id_, "status", "NetStream.Publish.Start", "The stream is being relayed.");
}

void ServerSession::reject_publish(std::string_view code, std::string_view description) {
  if (error_) return;
  if (state_ == State::deciding || state_ == State::publishing) {
    send_status(publish_stream_id_, "error", code, description);
  }
  state_ = State::ended;
  error_ = Error::rejected;
}

// Some encoders stop sending when acknowledgements cease. At most one for each run of bytes read, whatever
// the window.
void ServerSession::acknowledge() {
  if (state_ == State::handshake || received_ - acknowledged_ < ack_window_) return;
  acknowledged_ = received_;
  send(acknowledgement(static_cast<std::uint32_t>(received_)));  // modulo 2^32
}

void ServerSession::send(const Message& message) {
  writer_.write(message, output_);
}

void ServerSession::send_command(std::uint32_t stream_id, std::initializer_list<amf0::Value> values) {
  send({.type = MessageType::command_amf0,
        .stream_id = stream_id,
        .chunk_stream_id = kCommandChunkStream,
        .timestamp = 0,
        .body = media::Payload::copy_of(amf0::encode_all(values))});
}

void ServerSession::send_status(std::uint32_t stream_id, std::string_view level, std::string_view code,
                                std::string_view description) {
  send_command(stream_id,
               {"onStatus", 0.0, amf0::Null{},
                amf0::Object{{{"level", level}, {"code", code}, {"description", description}}, {}}});
}

}  // namespace simulcast::rtmp
