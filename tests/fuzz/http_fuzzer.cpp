// A stranger's connection to the control API, from its first byte through HTTP, the router and the handlers,
// over a real socket.
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <string>

#include "control/http/session.hpp"
#include "tests/fuzz/api_under_test.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace simulcast;
namespace asio = boost::asio;

namespace {

// Ours is the peer's end; the session has the other.
class Connection {
 public:
  Connection(const std::shared_ptr<control::HttpService>& service) {
    int ends[2];
    fuzz::check(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
    peer_ = ends[0];
    asio::ip::tcp::socket socket(io_);
    socket.assign(asio::ip::tcp::v4(), ends[1]);
    asio::co_spawn(io_, control::run_http_session(service, std::move(socket), false),
                   [this](const std::exception_ptr& error) {
                     fuzz::check(!error);
                     ended_ = true;
                   });
  }
  ~Connection() { ::close(peer_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  bool ended() const { return ended_; }

  void send(std::span<const std::byte> bytes) {
    while (!bytes.empty() && !ended_) {
      const auto sent = ::send(peer_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent > 0) bytes = bytes.subspan(static_cast<std::size_t>(sent));
      turn();
    }
  }

  void finish() {
    ::shutdown(peer_, SHUT_WR);
    // Nothing is left that the session could wait for.
    for (int turns = 0; !ended_; ++turns) {
      fuzz::check(turns < 100'000);
      turn();
    }
  }

  const std::string& answers() const { return answers_; }

 private:
  void turn() {
    io_.poll();
    io_.restart();
    char piece[16 * 1024];
    for (;;) {
      const auto received = ::recv(peer_, piece, sizeof piece, 0);
      if (received <= 0) return;
      answers_.append(piece, static_cast<std::size_t>(received));
    }
  }

  asio::io_context io_{1};
  int peer_ = -1;
  bool ended_ = false;
  std::string answers_;
};

// Events come for as long as the client is there, and these clients do not go.
class FewEvents final : public control::BodySource {
 public:
  asio::awaitable<control::Text> next() override {
    if (left_-- == 0) co_return nullptr;
    co_return std::make_shared<const std::string>(": still here\n\n");
  }

 private:
  int left_ = 2;
};

void check_answers(std::string_view answers) {
  while (!answers.empty()) {
    fuzz::check(answers.starts_with("HTTP/1.1 "));
    const auto head = answers.substr(0, answers.find("\r\n\r\n"));
    fuzz::check(head.size() < answers.size() && head[9] != '5');
    if (head.find("text/event-stream") != std::string_view::npos) return;  // the last on its connection
    answers.remove_prefix(head.size() + 4);
    if (!answers.starts_with('{') && !answers.starts_with('#')) continue;  // to HEAD, or "100 Continue"
    constexpr std::string_view kLength = "Content-Length: ";
    const auto at = head.find(kLength);
    fuzz::check(at != std::string_view::npos);
    const auto length = std::strtoul(head.data() + at + kLength.size(), nullptr, 10);
    fuzz::check(length <= answers.size());
    answers.remove_prefix(length);
  }
}

}  // namespace

void fuzz::run(const std::uint8_t* data, std::size_t size) {
  static ApiUnderTest api;
  static const auto service = [] {
    auto made = std::make_shared<control::HttpService>();
    made->handler = [](const control::Request& request) {
      auto response = api.handle(request);
      if (response.source) response.source = std::make_shared<FewEvents>();
      return response;
    };
    made->limits.body = 16 * 1024;
    return made;
  }();
  Input input(data, size);
  {
    Connection connection(service);
    while (!input.bytes.empty() && !connection.ended()) connection.send(input.next());
    connection.finish();
    check_answers(connection.answers());
  }
  check(service->sessions.empty());
  api.settle();
}
