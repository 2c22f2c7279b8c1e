// From a host name to a connected socket, without ever blocking the shard.
//
// Names are resolved by a few threads of the Resolver's own, anew at each try; whoever asks for a name that
// is being looked up already gets that answer. All addresses are tried, the families in turn, a new one every
// kStagger while the earlier ones are still trying (RFC 8305, "happy eyeballs"); the first that connects
// wins. The addresses checked against the denied networks are the ones connected to.
#pragma once

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <variant>
#include <vector>

namespace simulcast::net {

class Resolver {
 public:
  // A dead name server keeps one of these busy for half a minute and must not hold up the names that another
  // knows. They sleep, in memory of their stacks' first pages.
  static constexpr std::size_t kThreads = 16;

  ~Resolver();  // waits for lookups that have begun
  // Any shard; answers on the calling coroutine's executor. Literal addresses are answered at once.
  boost::asio::awaitable<boost::system::error_code> resolve(
      std::string host, std::uint16_t port, std::vector<boost::asio::ip::tcp::endpoint>& found);
  bool busy() const { return busy_ > 0; }

 private:
  struct Lookup;

  std::shared_ptr<Lookup> join(const std::string& host, std::shared_ptr<boost::asio::steady_timer> waiter);
  void look_up(Lookup& lookup);

  std::atomic<int> busy_{0};
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Lookup>> under_way_;  // guarded by mutex_
  boost::asio::thread_pool threads_{kThreads};
};

inline constexpr std::chrono::milliseconds kStagger{250};
// From the first attempt to the last answer. Just behind the fourth SYN, so that a host which comes up is
// asked again soon, be it by the kernel or by the next try.
inline constexpr std::chrono::seconds kDialTimeout{8};

struct DialFailure {
  enum class Step { dns, denied, tcp } step;
  std::string message;  // a sentence, without the step's name
};

using AddressFilter = std::function<bool(const boost::asio::ip::address&)>;  // true: may be connected to

// The addresses that may be connected to, in the order they are to be tried; at least one.
using Addresses = std::vector<boost::asio::ip::tcp::endpoint>;
boost::asio::awaitable<std::variant<Addresses, DialFailure>> find_addresses(Resolver& resolver,
                                                                            std::string host,
                                                                            std::uint16_t port,
                                                                            const AddressFilter& allowed);

boost::asio::awaitable<std::variant<boost::asio::ip::tcp::socket, DialFailure>> dial(Addresses addresses);

// Both.
boost::asio::awaitable<std::variant<boost::asio::ip::tcp::socket, DialFailure>> dial(
    Resolver& resolver, std::string host, std::uint16_t port, const AddressFilter& allowed);

}  // namespace simulcast::net
