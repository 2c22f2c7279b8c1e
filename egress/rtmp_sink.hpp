// Publishes to an RTMP or RTMPS server: dial, TLS with SNI and verification, handshake, connect, publish,
// then media. The protocol is rtmp::ClientSession; this is its socket. See Sink for the contract.
#pragma once

#include <array>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>

#include "egress/rtmp_writer.hpp"
#include "egress/sink.hpp"
#include "net/transport.hpp"
#include "protocol/rtmp/client_session.hpp"
#include "protocol/rtmp/publish_url.hpp"

namespace simulcast::net {
class TlsTransport;
}

namespace simulcast::egress {

// Begins a line of cache: see RtmpWriter.
class alignas(64) RtmpSink final : public Sink, private SharedSender {
 public:
  RtmpSink(rtmp::PublishUrl url, bool verify_tls, const media::Trail& trail, Mailbox& mailbox,
           RtmpFanout& fanout, const Environment& environment, const boost::asio::any_io_executor& executor);
  ~RtmpSink() override;

  boost::asio::awaitable<std::optional<Failure>> open() override;
  boost::asio::awaitable<Failure> serve() override;
  bool write(const media::Batch& batch) override;
  void flush() override;
  boost::asio::awaitable<void> finish() override;
  void close() override;
  SinkStats stats() const override;

 private:
  boost::asio::awaitable<std::optional<Failure>> reach();
  boost::asio::awaitable<std::optional<Failure>> secure();
  boost::asio::awaitable<std::optional<Failure>> agree();
  boost::asio::awaitable<std::optional<Failure>> publish();
  boost::asio::awaitable<Failure> read_loop();
  boost::asio::awaitable<Failure> write_loop();
  boost::asio::awaitable<void> send_rest();
  boost::asio::awaitable<void> drain_input();

  void follow_session();
  // Handles what the peer has sent; a failure ends the session.
  std::optional<Failure> handle(std::span<const std::byte> bytes);
  void write_waiting();
  void sent(const ChunkedBatch& batch, const net::IoResult& result) override;
  void fail(Failure failure);
  // A lost connection, with what the peer said last if it said anything.
  Failure lost(const boost::system::error_code& ec) const;

  // First what write() looks at.
  std::unique_ptr<net::Transport> transport_;
  RtmpFanout& fanout_;
  int plain_socket_ = -1;         // that may be written to on behalf of the transport
  std::uint32_t chunk_size_ = 0;  // of the accepted publish
  bool accepted_ = false;
  bool blocked_ = false;  // waiting for the socket to take more, or failed
  const std::unique_ptr<rtmp::ClientSession> session_;
  RtmpWriter writer_;

  const rtmp::PublishUrl url_;
  const bool verify_tls_;
  Mailbox& mailbox_;
  const Environment& environment_;
  std::unique_ptr<net::TlsTransport> tls_;  // until its handshake is over
  std::optional<Failure> failure_;          // set where it cannot be returned
  boost::asio::steady_timer wake_;          // cancelled to wake write_loop()
  std::uint64_t acked_before_media_ =
      0;  // bytes the peer's kernel had acknowledged when the publish was accepted
  bool peer_acknowledged_media_ = false;  // by an RTMP Acknowledgement
  std::array<std::byte, 4096> inbox_{};
};

}  // namespace simulcast::egress
