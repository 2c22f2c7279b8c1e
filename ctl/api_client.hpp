// Talks to the daemon's API, one request after the other on one connection. Blocks; for a command line.
#pragma once

#include <boost/json/value.hpp>
#include <functional>
#include <memory>
#include <string_view>

#include "ctl/connection_settings.hpp"
#include "ctl/http_connection.hpp"

namespace simulcast::ctl {

class ApiClient {
 public:
  explicit ApiClient(ConnectionSettings settings) : settings_(std::move(settings)) {}

  // `path` is below /client/v4/accounts/{account}/stream. Gives the answer's `result`. Throws CommandError:
  // with the API's own words when it says no, or with why it cannot be reached.
  boost::json::value get(std::string_view path) { return request("GET", path, {}); }
  boost::json::value post(std::string_view path, const boost::json::value& body = boost::json::object{}) {
    return request("POST", path, body);
  }
  boost::json::value put(std::string_view path, const boost::json::value& body) {
    return request("PUT", path, body);
  }
  void remove(std::string_view path) { request("DELETE", path, {}); }
  // An answer that goes on and on: calls `begun` when it begins, then `take` with whatever comes, and comes
  // back when it ends. On a connection of its own, so that both may ask for other things.
  void follow(std::string_view path, const std::function<void()>& begun,
              const std::function<void(std::string_view)>& take);

 private:
  HttpConnection::Request message(std::string_view method, std::string_view path,
                                  const boost::json::value& body) const;
  boost::json::value request(std::string_view method, std::string_view path, const boost::json::value& body);
  boost::json::value result_of(const HttpConnection::Answer& answer) const;

  const ConnectionSettings settings_;
  std::unique_ptr<HttpConnection> connection_;
};

}  // namespace simulcast::ctl
