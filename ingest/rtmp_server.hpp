// Listens for RTMP or RTMPS publishers and gives each accepted connection to a shard.
//
// Owned by daemon::Application. open() throws with a sentence when the address cannot be had; stop() is
// called on the accepting shard. Sessions run on by themselves (rtmp_publisher.hpp) until shut down through
// the session list.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <memory>

#include "config/config.hpp"
#include "ingest/publisher.hpp"
#include "ingest/strangers.hpp"
#include "net/shard.hpp"

namespace simulcast::net {
class TlsContext;
}

namespace simulcast::ingest {

class RtmpServer {
 public:
  // `tls` is null for plain RTMP.
  RtmpServer(net::ShardPool& shards, Gate& gate, Strangers& strangers, std::shared_ptr<net::TlsContext> tls);
  ~RtmpServer();

  void open(const config::Listen& listen);
  // After the shards have started.
  void start();
  // On the first shard: no new connections from here on.
  void stop();
  // On the first shard: the certificate of connections from here on. Only of a server that has one.
  void renew(std::shared_ptr<net::TlsContext> tls) { tls_ = std::move(tls); }

  boost::asio::ip::tcp::endpoint endpoint() const { return endpoint_; }
  bool is_open() const { return acceptor_.is_open(); }
  media::IngestProtocol protocol() const { return protocol_; }

 private:
  boost::asio::awaitable<void> accept_loop();

  net::ShardPool& shards_;
  Gate& gate_;
  Strangers& strangers_;
  std::shared_ptr<net::TlsContext> tls_;
  const media::IngestProtocol protocol_;
  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::ip::tcp::endpoint endpoint_;
};

}  // namespace simulcast::ingest
