// Talks to the daemon's API, one request after the other on one connection. Blocks; for a command line.
#pragma once

#include <boost/json/value.hpp>
#include <memory>
#include <string>
#include <string_view>

#include "ctl/connection_settings.hpp"

namespace simulcast::ctl {

class ApiClient {
 public:
  explicit ApiClient(ConnectionSettings settings);
  ~ApiClient();

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

 private:
  struct Connection;

  boost::json::value request(std::string_view method, std::string_view path, const boost::json::value& body);

  const ConnectionSettings settings_;
  std::unique_ptr<Connection> connection_;
};

}  // namespace simulcast::ctl
