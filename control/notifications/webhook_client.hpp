// Sends one notification to one webhook: an HTTP POST over a connection of its own.
//
// Owned by Application; lives on the control thread's io_context, never blocks it. The address is checked
// against the denied networks after its name was resolved, and that address is the one connected to. A
// certificate is always verified. Redirects are not followed, and no more of an answer's body is read than
// kMaxBody.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ssl/context.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "net/dial.hpp"
#include "net/tls.hpp"

namespace simulcast::control {

struct WebhookRequest {
  std::string url;
  std::string secret;         // goes into cf-webhook-auth; empty: none
  std::string body;           // JSON
  std::int64_t delivery = 0;  // the same at each try, so that a receiver can tell what it has seen
};

struct WebhookAnswer {
  unsigned status = 0;  // of HTTP; 0: there was no answer
  std::string failure;  // a sentence without any part of the URL but its host; empty: accepted

  bool accepted() const { return failure.empty(); }
};

class WebhookClient {
 public:
  static constexpr std::chrono::seconds kTimeout{15};  // for all of it, from the name to the answer
  static constexpr std::size_t kMaxBody = 64 * 1024;

  WebhookClient(net::Resolver& resolver, const net::TlsContext& tls, std::vector<config::Network> denied,
                std::chrono::milliseconds timeout = kTimeout);

  // Call on the control thread; does not throw.
  boost::asio::awaitable<WebhookAnswer> post(WebhookRequest request);

 private:
  net::Resolver& resolver_;
  const std::shared_ptr<boost::asio::ssl::context> tls_;
  const net::AddressFilter allowed_;
  const std::chrono::milliseconds timeout_;
};

}  // namespace simulcast::control
