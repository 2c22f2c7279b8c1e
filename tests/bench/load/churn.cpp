// Encoders that come and go, as many as are wanted: some only connect, some leave after the handshake, some
// publish a picture, and of those every other one leaves without a goodbye.
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <cstdio>
#include <string>
#include <vector>

#include "protocol/rtmp/client_session.hpp"
#include "protocol/rtmp/publish_url.hpp"
#include "tests/bench/load/arguments.hpp"
#include "tests/bench/load/chunked.hpp"
#include "tests/bench/load/frames.hpp"
#include "tests/bench/load/measure.hpp"
#include "tests/bench/load/modes.hpp"

namespace simulcast::load {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr std::size_t kFrame = 1000;

enum class Depth { connect, handshake, publish, publish_and_vanish };

// Of ten: four, three and three.
Depth depth_of(std::uint64_t nth) {
  const auto digit = nth % 10;
  if (digit < 4) return Depth::connect;
  if (digit < 7) return Depth::handshake;
  return (nth / 10 + digit) % 2 == 0 ? Depth::publish : Depth::publish_and_vanish;
}

class Churn {
 public:
  explicit Churn(const Arguments& arguments)
      : count_(static_cast<std::uint64_t>(arguments.number("count", 1000))),
        parallel_(static_cast<std::size_t>(arguments.number("parallel", 16))) {
    for (const auto& url : arguments.urls()) {
      const std::size_t slash = url.rfind('/');
      const auto parsed = rtmp::parse_publish_url(url.substr(0, slash), url.substr(slash + 1));
      if (slash == std::string::npos || parsed.has_error() || parsed->tls) fail("not usable: " + url);
      urls_.push_back(*parsed);
    }
    if (urls_.empty() || parallel_ == 0) fail("a URL and --parallel above 0 are needed");
  }

  void run() {
    asio::io_context context(1);
    // Each has its own URL and addresses: the ports of one would be used up by connections that have ended.
    for (std::size_t i = 0; i < parallel_; ++i) {
      asio::co_spawn(
          context, [this, &context, i] { return come_and_go(context, i); }, asio::detached);
    }
    context.run();
    std::printf("{\"done\":%llu,\"failed\":%llu,\"published\":%llu}\n", done_, failed_, published_);
  }

 private:
  asio::awaitable<void> come_and_go(asio::io_context& context, std::size_t self) {
    const rtmp::PublishUrl url = urls_[self % urls_.size()];
    while (begun_ < count_) {
      const std::uint64_t nth = begun_++;
      tcp::socket socket(context);
      const auto third = static_cast<unsigned>(1 + self % 250);
      const auto fourth = static_cast<unsigned>(1 + nth / 5000 % 250);
      const asio::ip::address_v4 source(0x7F000000U | 1U << 16 | third << 8 | fourth);
      error_code ec;
      co_await visit(socket, url, source, depth_of(nth), ec);
      if (ec) ++failed_;
      ++done_;
      if (done_ * 10 % count_ == 0) {
        std::printf("{\"done\":%llu}\n", done_);
        std::fflush(stdout);
      }
    }
  }

  asio::awaitable<void> visit(tcp::socket& socket, const rtmp::PublishUrl& url, asio::ip::address_v4 source,
                              Depth depth, error_code& ec) {
    auto token = asio::redirect_error(asio::use_awaitable, ec);
    socket.open(tcp::v4(), ec);
    const int on = 1;
    ::setsockopt(socket.native_handle(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    if (!ec) socket.bind({source, 0}, ec);
    if (ec) co_return;
    co_await socket.async_connect({asio::ip::address_v4::loopback(), url.port}, token);
    if (ec || depth == Depth::connect) co_return;

    rtmp::ClientOptions options;
    options.tc_url = url.tc_url;
    options.app = url.app;
    options.stream_name = url.stream_name;
    rtmp::ClientSession session(std::move(options));
    session.start();
    std::array<std::byte, 4096> inbox;
    for (bool accepted = false; !accepted;) {
      if (!session.output().empty())
        co_await asio::async_write(socket, asio::buffer(session.output()), token);
      session.output().clear();
      if (ec) co_return;
      const std::size_t got = co_await socket.async_read_some(asio::buffer(inbox), token);
      if (ec || depth == Depth::handshake) co_return;
      auto bytes = std::span<const std::byte>(inbox).first(got);
      for (;;) {
        const auto event = session.read(bytes);
        if (event.has_error()) ec = event.error();
        if (event.has_error() || !*event) break;
        accepted = accepted || std::holds_alternative<rtmp::PublishAccepted>(**event);
        if (std::holds_alternative<rtmp::Rejected>(**event)) ec = asio::error::access_denied;
      }
      if (ec) co_return;
    }
    ++published_;
    Chunked chunked;
    add(chunked, session, rtmp::MessageType::video, headers_);
    add(chunked, session, rtmp::MessageType::video, picture_);
    std::vector<asio::const_buffer> pieces;
    for (const iovec& piece : chunked.pieces()) pieces.emplace_back(piece.iov_base, piece.iov_len);
    co_await asio::async_write(socket, pieces, token);
    if (ec || depth == Depth::publish_and_vanish) co_return;
    session.finish();
    co_await asio::async_write(socket, asio::buffer(session.output()), token);
    socket.shutdown(tcp::socket::shutdown_send, ec);
    // It answers, and hangs up.
    while (!ec) co_await socket.async_read_some(asio::buffer(inbox), token);
    if (ec == asio::error::eof) ec.clear();
  }

  static void add(Chunked& chunked, rtmp::ClientSession& session, rtmp::MessageType type, const Bytes& body) {
    chunked.add(session.writer(), type, session.stream_id(), 0, body);
  }

  const std::uint64_t count_;
  const std::size_t parallel_;
  std::vector<rtmp::PublishUrl> urls_;
  const Bytes headers_ = avc_sequence_header();
  const Bytes picture_ = video_frame(true, kFrame);
  std::uint64_t begun_ = 0;
  unsigned long long done_ = 0, failed_ = 0, published_ = 0;
};

}  // namespace

int churn(int argc, char** argv) {
  const Arguments arguments(argc, argv, {"count", "parallel"}, {});
  Churn(arguments).run();
  return 0;
}

}  // namespace simulcast::load
