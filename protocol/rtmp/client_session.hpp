// Our connection to an RTMP destination, from the first byte of the handshake to the end of the broadcast.
// Sans-I/O.
//
// Owned by a sink, on its shard: start(), then feed read() in a loop and send output() until PublishAccepted;
// from then on media goes out through writer() with stream_id(), while read() must go on being fed, since
// servers tell errors late. finish() ends the broadcast for good. The order of messages is that of OBS, which
// every service takes. Time is the owner's. What a server may make us hold is bounded by the limits for
// strangers.
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

#include "media/trail.hpp"
#include "protocol/rtmp/amf0.hpp"
#include "protocol/rtmp/chunk_reader.hpp"
#include "protocol/rtmp/chunk_writer.hpp"
#include "protocol/rtmp/handshake.hpp"
#include "protocol/rtmp/message.hpp"

namespace simulcast::rtmp {

struct ClientOptions {
  std::string tc_url;
  std::string app;
  std::string stream_name;  // secret
  media::Trail trail;
  std::string flash_version = "FMLE/3.0 (compatible; simulcastd)";
  std::uint32_t chunk_size = 4096;       // OBS's: works everywhere
  std::uint32_t max_chunk_size = 65536;  // the most we raise it to for a server that itself uses larger ones
  std::optional<std::uint64_t> handshake_seed;  // for tests; random otherwise
};

struct PublishAccepted {};
// The server said no, before or after acceptance. Its own words, fit for a log: printable UTF-8, cut, secrets
// masked.
struct Rejected {
  std::string code;
  std::string description;
  bool at_connect = false;
};
struct Acknowledged {
  std::uint64_t total = 0;  // bytes the server has received; the 32-bit counter unwrapped
};

class ClientSession {
 public:
  using Event = std::variant<PublishAccepted, Rejected, Acknowledged>;

  explicit ClientSession(ClientOptions options);

  // Queues C0 and C1.
  void start();
  // Consumes from the front of `in`. Nothing: more bytes are needed. An error ends the session and stays.
  boost::system::result<std::optional<Event>> read(std::span<const std::byte>& in);
  // Queues FCUnpublish and deleteStream, which tell the server that the broadcast is over and not merely cut.
  void finish();

  // Bytes to send; the owner drains and clears. Control messages may be sent between chunks of media.
  std::vector<std::byte>& output() { return output_; }
  ChunkWriter& writer() { return writer_; }
  std::uint32_t stream_id() const { return stream_id_; }
  // What the server is to answer next: connect (or createStream); publish.
  bool wants_connect() const { return state_ == State::connecting || state_ == State::creating; }
  bool wants_publish() const { return state_ == State::publish_sent; }

 private:
  enum class State : std::uint8_t {
    handshake,
    connecting,
    creating,
    publish_sent,
    publishing,
    rejected,
    finished
  };

  using Step = boost::system::result<std::optional<Event>>;
  using Arguments = std::span<const amf0::Value>;  // what follows name and transaction number of a command

  Step advance(std::span<const std::byte>& in);
  Step handle(const Message& message);
  Step on_acknowledgement(std::uint32_t total);
  Step handle_command(const Message& message);
  Step on_result(double transaction, Arguments arguments);
  Step on_error(double transaction, Arguments arguments);
  Step on_status(Arguments arguments);
  Event accepted();
  Event refused(Arguments arguments, bool at_connect);
  void send_connect();
  void send_create_stream();
  void send_publish();
  void raise_chunk_size();
  void acknowledge();
  void send(const Message& message);
  void send_command(std::uint32_t chunk_stream_id, std::uint32_t stream_id,
                    std::initializer_list<amf0::Value> values);

  const ClientOptions options_;
  State state_ = State::handshake;
  boost::system::error_code error_;  // sticky
  ClientHandshake handshake_;
  ChunkReader reader_;
  ChunkWriter writer_;
  std::vector<std::byte> output_;

  std::uint64_t received_ = 0;
  std::uint64_t acknowledged_ = 0;
  std::uint32_t ack_window_ = kDefaultAckWindow;
  std::uint64_t peer_acknowledged_ = 0;
  std::uint32_t stream_id_ = 0;
  std::vector<std::string> secrets_;  // masked in the server's words
};

}  // namespace simulcast::rtmp
