#include "control/api/on_the_air.hpp"

#include <ifaddrs.h>
#include <netinet/in.h>

#include <algorithm>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <cstring>
#include <set>
#include <utility>

#include "control/api/context.hpp"
#include "control/api/destination.hpp"
#include "control/http/faults.hpp"

namespace simulcast::control {

namespace asio = boost::asio;
namespace ip = boost::asio::ip;

namespace {

// For all of them: a name server that is alive needs less.
constexpr std::chrono::seconds kLookUpTimeout{5};

bool is_connected(media::OutputState state) {
  using enum media::OutputState;
  return state == live || state == holding || state == connecting || state == stopping;
}

// As hosts. A server of this machine is reached by any of them.
std::set<std::string> own_addresses() {
  std::set<std::string> own;
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return own;
  for (const ifaddrs* one = list; one != nullptr; one = one->ifa_next) {
    if (one->ifa_addr == nullptr) continue;
    if (one->ifa_addr->sa_family == AF_INET) {
      const auto* v4 = reinterpret_cast<const sockaddr_in*>(one->ifa_addr);
      own.insert(host_of(ip::address_v4(ntohl(v4->sin_addr.s_addr))));
    } else if (one->ifa_addr->sa_family == AF_INET6) {
      const auto* v6 = reinterpret_cast<const sockaddr_in6*>(one->ifa_addr);
      ip::address_v6::bytes_type bytes;
      std::memcpy(bytes.data(), &v6->sin6_addr, bytes.size());
      own.insert(host_of(ip::address_v6(bytes)));
    }
  }
  ::freeifaddrs(list);
  return own;
}

asio::awaitable<std::set<std::string>> found_for(const std::string& host, const LookUp& look_up) {
  const auto addresses = co_await look_up(host);
  const auto own = own_addresses();
  std::set<std::string> hosts;
  for (const ip::address& address : addresses) {
    const std::string found = host_of(address);
    hosts.insert(own.contains(found) ? host_of(ip::address_v4::loopback()) : found);
  }
  co_return hosts;
}

asio::awaitable<bool> compare(const SameStream& same, const LookUp& look_up) {
  const auto wanted = co_await found_for(same.host, look_up);
  for (const std::string& other : same.others) {
    const auto others = co_await found_for(other, look_up);
    const bool is_one = std::ranges::any_of(others, [&](const auto& host) { return wanted.contains(host); });
    if (is_one) co_return true;
  }
  co_return false;
}

}  // namespace

SameStream check_not_on_air(Context& context, const Output& wanted) {
  const auto destination = destination_of(wanted.url, wanted.stream_key);
  if (!destination) return {};
  SameStream same{.host = destination->host, .others = {}};
  for (const InputSnapshot& input : context.engine.snapshot(Engine::Which::live)) {
    for (const Output& output : context.store.outputs(input.uid)) {
      const auto other = destination_of(output.url, output.stream_key);
      if (!other || !same_but_for_host(*other, *destination)) continue;
      if (!is_connected(context.engine.output_status(input.uid, output.uid).state)) continue;
      if (other->host == destination->host) throw RequestError(Problem::on_the_air, kOnTheAir);
      const bool is_new = std::ranges::find(same.others, other->host) == same.others.end();
      if (is_new && same.others.size() < SameStream::kMaxHosts) same.others.push_back(other->host);
    }
  }
  return same;
}

asio::awaitable<bool> leads_to_one_of(SameStream same, LookUp look_up) {
  using namespace asio::experimental::awaitable_operators;
  if (same.others.empty() || !look_up) co_return false;
  asio::steady_timer deadline(co_await asio::this_coro::executor, kLookUpTimeout);
  const auto first = co_await (compare(same, look_up) || deadline.async_wait(asio::use_awaitable));
  co_return first.index() == 0 && std::get<0>(first);
}

}  // namespace simulcast::control
