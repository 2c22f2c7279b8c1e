// A webhook's address: whether it can be used, and its parts.
//
// Pure functions. Nothing in here quotes the path or the query, which many services make a secret of.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.hpp"

namespace simulcast::control {

constexpr std::size_t kMaxWebhookUrl = 2048;

struct WebhookUrl {
  bool tls = false;
  std::string host;  // IPv6 without brackets
  std::uint16_t port = 0;
  std::string host_header;  // as it goes into the request
  std::string target;       // path and query
  std::string shown;        // scheme and host: what a log may say
};

// Empty when it cannot be used.
std::optional<WebhookUrl> parse_webhook_url(std::string_view url);

// A sentence about what is wrong with it, or empty. Names are resolved, and judged again, when a notification
// is sent.
std::string webhook_url_problem(std::string_view url, const std::vector<config::Network>& denied);

}  // namespace simulcast::control
