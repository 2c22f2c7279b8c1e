// Sends MPEG-TS to an SRT server, to whoever calls a port of ours, or to a peer that is called while it calls
// us. See Sink for the contract.
//
// Every packet is one SRT message. What has waited for long (a whole GOP at the start, a slow moment) is sent
// at a multiple of its own pace: SRT has no congestion control, and stamps each message with the time it was
// handed over, so a burst would overrun the path and leave no time for repairs.
#pragma once

#include <boost/asio/ip/udp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <optional>

#include "egress/sink.hpp"
#include "net/srt_handshakes.hpp"
#include "net/srt_socket.hpp"
#include "net/srt_url.hpp"

namespace simulcast::egress {

// One output cannot use up what all of them have.
inline constexpr net::SrtHandshakes::Limits kCallersOfOutputs{
    .per_address = 32, .per_listener = 64, .total = 256};

class SrtSink final : public Sink {
 public:
  SrtSink(net::SrtUrl url, media::Trail trail, Mailbox& mailbox, const Environment& environment,
          const boost::asio::any_io_executor& executor);
  ~SrtSink() override;

  boost::asio::awaitable<std::optional<Failure>> open() override;
  std::optional<std::chrono::seconds> open_timeout() const override;
  std::string_view waiting_for() const override;
  boost::asio::awaitable<Failure> serve() override;
  void flush() override;
  boost::asio::awaitable<void> finish() override;
  void close() override;
  SinkStats stats() const override;

 private:
  using Endpoint = boost::asio::ip::udp::endpoint;

  net::SrtOptions options() const;
  boost::asio::awaitable<std::optional<Failure>> call();
  boost::asio::awaitable<std::optional<Failure>> call(const Endpoint& remote);
  boost::asio::awaitable<std::optional<Failure>> wait_for_call();
  boost::asio::awaitable<void> watch_handshakes() const;
  boost::asio::ip::address address_towards(const Endpoint& remote) const;

  boost::asio::awaitable<Failure> watch_connection();
  boost::asio::awaitable<void> keep_pace();
  void write_waiting();
  bool may_send(std::size_t bytes);

  const net::SrtUrl url_;
  const media::Trail trail_;
  Mailbox& mailbox_;
  const Environment& environment_;
  const boost::asio::any_io_executor executor_;

  std::unique_ptr<net::SrtListener> listener_;
  std::unique_ptr<net::SrtSocket> socket_;
  bool open_ = false;
  bool blocked_ = false;            // libsrt's buffer is full
  bool pacing_ = false;             // the backlog waits for its next moment
  boost::asio::steady_timer pace_;  // cancelled when pacing_ begins
  double budget_ = 0;               // bytes that may be sent now, while pacing
  std::chrono::steady_clock::time_point budget_at_{};
  std::size_t offset_ = 0;  // of the packet at the front of the mailbox: sent so far

  std::uint64_t bytes_sent_ = 0;
  std::uint64_t messages_sent_ = 0;
  std::uint64_t frames_sent_ = 0;
};

}  // namespace simulcast::egress
