#include "control/http/hang_up.hpp"

#include <poll.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <exception>
#include <utility>
#include <variant>

namespace simulcast::control {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

constexpr auto kResult = asio::as_tuple(asio::use_awaitable);
// While a further request waits to be read, the socket is ready all the time.
constexpr std::chrono::milliseconds kLookAgain{200};

using Later = std::function<asio::awaitable<Response>()>;

struct Outcome {
  Response response;
  std::exception_ptr error;
};

// Whichever way it ends, it ends the race.
asio::awaitable<Outcome> outcome_of(Later later) {
  Outcome outcome;
  try {
    outcome.response = co_await later();
  } catch (...) {
    outcome.error = std::current_exception();
  }
  co_return outcome;
}

// Also with bytes unread in front of the end, which reading would not show.
bool has_hung_up(tcp::socket& socket) {
  pollfd asked{.fd = socket.native_handle(), .events = POLLRDHUP, .revents = 0};
  return ::poll(&asked, 1, 0) > 0;
}

asio::awaitable<void> until_hung_up(tcp::socket& socket) {
  asio::steady_timer pause(socket.get_executor());
  for (;;) {
    const auto [error] = co_await socket.async_wait(tcp::socket::wait_read, kResult);
    if (error || has_hung_up(socket)) co_return;
    pause.expires_after(kLookAgain);
    const auto [cancelled] = co_await pause.async_wait(kResult);
    if (cancelled) co_return;
  }
}

}  // namespace

asio::awaitable<std::optional<Response>> answer_unless_hung_up(Later later, tcp::socket& socket) {
  using namespace asio::experimental::awaitable_operators;
  auto first = co_await (outcome_of(std::move(later)) || until_hung_up(socket));
  if (first.index() == 1) co_return std::nullopt;
  Outcome& outcome = std::get<0>(first);
  if (outcome.error) std::rethrow_exception(outcome.error);
  co_return std::move(outcome.response);
}

}  // namespace simulcast::control
