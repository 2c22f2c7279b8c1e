#include "control/notifications/webhook_url.hpp"

#include <spdlog/fmt/fmt.h>

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include "control/url_host.hpp"

namespace simulcast::control {

namespace urls = boost::urls;

namespace {

// Boost 1.81 takes "https://host:1k" for a port and a path.
bool is_path(std::string_view encoded) {
  return encoded.empty() || encoded.starts_with('/');
}

}  // namespace

std::optional<WebhookUrl> parse_webhook_url(std::string_view url) {
  if (!webhook_url_problem(url, {}).empty()) return std::nullopt;
  const urls::url_view parsed = *urls::parse_uri(url);
  WebhookUrl parts;
  parts.tls = parsed.scheme_id() == urls::scheme::https;
  parts.host = parsed.host_address();
  parts.port = parsed.has_port() ? parsed.port_number() : (parts.tls ? 443 : 80);
  parts.host_header = std::string(parsed.encoded_host_and_port());
  // An empty path goes out as "/" (RFC 9112, 3.2.1).
  parts.target = std::string(parsed.encoded_path());
  if (parts.target.empty()) parts.target = "/";
  if (parsed.has_query()) parts.target += "?" + std::string(parsed.encoded_query());
  parts.shown = fmt::format("{}://{}", parts.tls ? "https" : "http", std::string(parsed.encoded_host()));
  return parts;
}

std::string webhook_url_problem(std::string_view url, const std::vector<config::Network>& denied) {
  if (url.size() > kMaxWebhookUrl)
    return fmt::format("The URL must be at most {} bytes long", kMaxWebhookUrl);
  const auto parsed = urls::parse_uri(url);
  if (!parsed || (parsed->has_authority() && !is_path(parsed->encoded_path()))) {
    return "The URL is malformed; it must look like https://host/path, with special characters "
           "percent-encoded";
  }
  if (parsed->scheme_id() != urls::scheme::https && parsed->scheme_id() != urls::scheme::http) {
    return "The URL must begin with https:// or http://";
  }
  if (!parsed->has_authority()) return "The URL has no host";
  if (parsed->has_userinfo()) return "The URL must not contain a user name or password";
  if (parsed->has_fragment()) return "The URL must not contain '#'; it is written as %23";
  std::string problem = host_problem(parsed->authority(), denied);
  if (!problem.empty()) return problem;
  if (parsed->has_port() && !is_port(parsed->port())) return "The URL's port must be from 1 to 65535";
  return {};
}

}  // namespace simulcast::control
