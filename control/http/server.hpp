// HTTP/1.1 for the API: accepts connections, reads requests within their limits, writes what the handler
// answers.
//
// Owned by Application; all of it runs on the executor it was given, which must be of one thread (the control
// thread). What is wrong with a request at the level of HTTP is answered here, in the API's own envelope.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "config/config.hpp"
#include "control/http/request.hpp"

namespace simulcast::control {

struct HttpLimits {
  std::size_t body = std::size_t{1} << 20;  // more is answered with 413
  std::uint32_t header = 16 * 1024;         // request line and headers; more is answered with 431
  // For a whole request, from its first byte on; a new connection's first request counts from the connection.
  std::chrono::milliseconds request{15'000};
  std::chrono::milliseconds idle{75'000};  // between requests; longer than proxies keep theirs (nginx: 60 s)
  std::chrono::milliseconds response{15'000};  // for the client to take an answer
  // At once. Beyond that the one that has waited longest for a request makes room; when all are being
  // answered, more are refused with 429.
  std::size_t connections = 1024;
  // Bytes that all connections have in memory: of answers that the clients have not taken yet, and of
  // requests that have not come whole yet. Beyond that, 503.
  std::size_t answers = std::size_t{32} << 20;
  std::size_t requests = std::size_t{16} << 20;
};

class HttpServer {
 public:
  using Handler = std::function<Response(const Request&)>;

  HttpServer(const boost::asio::any_io_executor& executor, Handler handler, HttpLimits limits = {});
  ~HttpServer();  // stops
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Opens the listener and begins to serve, over TLS when a certificate is given. Gives the real port. Throws
  // std::runtime_error with a sentence: address in use, no such name, unreadable certificate.
  std::uint16_t listen(const config::Listen& address,
                       const std::optional<config::Certificate>& tls = std::nullopt);
  // Another certificate for connections from now on, if it serves over TLS. Throws std::runtime_error when it
  // cannot be read; the old one stays then.
  void renew(const config::Certificate& tls);
  bool listening() const;
  // Closes the listener and all connections; an answer on its way may still be written for a second.
  void stop();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace simulcast::control
