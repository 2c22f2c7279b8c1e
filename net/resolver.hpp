// Host names to addresses, for all shards, without ever blocking one.
//
// Each name is looked up anew whenever it is asked for; whoever asks for a name that is being looked up
// already gets that answer. Lookups do not wait for each other, however many there are, and one that nobody
// waits for any more is given up. A name that was found before is found again: when its lookup takes longer
// than kPatience, or nobody answers, its last addresses serve. Names that DNS does not know are asked for in
// the other sources of /etc/nsswitch.conf, where there are any (mDNS and the like).
//
// Owned by the Application; has a thread of its own.
#pragma once

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace simulcast::net {

class Resolver {
 public:
  static constexpr std::chrono::milliseconds kPatience{2000};
  // Each has a socket or two. Beyond these a name that was never found is not looked up.
  static constexpr std::size_t kMostLookups = 512;
  // Names whose last addresses are remembered.
  static constexpr std::size_t kMostRemembered = 1024;

  struct Options {
    std::string servers;  // "address:port,address:port"; empty: those of the system
    std::chrono::milliseconds patience = kPatience;
  };

  // Both throw TooFewThreads.
  Resolver();
  explicit Resolver(Options options);
  ~Resolver();  // waits for what other sources than DNS are being asked
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  // Any shard; answers on the calling coroutine's executor. Literal addresses are answered at once.
  boost::asio::awaitable<boost::system::error_code> resolve(
      std::string host, std::uint16_t port, std::vector<boost::asio::ip::tcp::endpoint>& found);
  // Another source is being asked, which cannot be given up.
  bool busy() const;
  // How many names are being looked up.
  std::size_t lookups() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace simulcast::net
