#include "ingest/rtmp_server.hpp"

#include <spdlog/spdlog.h>

#include <netinet/tcp.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <stdexcept>
#include <utility>

#include "ingest/rtmp_publisher.hpp"
#include "net/descriptors.hpp"
#include "net/tls.hpp"

namespace simulcast::ingest {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {
// After a failed accept (out of descriptors, mostly): the connection waits in the backlog, spinning would not
// help it.
constexpr std::chrono::milliseconds kAcceptPause{100};

constexpr int kSegment = 1440;  // of Ethernet with IPv6
}  // namespace

RtmpServer::RtmpServer(net::ShardPool& shards, Gate& gate, Strangers& strangers,
                       std::shared_ptr<net::TlsContext> tls)
    : shards_(shards),
      gate_(gate),
      strangers_(strangers),
      tls_(std::move(tls)),
      protocol_(tls_ ? media::IngestProtocol::rtmps : media::IngestProtocol::rtmp),
      acceptor_(shards[0].context()) {}

RtmpServer::~RtmpServer() = default;

void RtmpServer::open(const config::Listen& listen) {
  const std::string wanted = listen.host + ":" + std::to_string(listen.port);
  try {
    tcp::resolver resolver(shards_[0].context());
    endpoint_ = *resolver.resolve(listen.host, std::to_string(listen.port), tcp::resolver::passive).begin();
    acceptor_.open(endpoint_.protocol());
    acceptor_.set_option(tcp::acceptor::reuse_address(true));
    if (endpoint_.protocol() == tcp::v6()) acceptor_.set_option(asio::ip::v6_only(false));
    // On loopback segments are as large as they get over a network, which ReadMark counts on. Where the
    // kernel does not want to, nothing waits in it.
    ::setsockopt(acceptor_.native_handle(), IPPROTO_TCP, TCP_MAXSEG, &kSegment, sizeof kSegment);
    acceptor_.bind(endpoint_);
    acceptor_.listen();
    endpoint_ = acceptor_.local_endpoint();
  } catch (const boost::system::system_error& error) {
    throw std::runtime_error("cannot listen for " + std::string(to_string(protocol())) + " on " + wanted +
                             ": " + error.code().message());
  }
}

void RtmpServer::start() {
  asio::co_spawn(shards_[0].context(), accept_loop(), asio::detached);
}

void RtmpServer::stop() {
  boost::system::error_code ignored;
  acceptor_.close(ignored);
}

asio::awaitable<void> RtmpServer::accept_loop() {
  asio::steady_timer pause(shards_[0].context());
  while (acceptor_.is_open()) {
    net::Shard& shard = shards_.next_round_robin();
    auto [ec, socket] = co_await acceptor_.async_accept(shard.context(), asio::as_tuple(asio::use_awaitable));
    if (ec) {
      if (!acceptor_.is_open()) co_return;
      spdlog::warn("accept failed proto={} cause=\"{}\"", to_string(protocol()), ec.message());
      pause.expires_after(kAcceptPause);
      co_await pause.async_wait(asio::as_tuple(asio::use_awaitable));
      continue;
    }
    if (net::is_reserved(socket.native_handle(), net::DescriptorUse::encoder)) {
      spdlog::warn("connections are turned away: too few file descriptors are left proto={}",
                   to_string(protocol()));
      socket.close(ec);
      pause.expires_after(kAcceptPause);
      co_await pause.async_wait(asio::as_tuple(asio::use_awaitable));
      continue;
    }
    serve_rtmp_publisher(shard, std::move(socket), tls_, gate_, strangers_);
  }
}

}  // namespace simulcast::ingest
