#include "net/transport.hpp"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <cstring>
#include <utility>

namespace simulcast::net {

namespace asio = boost::asio;

IoResult io_result(std::int64_t bytes_or_error) {
  IoResult result;
  if (bytes_or_error >= 0) {
    result.bytes = static_cast<std::size_t>(bytes_or_error);
  } else if (const int error = static_cast<int>(-bytes_or_error);
             error == EAGAIN || error == EWOULDBLOCK || error == EINTR) {
    result.blocked = true;
  } else {
    result.ec.assign(error, boost::system::system_category());
  }
  return result;
}

Transport::Transport(Socket socket) : socket_(std::move(socket)) {
  boost::system::error_code ignored;
  socket_.native_non_blocking(true, ignored);
  // Frames are written whole, so Nagle could only delay them.
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  const auto remote = socket_.remote_endpoint(ignored);
  const auto address = remote.address();
  peer_ = (address.is_v6() ? "[" + address.to_string() + "]" : address.to_string()) + ":" +
          std::to_string(remote.port());
}

void Transport::limit_unsent(int bytes) {
  // A kernel that does not know it keeps more to itself, nothing worse.
  setsockopt(socket_.native_handle(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &bytes, sizeof bytes);
}

bool Transport::set_read_mark(int) {
  return false;
}

std::size_t Transport::received_segment() const {
  return tcp_stats(const_cast<Socket&>(socket_).native_handle()).received_segment;
}

asio::awaitable<boost::system::error_code> Transport::wait_readable() {
  const auto [ec] = co_await socket_.async_wait(Socket::wait_read, asio::as_tuple(asio::use_awaitable));
  co_return ec;
}

asio::awaitable<boost::system::error_code> Transport::wait_writable() {
  const auto [ec] = co_await socket_.async_wait(Socket::wait_write, asio::as_tuple(asio::use_awaitable));
  co_return ec;
}

void Transport::cancel() {
  boost::system::error_code ignored;
  socket_.cancel(ignored);
}

void Transport::close() {
  boost::system::error_code ignored;
  socket_.close(ignored);
}

void Transport::abort() {
  boost::system::error_code ignored;
  socket_.set_option(asio::socket_base::linger(true, 0), ignored);
  socket_.close(ignored);
}

void Transport::move_to(asio::io_context& context) {
  const auto protocol = socket_.local_endpoint().protocol();
  const auto handle = socket_.release();
  socket_ = Socket(context, protocol, handle);
}

namespace {

class PlainTransport final : public Transport {
 public:
  using Transport::Transport;

  // Asio looks once more behind each read; waiting for readiness would cost a call more than that.
  asio::awaitable<IoResult> read(std::span<std::byte> into) override {
    IoResult result;
    const auto [ec, bytes] = co_await socket_.async_read_some(asio::buffer(into.data(), into.size()),
                                                              asio::as_tuple(asio::use_awaitable));
    result.ec = ec;
    result.bytes = bytes;
    co_return result;
  }

  asio::awaitable<IoResult> read_shared(std::span<std::byte> into) override {
    for (;;) {
      IoResult result;
      result.ec = co_await wait_readable();
      if (result.ec) co_return result;
      const ssize_t got = ::recv(socket_.native_handle(), into.data(), into.size(), MSG_DONTWAIT);
      result = io_result(got >= 0 ? got : -errno);
      if (got == 0) result.ec = asio::error::eof;
      if (!result.blocked) co_return result;
    }
  }

  IoResult write_some(std::span<const asio::const_buffer> buffers) override {
    // Laid out as struct iovec is; copied so as not to depend on it.
    constexpr std::size_t kMaxPieces = 256;
    iovec pieces[kMaxPieces];
    std::size_t count = 0;
    for (; count < buffers.size() && count < kMaxPieces; ++count) {
      pieces[count] = {const_cast<void*>(buffers[count].data()), buffers[count].size()};
    }
    if (count == 0) return {};
    msghdr message{};
    message.msg_iov = pieces;
    message.msg_iovlen = count;
    const ssize_t sent = ::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL);
    return io_result(sent >= 0 ? sent : -errno);
  }

  int plain_socket() const override { return const_cast<Socket&>(socket_).native_handle(); }

  bool set_read_mark(int bytes) override {
    return setsockopt(socket_.native_handle(), SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof bytes) == 0;
  }

  void shutdown() override {
    boost::system::error_code ignored;
    socket_.shutdown(Socket::shutdown_send, ignored);
  }
};

}  // namespace

std::unique_ptr<Transport> make_plain_transport(Transport::Socket socket) {
  return std::make_unique<PlainTransport>(std::move(socket));
}

}  // namespace simulcast::net
