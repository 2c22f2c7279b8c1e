#include "net/dial.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <utility>

#include "net/descriptors.hpp"
#include "net/endpoint_text.hpp"

namespace simulcast::net {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

// The order in which addresses are tried: as the resolver sorted them, but the families in turn.
std::vector<tcp::endpoint> interleave(const std::vector<tcp::endpoint>& sorted) {
  std::vector<tcp::endpoint> first, second, mixed;
  for (const auto& endpoint : sorted) {
    (endpoint.protocol() == sorted.front().protocol() ? first : second).push_back(endpoint);
  }
  for (std::size_t i = 0; i < std::max(first.size(), second.size()); ++i) {
    if (i < first.size()) mixed.push_back(first[i]);
    if (i < second.size()) mixed.push_back(second[i]);
  }
  return mixed;
}

// What the attempts of one dial share.
struct Race {
  explicit Race(const asio::any_io_executor& executor) : wake(executor) {}
  asio::steady_timer wake;  // cancelled when an attempt ends
  std::vector<std::unique_ptr<tcp::socket>> sockets;
  int winner = -1;
  std::size_t failed = 0;
  std::string last_failure;
};

void start_attempt(const std::shared_ptr<Race>& race, const tcp::endpoint& endpoint) {
  const auto index = race->sockets.size();
  race->sockets.push_back(std::make_unique<tcp::socket>(race->wake.get_executor()));
  race->sockets.back()->async_connect(endpoint, [race, index, endpoint](error_code ec) {
    if (!ec && race->winner < 0) {
      race->winner = static_cast<int>(index);
    } else if (ec) {
      ++race->failed;
      if (ec != asio::error::operation_aborted)
        race->last_failure = endpoint_text(endpoint) + ": " + ec.message();
    }
    race->wake.cancel();
  });
}

// Closes all attempts, however the dial ends (also when its coroutine is cancelled).
struct RaceEnd {
  std::shared_ptr<Race> race;
  ~RaceEnd() {
    for (auto& socket : race->sockets) {
      error_code ignored;
      if (socket) socket->close(ignored);
    }
  }
};

}  // namespace

asio::awaitable<std::variant<Addresses, DialFailure>> find_addresses(Resolver& resolver, std::string host,
                                                                     std::uint16_t port,
                                                                     const AddressFilter& allowed) {
  std::vector<tcp::endpoint> endpoints;
  const error_code ec = co_await resolver.resolve(std::move(host), port, endpoints);
  if (ec || endpoints.empty()) {
    co_return DialFailure{DialFailure::Step::dns, "the host name cannot be resolved: " + ec.message()};
  }
  std::erase_if(endpoints, [&](const tcp::endpoint& endpoint) { return !allowed(endpoint.address()); });
  if (endpoints.empty()) {
    co_return DialFailure{DialFailure::Step::denied,
                          "the host's address is in a network that outputs may not go to"};
  }
  co_return interleave(endpoints);
}

asio::awaitable<std::variant<tcp::socket, DialFailure>> dial(Resolver& resolver, std::string host,
                                                             std::uint16_t port,
                                                             const AddressFilter& allowed) {
  auto found = co_await find_addresses(resolver, std::move(host), port, allowed);
  if (auto* failure = std::get_if<DialFailure>(&found)) co_return std::move(*failure);
  co_return co_await dial(std::get<Addresses>(std::move(found)));
}

asio::awaitable<std::variant<tcp::socket, DialFailure>> dial(Addresses endpoints) {
  using Result = std::variant<tcp::socket, DialFailure>;
  const auto fail = [](DialFailure::Step step, std::string message) -> Result {
    return DialFailure{step, std::move(message)};
  };

  if (!has_descriptor(DescriptorUse::output)) co_return fail(DialFailure::Step::tcp, kTooFewDescriptors);
  auto race = std::make_shared<Race>(co_await asio::this_coro::executor);
  const RaceEnd end{race};
  const auto deadline = std::chrono::steady_clock::now() + kDialTimeout;
  std::size_t next = 0;
  while (race->winner < 0) {
    if (std::chrono::steady_clock::now() >= deadline) {
      co_return fail(DialFailure::Step::tcp, "no answer from " + endpoint_text(endpoints.front()));
    } else if (next < endpoints.size() && (next == 0 || has_descriptor(DescriptorUse::output))) {
      start_attempt(race, endpoints[next++]);
      race->wake.expires_at(std::min(std::chrono::steady_clock::now() + kStagger, deadline));
    } else if (race->failed == race->sockets.size()) {
      co_return fail(DialFailure::Step::tcp, "cannot connect to " + race->last_failure);
    } else {
      race->wake.expires_at(deadline);
    }
    co_await race->wake.async_wait(asio::as_tuple(asio::use_awaitable));
    const auto cancelled = (co_await asio::this_coro::cancellation_state).cancelled();
    if (cancelled != asio::cancellation_type::none) {
      co_return fail(DialFailure::Step::tcp, "the attempt was cancelled");
    }
  }
  co_return std::move(*race->sockets[static_cast<std::size_t>(race->winner)]);
}

}  // namespace simulcast::net
