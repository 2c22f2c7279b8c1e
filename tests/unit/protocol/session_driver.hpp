// Drives the sessions in tests: feeds bytes in pieces and collects events; publishers and servers written by
// hand.
#pragma once

#include <gtest/gtest.h>

#include <vector>

#include "protocol/rtmp/amf0.hpp"
#include "protocol/rtmp/chunk_reader.hpp"
#include "protocol/rtmp/chunk_writer.hpp"
#include "protocol/rtmp/handshake.hpp"
#include "tests/unit/protocol/bytes.hpp"

namespace simulcast::test {

template <typename Session>
struct Fed {
  std::vector<typename Session::Event> events;
  boost::system::error_code error;
  Bytes sent;
};

// Feeds `input` in pieces, collecting what is sent; `on_event` may answer each event.
template <typename Session, typename OnEvent>
Fed<Session> feed(Session& session, std::span<const std::byte> input, std::size_t piece, OnEvent on_event) {
  Fed<Session> fed;
  const auto take_output = [&] {
    fed.sent = std::move(fed.sent) + session.output();
    session.output().clear();
  };
  do {
    auto in = input.first(std::min(piece, input.size()));
    input = input.subspan(in.size());
    for (;;) {
      auto event = session.read(in);
      take_output();
      if (event.has_error()) {
        fed.error = event.error();
        return fed;
      }
      if (!*event) break;
      on_event(**event);
      take_output();
      fed.events.push_back(std::move(**event));
    }
  } while (!input.empty());
  return fed;
}

template <typename Session>
Fed<Session> feed(Session& session, std::span<const std::byte> input, std::size_t piece = SIZE_MAX) {
  return feed(session, input, piece, [](const auto&) {});
}

// The version byte and packets of a peer that shakes hands the simple way.
inline Bytes simple_handshake() {
  Bytes bytes(1 + 2 * rtmp::kHandshakePacket);
  bytes[0] = std::byte{3};
  return bytes;
}

inline rtmp::Message command_message(std::initializer_list<rtmp::amf0::Value> values,
                                     std::uint32_t stream_id = 0) {
  return {.type = rtmp::MessageType::command_amf0,
          .stream_id = stream_id,
          .chunk_stream_id = 3,
          .timestamp = 0,
          .body = media::Payload::copy_of(rtmp::amf0::encode_all(values))};
}

// The other end of the connection: writes messages, reads what the session under test has sent.
class Peer {
 public:
  Bytes chunks(const rtmp::Message& message) {
    Bytes out;
    writer_.write(message, out);
    return out;
  }
  Bytes command(std::initializer_list<rtmp::amf0::Value> values, std::uint32_t stream_id = 0) {
    return chunks(command_message(values, stream_id));
  }
  Bytes media(rtmp::MessageType type, std::uint32_t timestamp, const Bytes& body) {
    return chunks({.type = type,
                   .stream_id = 1,
                   .chunk_stream_id = 4,
                   .timestamp = timestamp,
                   .body = media::Payload::copy_of(body)});
  }
  rtmp::ChunkWriter& writer() { return writer_; }

  // Messages in `sent`, which must be whole; the handshake is passed over the first time.
  std::vector<rtmp::Message> read(std::span<const std::byte> sent) {
    const std::size_t skipped = std::min(handshake_left_, sent.size());
    handshake_left_ -= skipped;
    sent = sent.subspan(skipped);
    std::vector<rtmp::Message> messages;
    for (;;) {
      auto message = reader_.read(sent);
      EXPECT_TRUE(message.has_value());
      if (message.has_error() || !*message) break;
      messages.push_back(std::move(**message));
    }
    return messages;
  }
  // The commands among them, taken apart.
  std::vector<std::vector<rtmp::amf0::Value>> commands(std::span<const std::byte> sent) {
    std::vector<std::vector<rtmp::amf0::Value>> commands;
    for (const auto& message : read(sent)) {
      if (message.type != rtmp::MessageType::command_amf0) continue;
      commands.push_back(rtmp::amf0::decode(message.body.bytes()).value());
      stream_ids_.push_back(message.stream_id);
    }
    return commands;
  }
  const std::vector<std::uint32_t>& stream_ids() const { return stream_ids_; }
  std::uint32_t chunk_size() const { return reader_.chunk_size(); }

 private:
  rtmp::ChunkWriter writer_;
  rtmp::ChunkReader reader_;
  std::size_t handshake_left_ = 1 + 2 * rtmp::kHandshakePacket;
  std::vector<std::uint32_t> stream_ids_;
};

// Of an onStatus, _result or _error: a property of the object in fourth place.
inline std::string info_of(const std::vector<rtmp::amf0::Value>& command, std::string_view name) {
  return command.size() < 4 ? "" : std::string(command[3].string_of(name).value_or(""));
}

}  // namespace simulcast::test
