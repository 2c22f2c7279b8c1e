#include "control/output_url.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <boost/algorithm/string/predicate.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/url/authority_view.hpp>
#include <charconv>

#include "config/denied_networks.hpp"
#include "net/srt_url.hpp"

namespace simulcast::control {

namespace urls = boost::urls;
namespace ip = boost::asio::ip;

namespace {

bool is_control(unsigned char c) {
  return c < 0x20 || c == 0x7F;
}
bool is_blank(unsigned char c) {
  return is_control(c) || c == ' ';
}

bool starts_with_nocase(std::string_view text, std::string_view prefix) {
  return boost::algorithm::istarts_with(text, prefix, std::locale::classic());
}

std::string address_problem(const ip::address& address, const std::vector<config::Network>& denied) {
  const config::Network* network = config::denying_network(address, denied);
  if (network == nullptr) return {};
  return fmt::format("The URL's host is in the network {}, where this daemon's outputs may not go",
                     network->text);
}

// By the digits: Boost 1.81 takes the number modulo 65536.
bool is_port(std::string_view digits) {
  unsigned port = 0;
  const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  return ec == std::errc() && end == digits.data() + digits.size() && port >= 1 && port <= 65535;
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

}  // namespace

std::string output_url_problem(std::string_view url, const std::vector<config::Network>& denied) {
  if (!net::is_srt_url(url) && !starts_with_nocase(url, "rtmp://") && !starts_with_nocase(url, "rtmps://")) {
    return "The URL must begin with rtmp://, rtmps:// or srt://";
  }
  if (url.size() > kMaxOutputUrl) return fmt::format("The URL must be at most {} bytes long", kMaxOutputUrl);
  if (std::ranges::any_of(url, is_blank)) return "The URL must not contain spaces or control characters";
  if (url.find('#') != std::string_view::npos) return "The URL must not contain '#'; it is written as %23";

  // An RTMP path and query are opaque: services put bytes into them that a strict URL may not hold.
  std::string_view rest = url.substr(url.find("://") + 3);
  const std::string_view authority_text = rest.substr(0, rest.find_first_of("/?"));
  rest.remove_prefix(authority_text.size());
  const std::string_view path = rest.substr(0, rest.find('?'));

  if (authority_text.find('@') != std::string_view::npos) {
    return "The URL must not contain a user name or password";
  }
  const auto authority = urls::parse_authority(authority_text);
  if (!authority)
    return "The URL's host or port is malformed; it must look like host, host:1935 or [2001:db8::1]:1935";
  std::string problem = host_problem(*authority, denied);
  if (!problem.empty()) return problem;
  if (authority->has_port() && !is_port(authority->port())) return "The URL's port must be from 1 to 65535";
  if (net::is_srt_url(url)) {
    const auto parsed = net::parse_srt_url(url);
    const auto* srt_problem = std::get_if<net::SrtUrlProblem>(&parsed);
    return srt_problem != nullptr ? srt_problem->sentence : std::string{};
  }
  if (path.find_first_not_of('/') == std::string_view::npos) {
    return "The URL has no application path; it must look like rtmp://host/app";
  }
  return {};
}

std::string stream_key_problem(std::string_view stream_key, bool srt) {
  if (stream_key.empty()) return srt ? "" : "\"streamKey\" may be empty only for srt:// URLs";
  if (std::ranges::any_of(stream_key, is_blank)) {
    return "\"streamKey\" must not contain spaces or control characters";
  }
  if (srt && stream_key.size() > net::kMaxSrtStreamId) {
    return fmt::format("\"streamKey\" must be at most {} bytes long for srt:// URLs", net::kMaxSrtStreamId);
  }
  return {};
}

}  // namespace simulcast::control
