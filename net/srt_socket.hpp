// An SRT connection and its listener, driven by readiness like net::Transport: nothing here blocks or waits,
// who gets `blocked` waits for the socket and tries again.
//
// Live mode: one message is one datagram (SRT: draft-sharabayko-srt-01; libsrt's API.md). Owned by one
// session or sink, used on the executor it was made for.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/udp.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "net/srt_runtime.hpp"

namespace simulcast::net {

// The largest message of a live connection: what 1500 bytes of Ethernet leave.
inline constexpr std::size_t kMaxSrtMessage = 1456;

struct SrtOptions {
  std::chrono::milliseconds latency{120};
  std::string stream_id;   // callers only
  std::string passphrase;  // a secret; empty: not encrypted
  int key_length = 0;      // 16, 24 or 32; 0: the peer's
  bool rendezvous = false;
  std::optional<std::chrono::milliseconds> send_drop_delay;  // on top of libsrt's own
};

struct SrtStats {
  std::chrono::microseconds rtt{};
  std::chrono::milliseconds latency{};      // negotiated, of what the peer receives
  std::chrono::milliseconds send_buffer{};  // media time sent and not yet acknowledged
  std::uint64_t unacknowledged_packets = 0;
  std::uint64_t retransmitted = 0;     // packets
  std::uint64_t lost = 0;              // packets that the peer has missed, most of them repaired
  std::uint64_t dropped = 0;           // packets given up as too late
  std::uint64_t received_lost = 0;     // packets that we have missed, most of them repaired
  std::uint64_t received_dropped = 0;  // packets that never came in time
};

// Why a connection was not made. `code` is libsrt's rejection reason or the peer's own (1000 and up), 0 when
// there is none.
struct SrtRejection {
  int code = 0;
  bool timed_out = false;
};
inline constexpr int kSrtBadSecret = 10;
inline constexpr int kSrtUnsecure = 11;

class SrtSocket {
 public:
  struct Received {
    std::size_t bytes = 0;
    bool blocked = false;
    bool ended = false;  // the connection is gone
    bool after_hole =
        false;  // messages of the peer are missing in front of it: lost, and not repaired in time
  };
  enum class Sent { taken, blocked, ended };

  // Takes over `handle`.
  SrtSocket(SrtRuntime& runtime, SrtHandle handle, const boost::asio::any_io_executor& executor);
  ~SrtSocket();
  SrtSocket(const SrtSocket&) = delete;
  SrtSocket& operator=(const SrtSocket&) = delete;

  // One message. `into` must have room for kMaxSrtMessage.
  Received receive(std::span<std::byte> into);
  Sent send(std::span<const std::byte> message);
  // False: the connection is gone.
  boost::asio::awaitable<bool> wait_readable();
  boost::asio::awaitable<bool> wait_writable();

  SrtStats stats() const;
  bool connected() const;
  std::string peer() const;
  // Datagrams that have arrived, due or not, also when the connection has ended since.
  std::size_t unread() const;
  // Negotiated, of what we receive.
  std::chrono::milliseconds latency() const;
  SrtHandle handle() const { return handle_; }
  // What was sent and is not yet acknowledged is lost.
  void close();

 private:
  SrtRuntime& runtime_;
  SrtHandle handle_;
  std::shared_ptr<SrtReadiness> readiness_;
  std::optional<std::uint32_t> last_sequence_;  // of the messages received
};

// Any of these gives kNoSrtHandle or false when libsrt refuses, with the cause in
// SrtRuntime::last_error_text().
SrtHandle make_srt_handle(SrtRuntime& runtime, const SrtOptions& options);
bool set_srt_passphrase(SrtHandle handle, const std::string& passphrase);

// A rendezvous socket must have been bound to the port it is to meet the peer from.
bool bind_srt(SrtHandle handle, const boost::asio::ip::udp::endpoint& local);
// Nothing when the connection stands.
boost::asio::awaitable<std::optional<SrtRejection>> connect_srt(SrtSocket& socket,
                                                                const boost::asio::ip::udp::endpoint& remote);

// The handshake of an incoming connection came to nothing. Only the caller is told why: of those that were
// admitted it is one whose passphrase is wrong or missing.
bool srt_handshake_failed(SrtHandle handle);

class SrtListener {
 public:
  struct Request {
    SrtHandle handle;  // of the connection to be; set_srt_passphrase() works on it
    std::string_view stream_id;
    std::string peer;
  };
  // On libsrt's own thread, which serves every connection of the port: no waiting in there. 0 lets the peer
  // go on with the handshake, anything else is the rejection code it is given. May be asked again about the
  // same connection.
  using Admit = std::function<int(const Request&)>;

  SrtListener(SrtRuntime& runtime, const boost::asio::any_io_executor& executor, const SrtOptions& options,
              Admit admit);
  ~SrtListener();

  // An empty string, or why it cannot listen there.
  std::string open(const boost::asio::ip::udp::endpoint& local);
  boost::asio::ip::udp::endpoint endpoint() const;
  // The next connection whose handshake is done; nothing once it was closed.
  boost::asio::awaitable<std::optional<SrtHandle>> accept();
  void close();

 private:
  struct Callback;
  SrtRuntime& runtime_;
  SrtHandle handle_;
  std::shared_ptr<SrtReadiness> readiness_;
  std::shared_ptr<Callback> callback_;
};

}  // namespace simulcast::net
