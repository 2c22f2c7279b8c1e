#include "control/api/output_url.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <boost/algorithm/string/predicate.hpp>
#include <boost/url/authority_view.hpp>

#include "control/url_host.hpp"
#include "net/srt_url.hpp"

namespace simulcast::control {

namespace urls = boost::urls;

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
