// What the kernel knows of a TCP connection (TCP_INFO). Any thread; one system call.
#pragma once

#include <chrono>
#include <cstdint>

namespace simulcast::net {

struct TcpStats {
  std::uint64_t bytes_acked = 0;  // by the peer's kernel
  std::uint64_t retransmits = 0;  // segments
  std::chrono::microseconds rtt{};
  std::uint32_t received_segment = 0;  // bytes of the largest the peer sends
};

// All zero when the socket is not connected.
TcpStats tcp_stats(int socket);

}  // namespace simulcast::net
