// One publisher's connection seen from the server, from the first byte of the handshake on. Sans-I/O.
//
// Owned by an ingest session, on its shard. The owner feeds what it receives, in a loop:
//
//   while (true) {
//     auto event = session.read(in);       // stops behind each event, so call it until there is none
//     send session.output() and clear it   // also, and first, when read() gave an error
//     if (!event || !*event) break;
//     ...
//   }
//
// and answers PublishRequest with accept_publish() or reject_publish(), at leisure: bytes that arrive
// meanwhile may wait unread. Time is the owner's: deadlines for handshake, publish and silence, and a bound
// on output() that a peer does not read.
#pragma once

#include <boost/system/result.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "media/payload.hpp"
#include "media/trail.hpp"
#include "protocol/rtmp/aggregate.hpp"
#include "protocol/rtmp/amf0.hpp"
#include "protocol/rtmp/chunk_reader.hpp"
#include "protocol/rtmp/chunk_writer.hpp"
#include "protocol/rtmp/handshake.hpp"
#include "protocol/rtmp/message.hpp"

namespace simulcast::rtmp {

struct ServerOptions {
  std::string application = "live";  // the only one there is
  std::uint32_t chunk_size =
      65'536;  // ffmpeg adopts it for sending: one header a frame instead of one each 128 bytes
  std::optional<std::uint64_t> handshake_seed;  // for tests; random otherwise
};

// Waits for accept_publish() or reject_publish(). `key` is not checked, and secret; tc_url may hold it too.
struct PublishRequest {
  std::string app;
  std::string key;
  std::string tc_url;
  std::string flash_version;  // the encoder's name for itself; printable
  media::Trail trail;         // if it is a relay that tells one
};
struct MediaMessage {
  MessageType type{};           // audio, video or data_amf0
  std::uint32_t timestamp = 0;  // milliseconds, modulo 2^32
  media::Payload body;
};
// The publisher said goodbye (FCUnpublish, deleteStream, closeStream). Media that still follows is dropped.
struct PublishEnded {};

class ServerSession {
 public:
  using Event = std::variant<PublishRequest, MediaMessage, PublishEnded>;

  explicit ServerSession(ServerOptions options = {});

  // Consumes from the front of `in`. Nothing: more bytes are needed. An error ends the session and stays; the
  // answer that explains it to the peer, if there is one, is in output(). `whole`: see ChunkReader.
  boost::system::result<std::optional<Event>> read(std::span<const std::byte>& in,
                                                   const media::Payload* whole = nullptr);

  void accept_publish();
  // Also after accept_publish(), to say why the session is ended. `code` as in "NetStream.Publish.BadName".
  // The next read() gives Error::rejected.
  void reject_publish(std::string_view code, std::string_view description);

  // Bytes to send; the owner drains and clears.
  std::vector<std::byte>& output() { return output_; }
  std::uint64_t bytes_received() const { return received_; }
  // See ChunkReader; while media flows.
  std::size_t missing() const { return reader_.missing(); }

 private:
  enum class State : std::uint8_t { handshake, connecting, connected, deciding, publishing, ended };

  using Step = boost::system::result<std::optional<Event>>;
  using Arguments = std::span<const amf0::Value>;  // what follows name and transaction number of a command

  Step advance(std::span<const std::byte>& in, const media::Payload* whole);
  Step handle(Message&& message);
  Step handle_media(Message&& message);
  Step handle_command(const Message& message);
  Step on_command(std::string_view name, double transaction, Arguments arguments, std::uint32_t stream_id);
  Step on_connect(double transaction, Arguments arguments);
  Step on_publish(Arguments arguments, std::uint32_t stream_id);
  Step on_goodbye();
  // The properties that Enhanced RTMP adds to the answer, for a client that shows it knows them.
  static void add_capabilities(const amf0::Value& client, amf0::Object& answer);
  void acknowledge();
  void send(const Message& message);
  void send_command(std::uint32_t stream_id, std::initializer_list<amf0::Value> values);
  void send_status(std::uint32_t stream_id, std::string_view level, std::string_view code,
                   std::string_view description);

  const ServerOptions options_;
  State state_ = State::handshake;
  boost::system::error_code error_;  // sticky
  ServerHandshake handshake_;
  ChunkReader reader_;
  ChunkWriter writer_;
  std::vector<std::byte> output_;

  std::uint64_t received_ = 0;
  std::uint64_t acknowledged_ = 0;
  std::uint32_t ack_window_ = kDefaultAckWindow;
  int commands_ = 0;
  std::uint32_t streams_created_ = 0;
  std::uint32_t publish_stream_id_ = 0;
  std::string app_;
  std::string tc_url_;
  media::Trail trail_;
  std::string flash_version_;

  std::optional<AggregateReader> aggregate_;  // being taken apart
};

}  // namespace simulcast::rtmp
