// The peers of the SRT fan-out benchmark (tests/e2e/bench/srt_fanout.mjs), over libsrt and nothing of the
// relay's own.
//
//   srt_tool probe PORT STREAMID [PASSPHRASE]   calls once and prints the rejection code (0: accepted), and
//   after how
//                                         many milliseconds
//   srt_tool sink PORT                    takes any number of callers; a line of totals on every line of its
//   input srt_tool floor PORT N FILE SECONDS    sends FILE over and over to N connections, in real time: one
//   thread, one
//                                         local UDP port, one srt_sendmsg2 per datagram and connection, no
//                                         more
//   srt_tool udp PORT N FILE SECONDS      the same by plain UDP to N ports from PORT on, to feed what reads
//   UDP
//
// A sink's latency is SRT_TOOL_LATENCY (ms, SRT's own default without). The pace is that of the file's bytes
// over its length, given in SRT_TOOL_BITRATE (bit/s, default 4000000).
#include <arpa/inet.h>
#include <srt/srt.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kDatagram = 1316;
constexpr std::chrono::milliseconds kTick{5};

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "srt_tool: %s: %s\n", what.c_str(), srt_getlasterror_str());
  std::exit(1);
}

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}
const sockaddr* generic(const sockaddr_in& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

void set(SRTSOCKET socket, SRT_SOCKOPT option, int value) {
  const bool flag = value != 0;
  const bool is_flag = option == SRTO_RCVSYN || option == SRTO_SNDSYN;
  if (srt_setsockflag(socket, option, is_flag ? static_cast<const void*>(&flag) : &value,
                      is_flag ? sizeof flag : sizeof value) == SRT_ERROR) {
    fail("option");
  }
}

int sink(int port) {
  const SRTSOCKET listener = srt_create_socket();
  set(listener, SRTO_RCVSYN, 0);
  if (const char* latency = std::getenv("SRT_TOOL_LATENCY")) set(listener, SRTO_LATENCY, std::atoi(latency));
  const auto address = loopback(port);
  if (srt_bind(listener, generic(address), sizeof address) == SRT_ERROR) fail("bind");
  if (srt_listen(listener, 256) == SRT_ERROR) fail("listen");
  const int epoll = srt_epoll_create();
  const int events = SRT_EPOLL_IN | SRT_EPOLL_ERR;
  srt_epoll_add_usock(epoll, listener, &events);

  std::mutex mutex;
  std::map<SRTSOCKET, std::uint64_t> bytes;
  std::uint64_t ended = 0;
  std::thread reader([&] {
    std::array<SRT_EPOLL_EVENT, 256> ready;
    std::array<char, 1500> inbox;
    for (;;) {
      const int count = srt_epoll_uwait(epoll, ready.data(), static_cast<int>(ready.size()), 1000);
      for (int i = 0; i < count; ++i) {
        const SRTSOCKET socket = ready[static_cast<std::size_t>(i)].fd;
        const std::lock_guard lock(mutex);
        if (socket == listener) {
          const SRTSOCKET accepted = srt_accept(listener, nullptr, nullptr);
          if (accepted == SRT_INVALID_SOCK) continue;
          set(accepted, SRTO_RCVSYN, 0);
          srt_epoll_add_usock(epoll, accepted, &events);
          bytes[accepted] = 0;
          continue;
        }
        for (;;) {
          const int got = srt_recvmsg(socket, inbox.data(), static_cast<int>(inbox.size()));
          if (got > 0) {
            bytes[socket] += static_cast<std::uint64_t>(got);
            continue;
          }
          if (srt_getlasterror(nullptr) != SRT_EASYNCRCV) {
            srt_epoll_remove_usock(epoll, socket);
            ++ended;
          }
          break;
        }
      }
    }
  });
  for (std::string line; std::getline(std::cin, line);) {
    const std::lock_guard lock(mutex);
    std::uint64_t total = 0, least = UINT64_MAX, lost = 0;
    for (const auto& [socket, count] : bytes) {
      SRT_TRACEBSTATS stats{};
      if (srt_bistats(socket, &stats, 0, 1) != SRT_ERROR) {
        lost += static_cast<std::uint64_t>(stats.pktRcvDropTotal);
      }
      total += count;
      least = std::min(least, count);
    }
    std::printf("{\"connections\":%zu,\"ended\":%llu,\"bytes\":%llu,\"least\":%llu,\"dropped\":%llu}\n",
                bytes.size(), static_cast<unsigned long long>(ended), static_cast<unsigned long long>(total),
                static_cast<unsigned long long>(bytes.empty() ? 0 : least),
                static_cast<unsigned long long>(lost));
    std::fflush(stdout);
  }
  std::_Exit(0);
}

std::vector<char> read_file(const char* name) {
  std::ifstream in(name, std::ios::binary);
  if (!in) fail(std::string("cannot read ") + name);
  return {std::istreambuf_iterator<char>(in), {}};
}

// Calls `send` with each datagram of the file, over and over, when it is due.
template <class Send>
void in_real_time(const std::vector<char>& file, double seconds, Send send) {
  const char* wanted = std::getenv("SRT_TOOL_BITRATE");
  const double rate = (wanted != nullptr ? std::atof(wanted) : 4e6) / 8;
  const auto begin = Clock::now();
  std::uint64_t sent = 0;
  std::size_t at = 0;
  for (;;) {
    const double passed = std::chrono::duration<double>(Clock::now() - begin).count();
    if (passed >= seconds) return;
    while (static_cast<double>(sent) < passed * rate) {
      const std::size_t length = std::min(kDatagram, file.size() - at);
      send(file.data() + at, static_cast<int>(length));
      sent += length;
      at = at + length == file.size() ? 0 : at + length;
    }
    std::this_thread::sleep_for(kTick);
  }
}

int floor_of_fanout(int port, int connections, const char* name, double seconds) {
  const auto file = read_file(name);
  const auto address = loopback(port);
  std::vector<SRTSOCKET> sockets;
  sockaddr_in local = loopback(0);
  local.sin_addr.s_addr = htonl(INADDR_ANY);
  for (int i = 0; i < connections; ++i) {
    const SRTSOCKET socket = srt_create_socket();
    set(socket, SRTO_SNDSYN, 0);
    if (srt_bind(socket, generic(local), sizeof local) == SRT_ERROR) fail("bind");
    int size = sizeof local;
    srt_getsockname(socket, reinterpret_cast<sockaddr*>(&local), &size);
    set(socket, SRTO_RCVSYN, 1);
    if (srt_connect(socket, generic(address), sizeof address) == SRT_ERROR) fail("connect");
    sockets.push_back(socket);
  }
  std::uint64_t failed = 0, bytes = 0;
  const double before = cpu_seconds();
  const auto send = [&](const char* data, int length) {
    for (const SRTSOCKET socket : sockets) {
      SRT_MSGCTRL control = srt_msgctrl_default;
      if (srt_sendmsg2(socket, data, length, &control) == SRT_ERROR) {
        ++failed;
      } else {
        bytes += static_cast<std::uint64_t>(length);
      }
    }
  };
  in_real_time(file, seconds, send);
  std::printf("{\"bytes\":%llu,\"cpu\":%.3f,\"failed\":%llu}\n", static_cast<unsigned long long>(bytes),
              cpu_seconds() - before, static_cast<unsigned long long>(failed));
  std::fflush(stdout);
  std::this_thread::sleep_for(std::chrono::seconds(1));  // what is in flight
  std::_Exit(0);
}

int probe(int port, const std::string& stream_id, const std::string& passphrase) {
  const SRTSOCKET socket = srt_create_socket();
  srt_setsockflag(socket, SRTO_STREAMID, stream_id.data(), static_cast<int>(stream_id.size()));
  if (!passphrase.empty() && srt_setsockflag(socket, SRTO_PASSPHRASE, passphrase.data(),
                                             static_cast<int>(passphrase.size())) == SRT_ERROR) {
    fail("passphrase");
  }
  const auto address = loopback(port);
  const auto begin = Clock::now();
  const bool refused = srt_connect(socket, generic(address), sizeof address) == SRT_ERROR;
  const auto passed = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin).count();
  std::printf("{\"code\":%d,\"ms\":%lld}\n", refused ? srt_getrejectreason(socket) : 0,
              static_cast<long long>(passed));
  std::fflush(stdout);
  std::_Exit(0);
}

