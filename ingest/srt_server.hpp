// Listens for SRT publishers: one UDP port for all inputs, told apart by the stream id.
//
// Who may come in is decided within the SRT handshake: the stream id names the input, the input's own
// passphrase is what the connection must be encrypted with, and a caller that has neither is rejected with a
// code that says why. Owned by daemon::Application; lives on the first shard, except admit(), which libsrt
// calls on its own thread. Sessions run on by themselves (srt_publisher.hpp).
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <string>
#include <string_view>

#include "config/config.hpp"
#include "ingest/publisher.hpp"
#include "net/shard.hpp"
#include "net/srt_handshakes.hpp"
#include "net/srt_socket.hpp"

namespace simulcast::ingest {

class SrtServer {
 public:
  // What the callers that are rejected are told, in the numbers of SRT's access control guideline.
  static constexpr int kBadRequest = 1400;
  static constexpr int kForbidden = 1403;
  static constexpr int kNotFound = 1404;
  static constexpr int kBadMode = 1405;

  SrtServer(net::SrtRuntime& runtime, net::ShardPool& shards, Gate& gate, const config::SrtIngest& config);
  ~SrtServer();

  // Throws std::runtime_error with a sentence when the address cannot be had.
  void open();
  // After the shards have started.
  void start();
  // On the first shard: no new connections from here on.
  void stop();

  boost::asio::ip::udp::endpoint endpoint() const { return listener_.endpoint(); }

 private:
  int admit(const net::SrtListener::Request& request);
  int refuse(const std::string& peer, std::string cause, int code);
  void log_refused(const std::string& peer, std::string_view cause);
  boost::asio::awaitable<void> accept_loop();
  boost::asio::awaitable<void> report_failures();

  net::SrtRuntime& runtime_;
  net::ShardPool& shards_;
  Gate& gate_;
  const config::SrtIngest config_;
  net::SrtHandshakes handshakes_{{}};  // noted is the passphrase
  boost::asio::steady_timer look_again_;
  // The refusal that was logged last: encoders try again many times a second.
  std::string last_host_;
  std::string last_cause_;
  std::chrono::steady_clock::time_point last_logged_{};
  unsigned repeated_ = 0;
  bool stopped_ = false;
  net::SrtListener listener_;
};

}  // namespace simulcast::ingest
