#include "net/srt_url.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <boost/algorithm/string/predicate.hpp>
#include <boost/url/authority_view.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/parse_query.hpp>
#include <charconv>
#include <set>

namespace simulcast::net {

namespace urls = boost::urls;

namespace {

constexpr std::string_view kScheme = "srt://";

bool is_control(unsigned char c) {
  return c < 0x20 || c == 0x7F;
}

template <class Number>
bool parse_number(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

// An empty string, or what is wrong.
std::string take_value(std::string_view key, std::string value, SrtUrl& url) {
  if (std::ranges::any_of(value, is_control)) {
    return fmt::format("The URL's {} must not contain control characters", key);
  }
  if (key == "streamid") {
    if (value.size() > kMaxSrtStreamId) {
      return fmt::format("The URL's streamid must be at most {} bytes long", kMaxSrtStreamId);
    }
    url.stream_id = std::move(value);
  } else if (key == "passphrase") {
    if (value.size() < kMinSrtPassphrase || value.size() > kMaxSrtPassphrase) {
      return fmt::format("The URL's passphrase must have {} to {} bytes", kMinSrtPassphrase,
                         kMaxSrtPassphrase);
    }
    url.passphrase = std::move(value);
  } else if (key == "pbkeylen") {
    if (!parse_number(value, url.key_length) ||
        (url.key_length != 16 && url.key_length != 24 && url.key_length != 32)) {
      return "The URL's pbkeylen must be 16, 24 or 32";
    }
  } else if (key == "latency") {
    unsigned latency = 0;
    constexpr auto kMax = std::chrono::milliseconds(kMaxSrtLatency).count();
    if (!parse_number(value, latency) || latency > kMax) {
      return fmt::format("The URL's latency must be a whole number of milliseconds, at most {}", kMax);
    }
    url.latency = std::chrono::milliseconds{latency};
  } else if (value == "caller") {
    url.mode = SrtUrl::Mode::caller;
  } else if (value == "listener") {
    url.mode = SrtUrl::Mode::listener;
  } else if (value == "rendezvous") {
    url.mode = SrtUrl::Mode::rendezvous;
  } else {
    return "The URL's mode must be caller, listener or rendezvous";
  }
  return {};
}

// A key that is not known is named only if it looks like one: it may as well be a misplaced secret.
std::string shown_key(std::string_view key) {
  constexpr std::size_t kMaxShown = 32;
  const bool plain = !key.empty() && key.size() <= kMaxShown && std::ranges::all_of(key, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
  return plain ? fmt::format("the query key \"{}\"", key) : "a query key";
}

std::string take_query(const std::string& query, SrtUrl& url) {
  static constexpr std::array<std::string_view, 5> kKeys{"streamid", "passphrase", "pbkeylen", "latency",
                                                         "mode"};
  const auto parameters = urls::parse_query(query);
  if (!parameters) return "The URL's query is malformed; special characters in it are written as %XX";
  std::set<std::string> seen;
  for (const auto& encoded : *parameters) {
    const std::string key = encoded.key.decode();
    if (std::ranges::find(kKeys, key) == kKeys.end()) {
      return fmt::format(
          "The URL has {}; an srt:// URL may have streamid, passphrase, pbkeylen, latency and mode",
          shown_key(key));
    }
    if (!seen.insert(key).second) return fmt::format("The URL has the query key \"{}\" twice", key);
    std::string problem = take_value(key, encoded.value.decode(), url);
    if (!problem.empty()) return problem;
  }
  return {};
}

}  // namespace

bool is_srt_url(std::string_view url) {
  return boost::algorithm::istarts_with(url, kScheme, std::locale::classic());
}

std::variant<SrtUrl, SrtUrlProblem> parse_srt_url(std::string_view text) {
  if (!is_srt_url(text)) return SrtUrlProblem{"The URL must begin with srt://"};
  std::string_view rest = text.substr(kScheme.size());
  const std::string_view authority_text = rest.substr(0, rest.find_first_of("/?"));
  rest.remove_prefix(authority_text.size());
  const std::string_view path = rest.substr(0, rest.find('?'));
  rest.remove_prefix(std::min(path.size() + 1, rest.size()));
  const std::string query(rest);  // Boost 1.81 reads it up to a terminating zero

  const auto authority = urls::parse_authority(authority_text);
  if (!authority || authority->encoded_host().empty()) {
    return SrtUrlProblem{
        "The URL's host or port is malformed; it must look like host:9000 or [2001:db8::1]:9000"};
  }
  SrtUrl url;
  url.host = authority->host_address();
  if (!authority->has_port()) return SrtUrlProblem{"An srt:// URL needs a port"};
  // By the digits: Boost 1.81 takes the number modulo 65536.
  if (!parse_number(std::string_view(authority->port()), url.port) || url.port == 0) {
    return SrtUrlProblem{"The URL's port must be from 1 to 65535"};
  }
  if (!path.empty() && path != "/") {
    return SrtUrlProblem{"An srt:// URL has no path; the stream id goes into ?streamid= or streamKey"};
  }
  std::string problem = take_query(query, url);
  if (!problem.empty()) return SrtUrlProblem{std::move(problem)};
  return url;
}

}  // namespace simulcast::net