int udp(int port, int count, const char* name, double seconds) {
  const auto file = read_file(name);
  const int socket = ::socket(AF_INET, SOCK_DGRAM, 0);
  const auto send = [&](const char* data, int length) {
    for (int i = 0; i < count; ++i) {
      const auto address = loopback(port + i);
      ::sendto(socket, data, static_cast<std::size_t>(length), 0, generic(address), sizeof address);
    }
  };
  in_real_time(file, seconds, send);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string role = argc > 1 ? argv[1] : "";
  srt_startup();
  srt_setloglevel(LOG_CRIT);
  if (role == "sink" && argc == 3) return sink(std::atoi(argv[2]));
  if (role == "probe" && (argc == 4 || argc == 5)) {
    return probe(std::atoi(argv[2]), argv[3], argc == 5 ? argv[4] : "");
  }
  if (role == "floor" && argc == 6) {
    return floor_of_fanout(std::atoi(argv[2]), std::atoi(argv[3]), argv[4], std::atof(argv[5]));
  }
  if (role == "udp" && argc == 6)
    return udp(std::atoi(argv[2]), std::atoi(argv[3]), argv[4], std::atof(argv[5]));
  std::fprintf(stderr,
               "usage: srt_tool probe PORT STREAMID [PASSPHRASE] | sink PORT | floor PORT N FILE SECONDS | "
               "udp PORT N FILE SECONDS\n");
  return 2;
}
