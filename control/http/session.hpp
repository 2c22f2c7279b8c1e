// One connection of the HTTP server: reads requests, has them answered, writes the answers; ends by itself.
//
// A session lives in the frame of its own coroutine; the service only knows it in order to stop it. All on
// the server's thread. Internal to HttpServer.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <set>

#include "control/http/byte_budget.hpp"
#include "control/http/server.hpp"

namespace simulcast::control {

class HttpSession {
 public:
  // Since when it waits for a request to be whole; nothing while it answers one.
  virtual std::optional<std::chrono::steady_clock::time_point> waiting_since() const = 0;
  // Ends at once, or as soon as an answer that is on its way has been written.
  virtual void stop() = 0;

 protected:
  ~HttpSession() = default;
};

// What the server and its sessions share; lives as long as either.
struct HttpService {
  explicit HttpService(HttpLimits the_limits = {})
      : limits(the_limits), answers(the_limits.answers), requests(the_limits.requests) {}

  HttpServer::Handler handler;
  HttpLimits limits;
  ByteBudget answers;
  ByteBudget requests;
  std::shared_ptr<boost::asio::ssl::context> tls;  // none: plain
  std::set<HttpSession*> sessions;
  std::size_t refusals = 0;  // how many of the sessions are there only to be refused
  bool stopping = false;
};

// With `refuse`, the connection is one too many: it is told so and closed.
boost::asio::awaitable<void> run_http_session(std::shared_ptr<HttpService> service,
                                              boost::asio::ip::tcp::socket socket, bool refuse);

}  // namespace simulcast::control
