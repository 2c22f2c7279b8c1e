#include "control/api/destination.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <boost/algorithm/string/case_conv.hpp>
#include <boost/algorithm/string/classification.hpp>
#include <boost/algorithm/string/join.hpp>
#include <boost/algorithm/string/split.hpp>
#include <boost/url/authority_view.hpp>
#include <charconv>
#include <variant>
#include <vector>

#include "net/srt_url.hpp"

namespace simulcast::control {

namespace ip = boost::asio::ip;

namespace {

constexpr const char* kThisMachine = "localhost";
constexpr std::string_view kStandardStreamId = "#!::";  // SRT Access Control Guidelines

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// A percent sign that begins no escape stands for itself: a stream key may hold one.
std::string decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      const int high = hex_value(text[i + 1]);
      const int low = hex_value(text[i + 2]);
      if (high >= 0 && low >= 0) {
        out += static_cast<char>(high * 16 + low);
        i += 2;
        continue;
      }
    }
    out += text[i];
  }
  return out;
}

std::vector<std::string> parts_of(const std::string& text, const char* separator) {
  std::vector<std::string> parts;
  boost::algorithm::split(parts, text, boost::algorithm::is_any_of(separator));
  std::erase(parts, std::string());
  return parts;
}

std::string in_order(const std::string& list, const char* separator) {
  std::vector<std::string> parts = parts_of(list, separator);
  std::ranges::sort(parts);
  return boost::algorithm::join(parts, separator);
}

std::string_view before_query(std::string_view text) {
  return text.substr(0, text.find('?'));
}

// How a server puts an application and a stream name together.
std::string rtmp_stream(std::string_view path, std::string_view key) {
  const std::string_view name = before_query(key);
  const auto folders = parts_of(decoded(path), "/");
  const auto names = parts_of(decoded(name), "/");
  std::string stream = boost::algorithm::join(folders, "/");
  if (names.empty()) {  // there are services that have the stream's name behind the '?'
    return stream + "?" + in_order(decoded(key.substr(std::min(name.size() + 1, key.size()))), "&");
  }
  return stream + (folders.empty() ? "" : "/") + boost::algorithm::join(names, "/");
}

std::string srt_stream(const std::string& id) {
  if (!id.starts_with(kStandardStreamId)) return id;
  return std::string(kStandardStreamId) + in_order(id.substr(kStandardStreamId.size()), ",");
}

// What connecting to a name makes of it without asking anybody.
std::string host_of(std::string name) {
  boost::algorithm::to_lower(name, std::locale::classic());
  if (name.ends_with('.')) name.pop_back();
  boost::system::error_code error;
  if (const auto address = ip::make_address(name, error); !error) return control::host_of(address);
  // 127.1, 0x7f000001 and the like are addresses for the resolver.
  in_addr v4{};
  if (::inet_aton(name.c_str(), &v4) != 0) return control::host_of(ip::address_v4(ntohl(v4.s_addr)));
  // RFC 6761, 6.3
  if (name == kThisMachine || name.ends_with(".localhost")) return kThisMachine;
  return name;
}

std::optional<Destination> srt_destination(std::string_view url, std::string_view stream_key) {
  const auto parsed = net::parse_srt_url(url);
  const auto* srt = std::get_if<net::SrtUrl>(&parsed);
  if (srt == nullptr || srt->mode == net::SrtUrl::Mode::listener) return std::nullopt;
  return Destination{.protocol = Destination::Protocol::srt,
                     .host = host_of(srt->host),
                     .port = srt->port,
                     .usual_port = false,
                     .stream = srt_stream(srt->stream_id.value_or(std::string(stream_key)))};
}

}  // namespace

std::string host_of(const ip::address& address) {
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    return host_of(ip::make_address_v4(ip::v4_mapped, address.to_v6()));
  }
  // Connecting to the unspecified address leads to this machine.
  return address.is_loopback() || address.is_unspecified() ? kThisMachine : address.to_string();
}

std::optional<Destination> destination_of(std::string_view url, std::string_view stream_key) {
  if (net::is_srt_url(url)) return srt_destination(url, stream_key);
  const std::size_t scheme_end = url.find("://");
  if (scheme_end == std::string_view::npos) return std::nullopt;
  std::string scheme(url.substr(0, scheme_end));
  boost::algorithm::to_lower(scheme, std::locale::classic());
  if (scheme != "rtmp" && scheme != "rtmps") return std::nullopt;
  const std::string_view rest = url.substr(scheme_end + 3);
  const std::string_view authority_text = rest.substr(0, rest.find_first_of("/?"));
  const auto authority = boost::urls::parse_authority(authority_text);
  if (!authority) return std::nullopt;

  const std::uint16_t usual = scheme == "rtmps" ? 443 : 1935;
  Destination found;
  found.host = host_of(std::string(authority->host_address()));
  found.port = usual;
  const std::string digits(authority->port());
  if (!digits.empty()) std::from_chars(digits.data(), digits.data() + digits.size(), found.port);
  found.usual_port = found.port == usual;
  found.stream = rtmp_stream(before_query(rest.substr(authority_text.size())), stream_key);
  return found;
}

bool same_but_for_host(const Destination& left, const Destination& right) {
  return left.protocol == right.protocol && left.stream == right.stream &&
         (left.port == right.port || (left.usual_port && right.usual_port));
}

}  // namespace simulcast::control
