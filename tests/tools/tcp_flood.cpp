// Connection attempts without end, from one address and from many (fault line S1).
//
//   tcp_flood PORT RATE SECONDS     RATE attempts a second on 127.0.0.1:PORT: every other one from 127.1.0.1,
//   the
//                                   rest each from the next of 60,000 addresses. Every connection is kept,
//                                   and nothing is said on it; beyond 9000 the oldest is reset.
//
// At the end, when nothing more happens, prints what is still open, and all figures as a line of JSON.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <list>
#include <unordered_map>

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kMostHeld = 9000;
constexpr std::uint32_t kOne = 0x7f010001;   // 127.1.0.1
constexpr std::uint32_t kMany = 0x7f020000;  // 127.2.0.0 and on
constexpr std::uint32_t kManyAddresses = 60000;
constexpr int kQuiet = 500;  // ms

struct Connection {
  int socket;
  bool from_one;
  bool connected = false;
};

struct Flood {
  explicit Flood(int port) : epoll(::epoll_create1(EPOLL_CLOEXEC)) {
    target.sin_family = AF_INET;
    target.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    target.sin_port = htons(static_cast<std::uint16_t>(port));
  }

  void attempt() {
    const bool from_one = attempts % 2 == 0;
    sockaddr_in source{};
    source.sin_family = AF_INET;
    source.sin_addr.s_addr = htonl(from_one ? kOne : kMany + attempts / 2 % kManyAddresses);
    ++attempts;
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int on = 1;
    // The port is chosen when both ends are known, so that one address has enough of them.
    ::setsockopt(socket, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    const linger reset{1, 0};  // leaves nothing behind in the kernel
    ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    if (socket < 0 || ::bind(socket, reinterpret_cast<const sockaddr*>(&source), sizeof source) != 0 ||
        (::connect(socket, reinterpret_cast<const sockaddr*>(&target), sizeof target) != 0 &&
         errno != EINPROGRESS)) {
      ++impossible;
      if (socket >= 0) ::close(socket);
      return;
    }
    if (held.size() >= kMostHeld) drop(held.begin());
    const auto connection = held.insert(held.end(), {socket, from_one});
    by_socket[socket] = connection;
    epoll_event event{};
    event.events = EPOLLOUT | EPOLLRDHUP | EPOLLET;
    event.data.fd = socket;
    ::epoll_ctl(epoll, EPOLL_CTL_ADD, socket, &event);
  }

  // False when nothing has happened for `patience` ms.
  bool listen(int patience) {
    std::array<epoll_event, 512> events;
    const int count = ::epoll_wait(epoll, events.data(), static_cast<int>(events.size()), patience);
    for (int i = 0; i < count; ++i) {
      const auto& event = events[static_cast<std::size_t>(i)];
      const auto connection = by_socket.at(event.data.fd);
      if ((event.events & EPOLLOUT) != 0 && (event.events & EPOLLERR) == 0 && !connection->connected) {
        connection->connected = true;
        ++connected;
      }
      if ((event.events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) {
        ++closed;
        drop(connection);
      }
    }
    return count > 0;
  }

  void drop(std::list<Connection>::iterator connection) {
    ::close(connection->socket);
    by_socket.erase(connection->socket);
    held.erase(connection);
  }

  sockaddr_in target{};
  const int epoll;
  std::list<Connection> held;  // oldest first
  std::unordered_map<int, std::list<Connection>::iterator> by_socket;
  std::uint64_t attempts = 0, impossible = 0, connected = 0, closed = 0;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: tcp_flood PORT RATE SECONDS\n");
    return 2;
  }
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);

  Flood flood(std::atoi(argv[1]));
  const double rate = std::atof(argv[2]);
  const double seconds = std::atof(argv[3]);
  const auto begin = Clock::now();
  const auto passed = [&] { return std::chrono::duration<double>(Clock::now() - begin).count(); };
  double took = 0;
  for (; took < seconds; took = passed()) {
    const auto due = static_cast<std::uint64_t>(took * rate);
    for (int burst = 0; burst < 100 && flood.attempts < due; ++burst) flood.attempt();
    flood.listen(flood.attempts < due ? 0 : 1);
  }
  while (flood.listen(kQuiet)) {
  }
  const auto of_one = std::ranges::count_if(flood.held, &Connection::from_one);
  std::printf(
      "{\"attempts\":%llu,\"impossible\":%llu,\"connected\":%llu,\"closed\":%llu,\"seconds\":%.3f,"
      "\"open\":%zu,\"openOfOne\":%td}\n",
      static_cast<unsigned long long>(flood.attempts), static_cast<unsigned long long>(flood.impossible),
      static_cast<unsigned long long>(flood.connected), static_cast<unsigned long long>(flood.closed), took,
      flood.held.size(), of_one);
  return 0;
}
