#include "net/dial.hpp"

#include <netdb.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/ip/resolver_base.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <utility>

#include "net/endpoint_text.hpp"

namespace simulcast::net {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

Resolver::~Resolver() {
  threads_.stop();
  threads_.join();
}

// One name being looked up. `waiters` is guarded by the resolver's mutex; the rest belongs to the thread that
// looks it up, and to the waiters once it is done.
struct Resolver::Lookup {
  std::string host;
  std::vector<std::shared_ptr<asio::steady_timer>> waiters;
  std::vector<tcp::endpoint> found;  // without a port
  int status = 0;
};

std::shared_ptr<Resolver::Lookup> Resolver::join(const std::string& host,
                                                 std::shared_ptr<asio::steady_timer> waiter) {
  const std::lock_guard lock(mutex_);
  auto& lookup = under_way_[host];
  if (!lookup) {
    lookup = std::make_shared<Lookup>();
    lookup->host = host;
    ++busy_;
    asio::post(threads_, [this, lookup] { look_up(*lookup); });
  }
  lookup->waiters.push_back(std::move(waiter));
  return lookup;
}

void Resolver::look_up(Lookup& lookup) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  // No AI_ADDRCONFIG: it leaves out ::1 and 127.0.0.1 on hosts without other addresses.
  addrinfo* list = nullptr;
  lookup.status = ::getaddrinfo(lookup.host.c_str(), nullptr, &hints, &list);
  for (const addrinfo* one = list; one != nullptr; one = one->ai_next) {
    tcp::endpoint endpoint;
    if (one->ai_addrlen > endpoint.capacity()) continue;
    std::copy_n(reinterpret_cast<const char*>(one->ai_addr), one->ai_addrlen,
                reinterpret_cast<char*>(endpoint.data()));
    endpoint.resize(one->ai_addrlen);
    lookup.found.push_back(endpoint);
  }
  if (list != nullptr) ::freeaddrinfo(list);

  std::vector<std::shared_ptr<asio::steady_timer>> waiters;
  {
    const std::lock_guard lock(mutex_);
    under_way_.erase(lookup.host);
    waiters.swap(lookup.waiters);
  }
  --busy_;
  for (auto& waiter : waiters) {
    const auto executor = waiter->get_executor();
    asio::post(executor,
               [waiter = std::move(waiter)] { waiter->expires_at(asio::steady_timer::time_point::min()); });
  }
}

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

asio::awaitable<error_code> Resolver::resolve(std::string host, std::uint16_t port,
                                              std::vector<tcp::endpoint>& found) {
  error_code ec;
  const auto literal = asio::ip::make_address(host, ec);
  if (!ec) {
    found.assign(1, tcp::endpoint(literal, port));
    co_return error_code{};
  }
  const auto executor = co_await asio::this_coro::executor;
  auto done = std::make_shared<asio::steady_timer>(executor, asio::steady_timer::time_point::max());
  const auto lookup = join(host, done);
  co_await done->async_wait(asio::as_tuple(asio::use_awaitable));
  const auto cancelled = (co_await asio::this_coro::cancellation_state).cancelled();
  if (cancelled != asio::cancellation_type::none) co_return asio::error::operation_aborted;
  if (lookup->status != 0) {
    co_return lookup->status == EAI_AGAIN ? error_code(asio::error::host_not_found_try_again)
                                          : error_code(asio::error::host_not_found);
  }
  found = lookup->found;
  for (auto& endpoint : found) endpoint.port(port);
  co_return error_code{};
}

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

  auto race = std::make_shared<Race>(co_await asio::this_coro::executor);
  const RaceEnd end{race};
  const auto deadline = std::chrono::steady_clock::now() + kDialTimeout;
  std::size_t next = 0;
  while (race->winner < 0) {
    if (std::chrono::steady_clock::now() >= deadline) {
      co_return fail(DialFailure::Step::tcp, "no answer from " + endpoint_text(endpoints.front()));
    } else if (next < endpoints.size()) {
      start_attempt(race, endpoints[next++]);
      race->wake.expires_at(std::min(std::chrono::steady_clock::now() + kStagger, deadline));
    } else if (race->failed == endpoints.size()) {
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
