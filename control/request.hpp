// One HTTP request and its answer, free of sockets and of the HTTP library: what the API's handlers are made
// of.
#pragma once

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

  // All values of a header, its name compared without regard to case.
  std::vector<std::string_view> header(std::string_view name) const;
};

// The body is always JSON; the server adds Content-Type, Content-Length and what belongs to the connection.
struct Response {
  unsigned status = 200;
  std::string body;
  Headers headers;
};

}  // namespace simulcast::control
