// The bare loop: one input, each message to all outputs with one write each. No queues, no state of an
// output, nothing that can go wrong being dealt with; what a relay costs beyond this is what it does for its
// users.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <variant>
#include <vector>

#include "protocol/rtmp/server_session.hpp"
#include "tests/bench/load/arguments.hpp"
#include "tests/bench/load/chunked.hpp"
#include "tests/bench/load/connection.hpp"
#include "tests/bench/load/modes.hpp"
#include "tests/bench/load/uring.hpp"

namespace simulcast::load {

namespace {

constexpr std::uint32_t kChunkSize = 65'536;
constexpr std::size_t kInbox = 64 * 1024;
constexpr std::size_t kMaxEvents = 64;

int listen_on(int port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) fail_errno("bind");
  if (::listen(fd, 1) != 0) fail_errno("listen");
  return fd;
}

void send_all(int fd, std::vector<std::byte>& bytes) {
  if (bytes.empty()) return;
  if (::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(bytes.size())) {
    fail("the publisher does not take its answers");
  }
  bytes.clear();
}

class Floor {
 public:
  Floor(int input, std::int64_t audio_wait_ms, std::unique_ptr<Uring> uring, std::vector<std::string> urls)
      : input_(input), audio_wait_ms_(audio_wait_ms), uring_(std::move(uring)), urls_(std::move(urls)) {
    epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
    timer_ = ::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    watch(input_, kInputEvent);
    watch(timer_, kTimerEvent);
  }

  void run() {
    std::array<epoll_event, kMaxEvents> ready;
    for (;;) {
      const int count = ::epoll_wait(epoll_, ready.data(), kMaxEvents, -1);
      for (int i = 0; i < count; ++i) {
        const std::uint64_t who = ready[static_cast<std::size_t>(i)].data.u64;
        if (who == kInputEvent) {
          if (!read_input()) return;
        } else if (who == kTimerEvent) {
          std::uint64_t expirations = 0;
          if (::read(timer_, &expirations, sizeof expirations) > 0) send_held();
        } else if (!outputs_[who].drain()) {
          fail("an output hung up");
        }
      }
    }
  }

 private:
  // Numbers in the events; below these are the outputs.
  static constexpr std::uint64_t kInputEvent = UINT64_MAX;
  static constexpr std::uint64_t kTimerEvent = UINT64_MAX - 1;

  void watch(int fd, std::uint64_t number) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = number;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
  }

  // False: the publisher is gone.
  bool read_input() {
    const ssize_t got = ::recv(input_, inbox_.data(), inbox_.size(), MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) return true;
    if (got <= 0) return false;
    auto bytes = std::span<const std::byte>(inbox_).first(static_cast<std::size_t>(got));
    for (;;) {
      auto event = session_.read(bytes);
      send_all(input_, session_.output());
      if (event.has_error()) fail("not RTMP: " + event.error().message());
      if (!*event) return true;
      if (auto* message = std::get_if<rtmp::MediaMessage>(&**event)) {
        take(std::move(*message));
      } else if (std::holds_alternative<rtmp::PublishRequest>(**event)) {
        // The outputs stand before the publisher may begin, so that metadata and codec headers reach them
        // like everything else.
        connect_outputs();
        session_.accept_publish();
        send_all(input_, session_.output());
      } else {
        return false;
      }
    }
  }

  void connect_outputs() {
    for (const auto& url : urls_) {
      outputs_.emplace_back(url, kChunkSize);
      if (outputs_.back().stream_id() != outputs_.front().stream_id()) {
        fail("the outputs gave different stream ids, so they cannot share their chunk headers");
      }
      watch(outputs_.back().fd(), outputs_.size() - 1);
    }
  }

  void take(rtmp::MediaMessage message) {
    const bool audio = message.type == rtmp::MessageType::audio;
    if (audio && audio_wait_ms_ > 0) {
      if (held_.empty()) arm();
      held_.push_back(std::move(message));
      return;
    }
    const bool holding = !held_.empty();
    held_.push_back(std::move(message));
    send_held();
    if (holding) disarm();
  }

  void arm() {
    itimerspec when{};
    when.it_value = {audio_wait_ms_ / 1000, audio_wait_ms_ % 1000 * 1'000'000};
    ::timerfd_settime(timer_, 0, &when, nullptr);
  }
  void disarm() {
    const itimerspec never{};
    ::timerfd_settime(timer_, 0, &never, nullptr);
  }

  void send_held() {
    if (held_.empty()) return;
    // All outputs are at the same place of their chunk streams, so the headers of the first are those of all.
    rtmp::ChunkWriter& writer = outputs_.front().writer();
    chunked_.clear();
    for (const auto& message : held_) {
      if (!chunked_.has_room(message.body.size(), kChunkSize)) fail("more at once than a gather write takes");
      chunked_.add(writer, message.type, outputs_.front().stream_id(), message.timestamp,
                   message.body.bytes());
    }
    msghdr header{};
    header.msg_iov = chunked_.pieces().data();
    header.msg_iovlen = chunked_.pieces().size();
    if (uring_) {
      uring_->send(outputs_, header, chunked_.size());
    } else {
      for (const auto& output : outputs_) {
        const ssize_t sent = ::sendmsg(output.fd(), &header, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent != static_cast<ssize_t>(chunked_.size())) {
          fail("a write was short: " + std::to_string(sent) + " of " + std::to_string(chunked_.size()) +
               " bytes");
        }
      }
    }
    held_.clear();
  }

  const int input_;
  const std::int64_t audio_wait_ms_;
  std::unique_ptr<Uring> uring_;
  const std::vector<std::string> urls_;
  int epoll_ = -1, timer_ = -1;
  rtmp::ServerSession session_;
  std::vector<Connection> outputs_;
  std::vector<rtmp::MediaMessage> held_;
  Chunked chunked_;
  std::array<std::byte, kInbox> inbox_;
};

}  // namespace

int floor(int argc, char** argv) {
  const Arguments arguments(argc, argv, {"port", "audio-wait"}, {"io-uring", "io-uring-zc"});
  auto urls = arguments.urls();
  std::unique_ptr<Uring> uring;
  if (arguments.has("io-uring") || arguments.has("io-uring-zc")) {
    uring = std::make_unique<Uring>(urls.size(), arguments.has("io-uring-zc"));
  }
  const int listener = listen_on(static_cast<int>(arguments.number("port", 0)));
  std::printf("listening\n");
  std::fflush(stdout);
  const int input = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
  if (input < 0) fail_errno("accept");
  const int on = 1;
  ::setsockopt(input, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const auto wait = static_cast<std::int64_t>(arguments.number("audio-wait", 0));
  std::make_unique<Floor>(input, wait, std::move(uring), std::move(urls))->run();
  return 0;
}

}  // namespace simulcast::load
