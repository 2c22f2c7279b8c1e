// From a host name to a connected socket, without ever blocking the shard.
//
// Names are resolved anew at each try. All addresses are tried, the families in turn, a new one every
// kStagger while the earlier ones are still trying (RFC 8305, "happy eyeballs"); the first that connects
// wins. The addresses checked against the denied networks are the ones connected to.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "net/resolver.hpp"

namespace simulcast::net {

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
