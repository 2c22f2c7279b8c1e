#include "net/srt_port.hpp"

#include <linux/filter.h>
#include <netinet/in.h>
#include <srt/srt.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace simulcast::net {

namespace {

// Behind the UDP header of 8 bytes, where the filter begins to count (draft-sharabayko-srt, 3 and 3.2.1).
constexpr std::uint32_t kPacketType = 8;
constexpr std::uint32_t kHandshake = 0x8000;
constexpr std::uint32_t kMtu = 8 + 16 + 12;
constexpr std::uint32_t kWindow = 8 + 16 + 16;

bool guard(int port) {
  // Jumps count the instructions that are left out. A packet that is too short to be read from is dropped.
  std::array<sock_filter, 9> program{{
      BPF_STMT(BPF_LD | BPF_H | BPF_ABS, kPacketType),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kHandshake, 0, 5),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kWindow),
      BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, kMaxSrtWindow, 4, 0),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kMtu),
      BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, kMaxSrtMtu, 2, 0),
      BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, kMinSrtMtu, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),  // all of it
      BPF_STMT(BPF_RET | BPF_K, 0),
  }};
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  return ::setsockopt(port, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) == 0;
}

}  // namespace

std::string bind_srt_port(SrtHandle handle, const boost::asio::ip::udp::endpoint& local, bool v6_only) {
  const int family = local.protocol().family();
  const int port = ::socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const int only = v6_only ? 1 : 0;
  const bool opened =
      port >= 0 &&
      (family != AF_INET6 || ::setsockopt(port, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only) == 0) &&
      guard(port) && ::bind(port, local.data(), static_cast<socklen_t>(local.size())) == 0;
  std::string cause;
  if (!opened) {
    cause = std::generic_category().message(errno);
  } else if (srt_bind_acquire(handle, port) == SRT_ERROR) {
    cause = SrtRuntime::last_error_text();
  } else {
    return {};
  }
  if (port >= 0) ::close(port);
  return cause;
}

}  // namespace simulcast::net
