#include "raw_client.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <stdexcept>

namespace simulcast::control::test {

RawClient::RawClient(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const timeval deadline{20, 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof deadline);
  ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &deadline, sizeof deadline);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    ::close(socket_);
    throw std::runtime_error("cannot connect");
  }
}

RawClient::~RawClient() {
  ::close(socket_);
}

void RawClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;  // the answer, or its absence, tells
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

void RawClient::finish_sending() {
  ::shutdown(socket_, SHUT_WR);
}

bool RawClient::fill() {
  char piece[4096];
  const auto bytes = ::recv(socket_, piece, sizeof piece, 0);
  if (bytes <= 0) return false;
  received_.append(piece, static_cast<std::size_t>(bytes));
  return true;
}

RawAnswer RawClient::read_answer(bool has_body) {
  std::size_t end = 0;
  while ((end = received_.find("\r\n\r\n")) == std::string::npos) {
    if (!fill()) return {};
  }
  RawAnswer answer;
  const std::string head = received_.substr(0, end + 2);
  received_.erase(0, end + 4);
  answer.status = std::stoi(head.substr(head.find(' ') + 1, 3));
  for (auto line = head.find("\r\n") + 2; line < head.size();) {
    const auto line_end = head.find("\r\n", line);
    const auto colon = head.find(':', line);
    std::string name = head.substr(line, colon - line);
    std::ranges::transform(name, name.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    answer.headers[name] = head.substr(colon + 2, line_end - colon - 2);
    line = line_end + 2;
  }
  if (!has_body) return answer;
  const std::size_t length = std::stoul(answer.headers.at("content-length"));
  while (received_.size() < length) {
    if (!fill()) return {};
  }
  answer.body = received_.substr(0, length);
  received_.erase(0, length);
  return answer;
}

bool RawClient::at_end() {
  if (!received_.empty()) return false;
  char byte = 0;
  return ::recv(socket_, &byte, 1, 0) == 0;
}

std::size_t RawClient::read_to_end() {
  while (fill()) {
  }
  return received_.size();
}

}  // namespace simulcast::control::test
