#include "net/resolver.hpp"

#include <pthread.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "net/dns_lookup.hpp"
#include "net/nss.hpp"
#include "net/start_thread.hpp"
#include "net/thread_team.hpp"

namespace simulcast::net {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using Addresses = std::vector<tcp::endpoint>;
using Outcome = DnsAnswer::Outcome;
using Clock = std::chrono::steady_clock;

namespace {
constexpr std::size_t kNssThreads = 2;
}

struct Resolver::Impl {
  // Somebody who asks. On the asking coroutine's executor, but for `executor`.
  struct Waiter {
    explicit Waiter(const asio::any_io_executor& on) : executor(on), timer(on) {}
    const asio::any_io_executor executor;
    asio::steady_timer timer;
    std::optional<DnsAnswer> answer;
  };

  struct Lookup {
    std::vector<std::shared_ptr<Waiter>> waiters;  // guarded by the mutex
    std::unique_ptr<DnsLookup> dns;                // on the resolver's thread
  };

  struct Known {
    Addresses found;
    Clock::time_point at;
  };

  explicit Impl(Options given);
  ~Impl();

  std::shared_ptr<Lookup> join(const std::string& host, const std::shared_ptr<Waiter>& waiter);
  void leave(const std::string& host, const std::shared_ptr<Lookup>& lookup,
             const std::shared_ptr<Waiter>& waiter);
  void answered(const std::string& host, const std::shared_ptr<Lookup>& lookup, DnsAnswer answer);
  void ask_other_sources(const std::string& host, const std::shared_ptr<Lookup>& lookup);
  void conclude(const std::string& host, const std::shared_ptr<Lookup>& lookup, const DnsAnswer& answer);
  void remember(const std::string& host, const DnsAnswer& answer);
  std::optional<Addresses> last_of(const std::string& host);

