// One HTTP request and its answer, free of sockets and of the HTTP library: what the API's handlers are made
// of.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/address.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace simulcast::control {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct Request {
  std::string method;  // as sent: "GET"
  std::string target;  // as sent: path and query
  Headers headers;     // in order, repeated ones included
  std::string body;
  boost::asio::ip::address from = {};
  bool from_this_machine = false;  // over a loopback address, and not on behalf of somebody else

  // All values of a header, its name compared without regard to case.
  std::vector<std::string_view> header(std::string_view name) const;
};

// A text that several may be sent at once, or that one keeps for the next.
using Text = std::shared_ptr<const std::string>;

// A body without an end that is known: the server awaits piece after piece and sends each at once.
class BodySource {
 public:
  virtual ~BodySource() = default;
  // The next piece, never empty; none: there is no more. Comes back within a second or so, as only a write
  // shows that the client has gone.
  virtual boost::asio::awaitable<Text> next() = 0;
};

// The body is JSON unless a header says otherwise; the server adds Content-Type, Content-Length and what
// belongs to the connection.
struct Response {
  unsigned status = 200;
  std::string body;
  Headers headers;
  // Set for a body that others are sent as well: in place of `body`.
  Text shared = {};
  // Set for an answer that takes a while: awaited, and what it gives is sent in place of this one. Cancelled
  // when the client hangs up.
  std::function<boost::asio::awaitable<Response>()> later = {};
  // Set for an answer that goes on behind `body`; the connection ends with it.
  std::shared_ptr<BodySource> source = {};

  std::string_view text() const { return shared ? *shared : body; }
};

}  // namespace simulcast::control
