// A connected byte stream, plain TCP or TLS on it. Writes never wait: who gets `blocked` waits for the socket
// and tries again. That is what lets a worker write in the same call chain in which the packet came in, with
// one gather write and no allocation.
//
// Owned by one session, used on one thread at a time. It can be moved to another shard between operations
// (Transport::move_to), which is how a publisher gets to the shard of its stream.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "net/tcp_stats.hpp"

namespace simulcast::net {

struct IoResult {
  std::size_t bytes = 0;
  bool blocked = false;          // nothing more goes until the socket is ready again
  boost::system::error_code ec;  // end of stream is asio::error::eof
};

// Of a write: bytes taken, or a negated errno.
IoResult io_result(std::int64_t bytes_or_error);

class Transport {
 public:
  using Socket = boost::asio::ip::tcp::socket;

  explicit Transport(Socket socket);
  virtual ~Transport() = default;
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  // Waits until there is something to read, and reads what there is; never `blocked`.
  virtual boost::asio::awaitable<IoResult> read(std::span<std::byte> into) = 0;
  // The same, but nothing is written to `into` before the last moment: many connections of a thread may share
  // it that have nothing to read most of the time.
  virtual boost::asio::awaitable<IoResult> read_shared(std::span<std::byte> into) = 0;
  // Gather write. `bytes` counts what the transport has taken; it must not be offered again. With `blocked`,
  // wait for write readiness and call again (also with no buffers, while unsent() is true).
  virtual IoResult write_some(std::span<const boost::asio::const_buffer> buffers) = 0;
  // The socket if what is written to it goes out as it is, else -1: then others may write to it on behalf of
  // this.
  virtual int plain_socket() const { return -1; }
  // The transport itself still holds bytes that it has taken.
  virtual bool unsent() const { return false; }
  // Says goodbye on the wire (TLS close_notify) if that is possible without waiting, then half-closes the
  // socket.
  virtual void shutdown() = 0;

  // The kernel takes no more than this many bytes that it cannot send yet: what waits beyond them waits here,
  // where it can still be dropped.
  void limit_unsent(int bytes);

  // Nobody is woken before so many bytes lie unread (SO_RCVLOWAT), unless the peer has closed. False: of this
  // transport that cannot be said, its bytes on the wire are not those that are read.
  virtual bool set_read_mark(int bytes);
  // The largest segment that the peer sends; 0: unknown.
  std::size_t received_segment() const;

  boost::asio::awaitable<boost::system::error_code> wait_writable();

  // Whoever waits in here gets operation_aborted.
  void cancel();
  void close();
  // Closes with a reset: nothing lingers.
  void abort();
  void move_to(boost::asio::io_context& context);

  Socket& socket() { return socket_; }
  const Socket& socket() const { return socket_; }
  std::string peer() const { return peer_; }

  TcpStats stats() const { return tcp_stats(static_cast<int>(const_cast<Socket&>(socket_).native_handle())); }

 protected:
  boost::asio::awaitable<boost::system::error_code> wait_readable();

  Socket socket_;

 private:
  std::string peer_;
};

std::unique_ptr<Transport> make_plain_transport(Transport::Socket socket);

}  // namespace simulcast::net
