#include "tests/bench/load/connection.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <span>
#include <variant>

#include "protocol/rtmp/publish_url.hpp"
#include "tests/bench/load/arguments.hpp"

namespace simulcast::load {

namespace {

constexpr int kAnswerTimeoutMs =
    20'000;  // some relays take their time for the first answer when 200 come at once

int dial(const rtmp::PublishUrl& url) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(url.host.c_str(), std::to_string(url.port).c_str(), &hints, &found) != 0) {
    fail("cannot resolve " + url.host);
  }
  const int fd = ::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || ::connect(fd, found->ai_addr, found->ai_addrlen) != 0) fail_errno("connect to " + url.tc_url);
  freeaddrinfo(found);
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

void send_all(int fd, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0) fail_errno("send");
    bytes = bytes.subspan(static_cast<std::size_t>(sent));
  }
}

}  // namespace

Connection::Connection(const std::string& url, std::uint32_t chunk_size) {
  const std::size_t slash = url.rfind('/');
  const auto parsed = rtmp::parse_publish_url(url.substr(0, slash), url.substr(slash + 1));
  if (slash == std::string::npos || parsed.has_error() || parsed->tls) {
    fail("not of the form rtmp://address:port/app/key: " + url);
  }
  fd_ = dial(*parsed);
  rtmp::ClientOptions options;
  options.tc_url = parsed->tc_url;
  options.app = parsed->app;
  options.stream_name = parsed->stream_name;
  options.chunk_size = chunk_size;
  options.max_chunk_size = chunk_size;  // what was asked for, whatever the server uses
  session_ = std::make_unique<rtmp::ClientSession>(std::move(options));
  session_->start();
  std::array<std::byte, 4096> inbox;
  for (bool accepted = false; !accepted;) {
    send_all(fd_, session_->output());
    session_->output().clear();
    pollfd readable{fd_, POLLIN, 0};
    if (::poll(&readable, 1, kAnswerTimeoutMs) != 1) fail("no consent to publish to " + parsed->tc_url);
    const ssize_t got = ::recv(fd_, inbox.data(), inbox.size(), 0);
    if (got <= 0) fail("the server hung up before it accepted the publish to " + parsed->tc_url);
    auto bytes = std::span<const std::byte>(inbox).first(static_cast<std::size_t>(got));
    for (;;) {
      const auto event = session_->read(bytes);
      if (event.has_error()) fail("not RTMP: " + event.error().message());
      if (!*event) break;
      if (const auto* rejected = std::get_if<rtmp::Rejected>(&**event)) {
        fail("refused: " + rejected->code + " " + rejected->description);
      }
      accepted = accepted || std::holds_alternative<rtmp::PublishAccepted>(**event);
    }
  }
  send_all(fd_, session_->output());
  session_->output().clear();
  ::fcntl(fd_, F_SETFL, ::fcntl(fd_, F_GETFL) | O_NONBLOCK);
}

bool Connection::drain() {
  std::array<std::byte, 4096> inbox;
  for (;;) {
    const ssize_t got = ::recv(fd_, inbox.data(), inbox.size(), MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return true;
    if (got <= 0) return false;
    auto bytes = std::span<const std::byte>(inbox).first(static_cast<std::size_t>(got));
    for (;;) {
      const auto event = session_->read(bytes);
      if (event.has_error()) return false;
      if (!*event) break;
      if (std::holds_alternative<rtmp::Rejected>(**event)) return false;
    }
    // Answers to what servers say while media flows (pings) would have to wait for the end of a message; no
    // relay here asks for any.
    session_->output().clear();
  }
}

}  // namespace simulcast::load
