#include "protocol/rtmp/publish_url.hpp"

#include <algorithm>
#include <boost/url/authority_view.hpp>
#include <charconv>

#include "protocol/rtmp/error.hpp"
#include "protocol/rtmp/limits.hpp"

namespace simulcast::rtmp {

using boost::system::result;

namespace {

constexpr std::uint16_t kRtmpPort = 1935;
constexpr std::uint16_t kRtmpsPort = 443;

bool has_bad_character(std::string_view text) {
  return std::ranges::any_of(text, [](unsigned char c) { return c <= 0x20 || c == 0x7F; });
}

char to_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string_view trim_slashes(std::string_view path) {
  while (path.starts_with('/')) path.remove_prefix(1);
  while (path.ends_with('/')) path.remove_suffix(1);
  return path;
}

result<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size() || port == 0) return Error::url_bad_port;
  return port;
}

struct Authority {
  std::string host;
  std::uint16_t port = 0;
};

result<Authority> parse_authority(std::string_view text, std::uint16_t default_port) {
  if (text.find('@') != std::string_view::npos) return Error::url_has_credentials;
  if (text.empty() || text.starts_with(':')) return Error::url_no_host;
  // The port by hand, for a reason of its own when it is wrong; in brackets a colon belongs to the address.
  const std::size_t colon = text.find(':', text.starts_with('[') ? std::min(text.find(']'), text.size()) : 0);
  Authority authority{.host = {}, .port = default_port};
  if (colon != std::string_view::npos) {
    const auto port = parse_port(text.substr(colon + 1));
    if (port.has_error()) return port.error();
    authority.port = *port;
  }
  const auto parsed = boost::urls::parse_authority(text);
  if (parsed.has_error() || text.find('%') != std::string_view::npos) return Error::url_malformed;
  authority.host = parsed->host_address();
  if (authority.host.empty()) return Error::url_no_host;
  return authority;
}

}  // namespace

result<PublishUrl> parse_publish_url(std::string_view url, std::string_view stream_key) {
  if (url.size() > kMaxNameLength || stream_key.size() > kMaxNameLength) return Error::url_too_long;
  if (has_bad_character(url) || has_bad_character(stream_key)) return Error::url_bad_character;

  const std::size_t scheme_end = url.find("://");
  if (scheme_end == std::string_view::npos) return Error::url_bad_scheme;
  std::string scheme(url.substr(0, scheme_end));
  std::ranges::transform(scheme, scheme.begin(), to_lower);
  if (scheme != "rtmp" && scheme != "rtmps") return Error::url_bad_scheme;
  if (url.find('#') != std::string_view::npos) return Error::url_has_fragment;

  // Split by hand: path and query are opaque here, and services put bytes into them that a strict URL may not
  // hold.
  std::string_view rest = url.substr(scheme_end + 3);
  const std::string_view authority_text = rest.substr(0, rest.find_first_of("/?"));
  rest.remove_prefix(authority_text.size());
  const std::string_view path = rest.substr(0, rest.find('?'));
  const std::string_view query = rest.substr(path.size());

  PublishUrl result{
      .tls = scheme == "rtmps", .host = {}, .port = 0, .app = {}, .tc_url = {}, .stream_name = {}};
  auto authority = parse_authority(authority_text, result.tls ? kRtmpsPort : kRtmpPort);
  if (authority.has_error()) return authority.error();
  const std::string_view application = trim_slashes(path);
  if (application.empty()) return Error::url_no_application;
  if (stream_key.empty()) return Error::url_no_stream_key;

  result.host = std::move(authority->host);
  result.port = authority->port;
  result.app.append(application).append(query);
  result.tc_url.append(url.substr(0, scheme_end + 3)).append(authority_text).append("/").append(result.app);
  result.stream_name = stream_key;
  return result;
}

}  // namespace simulcast::rtmp
