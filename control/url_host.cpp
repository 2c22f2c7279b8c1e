#include "control/url_host.hpp"

#include <spdlog/fmt/fmt.h>

#include <boost/asio/ip/address.hpp>
#include <charconv>

#include "config/denied_networks.hpp"

namespace simulcast::control {

namespace urls = boost::urls;
namespace ip = boost::asio::ip;

namespace {

std::string address_problem(const ip::address& address, const std::vector<config::Network>& denied) {
  const config::Network* network = config::denying_network(address, denied);
  if (network == nullptr) return {};
  return fmt::format("The URL's host is in the network {}, where this daemon's outputs may not go",
                     network->text);
}

bool is_host_name(std::string_view name) {
  constexpr std::size_t kMaxName = 253;  // RFC 1035, 2.3.4
  constexpr std::size_t kMaxLabel = 63;
  if (name.ends_with('.')) name.remove_suffix(1);
  if (name.empty() || name.size() > kMaxName) return false;
  std::size_t label = 0;
  for (const char c : name) {
    if (c == '.') {
      if (label == 0) return false;
      label = 0;
      continue;
    }
    const bool good =
        (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
    if (!good || ++label > kMaxLabel) return false;
  }
  return label > 0;
}

}  // namespace

std::string host_problem(const urls::authority_view& url, const std::vector<config::Network>& denied) {
  switch (url.host_type()) {
    case urls::host_type::ipv4: {
      const auto bytes = url.host_ipv4_address().to_bytes();
      return address_problem(ip::address_v4(ip::address_v4::bytes_type(bytes)), denied);
    }
    case urls::host_type::ipv6: {
      const auto bytes = url.host_ipv6_address().to_bytes();
      return address_problem(ip::address_v6(ip::address_v6::bytes_type(bytes)), denied);
    }
    case urls::host_type::name:
      break;
    default:
      return "The URL's host must be a name or an IP address";
  }
  const std::string_view name = url.encoded_host();
  if (name.empty()) return "The URL has no host";
  if (!is_host_name(name))
    return "The URL's host is not a valid host name (names in other scripts go in their xn-- form)";
  return {};
}

bool is_port(std::string_view digits) {
  unsigned port = 0;
  const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  return ec == std::errc() && end == digits.data() + digits.size() && port >= 1 && port <= 65535;
}

}  // namespace simulcast::control
