#include "net/tcp_stats.hpp"

// The kernel's own header, for glibc's <netinet/tcp.h> has an older tcp_info without tcpi_bytes_acked; the
// two cannot be included together, and Asio includes the other. Hence a file of its own.
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace simulcast::net {

TcpStats tcp_stats(int socket) {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return {};
  return {info.tcpi_bytes_acked, info.tcpi_total_retrans, std::chrono::microseconds{info.tcpi_rtt},
          info.tcpi_rcv_mss};
}

}  // namespace simulcast::net