  const Options options;
  const bool other_sources = has_other_name_sources();
  std::mutex mutex;
  std::map<std::string, std::shared_ptr<Lookup>> under_way;  // guarded by the mutex
  std::map<std::string, Known> known;                        // guarded by the mutex
  std::atomic<int> nss_jobs{0};
  asio::io_context context{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{context.get_executor()};
  std::optional<ThreadTeam> nss_threads;  // while there are other sources than DNS
  std::thread thread;
};

Resolver::Resolver() : Resolver(Options{}) {}
Resolver::Resolver(Options options) : impl_(std::make_shared<Impl>(std::move(options))) {}
Resolver::~Resolver() = default;

bool Resolver::busy() const {
  return impl_->nss_jobs > 0;
}

std::size_t Resolver::lookups() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->under_way.size();
}

Resolver::Impl::Impl(Options given) : options(std::move(given)) {
  if (other_sources) nss_threads.emplace(kNssThreads);
  thread = start_thread([this] { context.run(); });
  pthread_setname_np(thread.native_handle(), "resolver");
}

Resolver::Impl::~Impl() {
  nss_threads.reset();
  context.stop();
  thread.join();
  // What is left ends here, as it would have on its thread.
  std::map<std::string, std::shared_ptr<Lookup>> rest;
  {
    const std::lock_guard lock(mutex);
    rest.swap(under_way);
    for (auto& [host, lookup] : rest) lookup->waiters.clear();
  }
  for (auto& [host, lookup] : rest) lookup->dns.reset();
  context.restart();
  context.poll();
}

std::shared_ptr<Resolver::Impl::Lookup> Resolver::Impl::join(const std::string& host,
                                                             const std::shared_ptr<Waiter>& waiter) {
  const std::lock_guard lock(mutex);
  if (const auto found = under_way.find(host); found != under_way.end()) {
    found->second->waiters.push_back(waiter);
    return found->second;
  }
  if (under_way.size() >= kMostLookups) return nullptr;
  auto lookup = std::make_shared<Lookup>();
  lookup->waiters.push_back(waiter);
  under_way.emplace(host, lookup);
  asio::post(context, [this, host, lookup] {
    {
      const std::lock_guard inner(mutex);
      if (lookup->waiters.empty()) return;  // given up before it has begun
    }
    lookup->dns = std::make_unique<DnsLookup>(context, host, options.servers,
                                              [this, host, weak = std::weak_ptr(lookup)](DnsAnswer answer) {
                                                if (const auto self = weak.lock())
                                                  answered(host, self, std::move(answer));
                                              });
  });
  return lookup;
}

// When this has returned nobody uses the waiter's executor any more.
void Resolver::Impl::leave(const std::string& host, const std::shared_ptr<Lookup>& lookup,
                           const std::shared_ptr<Waiter>& waiter) {
  const std::lock_guard lock(mutex);
  std::erase(lookup->waiters, waiter);
  if (!lookup->waiters.empty()) return;
  const auto found = under_way.find(host);
  if (found == under_way.end() || found->second != lookup) return;
  under_way.erase(found);
  asio::post(context, [lookup] { lookup->dns.reset(); });
}

void Resolver::Impl::answered(const std::string& host, const std::shared_ptr<Lookup>& lookup,
                              DnsAnswer answer) {
  const auto ended = std::move(lookup->dns);  // holds a reference to the lookup
  if (answer.outcome == Outcome::unknown && other_sources) return ask_other_sources(host, lookup);
  conclude(host, lookup, answer);
}

void Resolver::Impl::ask_other_sources(const std::string& host, const std::shared_ptr<Lookup>& lookup) {
  ++nss_jobs;
  asio::post(nss_threads->executor(), [this, host, lookup] {
    bool wanted = false;
    {
      const std::lock_guard lock(mutex);
      wanted = !lookup->waiters.empty();
    }
    if (wanted) conclude(host, lookup, look_up_by_nss(host));
    --nss_jobs;
  });
}

// The resolver's thread, or one that has asked another source.
void Resolver::Impl::conclude(const std::string& host, const std::shared_ptr<Lookup>& lookup,
                              const DnsAnswer& answer) {
  const std::lock_guard lock(mutex);
  remember(host, answer);
  const auto found = under_way.find(host);
  if (found != under_way.end() && found->second == lookup) under_way.erase(found);
  for (const auto& waiter : lookup->waiters) {
    asio::post(waiter->executor, [waiter, answer] {
      waiter->answer = answer;
      waiter->timer.expires_at(asio::steady_timer::time_point::min());
    });
  }
}

void Resolver::Impl::remember(const std::string& host, const DnsAnswer& answer) {
  if (answer.outcome == Outcome::unknown) known.erase(host);
  if (answer.outcome != Outcome::found) return;
  if (known.size() >= kMostRemembered && !known.contains(host)) {
    known.erase(std::ranges::min_element(known, {}, [](const auto& entry) { return entry.second.at; }));
  }
  known[host] = {answer.found, Clock::now()};
}

std::optional<Addresses> Resolver::Impl::last_of(const std::string& host) {
  const std::lock_guard lock(mutex);
  const auto found = known.find(host);
  if (found == known.end()) return std::nullopt;
  return found->second.found;
}

asio::awaitable<error_code> Resolver::resolve(std::string host, std::uint16_t port, Addresses& found) {
  error_code ec;
  const auto literal = asio::ip::make_address(host, ec);
  if (!ec) {
    found.assign(1, tcp::endpoint(literal, port));
    co_return error_code{};
  }
  const auto waiter = std::make_shared<Impl::Waiter>(co_await asio::this_coro::executor);
  const bool is_known = impl_->last_of(host).has_value();
  waiter->timer.expires_at(is_known ? Clock::now() + impl_->options.patience : Clock::time_point::max());
  if (const auto lookup = impl_->join(host, waiter)) {
    // A coroutine that still waits when everything ends is destroyed with its io_context: maybe after this.
    struct Leave {
      std::weak_ptr<Impl> resolver;
      const std::string& host;
      const std::shared_ptr<Impl::Lookup>& lookup;
      const std::shared_ptr<Impl::Waiter>& waiter;
      ~Leave() {
        if (const auto impl = resolver.lock()) impl->leave(host, lookup, waiter);
      }
    };
    const Leave leave{impl_, host, lookup, waiter};
    co_await waiter->timer.async_wait(asio::as_tuple(asio::use_awaitable));
    const auto cancelled = (co_await asio::this_coro::cancellation_state).cancelled();
    if (cancelled != asio::cancellation_type::none) co_return asio::error::operation_aborted;
  }
  const DnsAnswer answer = waiter->answer.value_or(DnsAnswer{});
  if (answer.outcome == Outcome::unknown) co_return asio::error::host_not_found;
  if (answer.outcome == Outcome::found) {
    found = answer.found;
  } else if (auto last = impl_->last_of(host)) {
    found = std::move(*last);
  } else {
    co_return asio::error::host_not_found_try_again;
  }
  for (auto& endpoint : found) endpoint.port(port);
  co_return error_code{};
}

}  // namespace simulcast::net
