// The control API: from a request to its answer. Finds the route, checks the credentials and lets a handler
// answer.
//
// Owned by Application, called on the control thread. It has no sockets; HttpServer feeds it. What it changes
// goes into the store first, then the engine is told. What a handler cannot answer becomes a
// 500 whose id is in the log.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/address.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "control/api/access_tokens.hpp"
#include "control/api/public_addresses.hpp"
#include "control/engine.hpp"
#include "control/http/request.hpp"
#include "control/store/store.hpp"
#include "control/store/timestamps.hpp"

namespace simulcast::control {

struct ApiSettings {
  std::string account;  // the one this daemon serves
  PublicAddresses addresses;
  unsigned outputs_per_input = 50;
  unsigned requests_per_second = 1000;           // from one other machine
  std::vector<config::Network> denied_networks;  // where outputs may not go
  std::vector<std::string> hosts;                // names that browsers may call the API by
  std::function<Timestamp()> now = system_now;
};

class EventStream;
class Metrics;
class Notifier;

// The addresses of a name, or of an address itself; none when it is not found. On the executor of whoever
// awaits it.
using LookUp = std::function<boost::asio::awaitable<std::vector<boost::asio::ip::address>>(std::string host)>;

// What some routes need; without it they are not there. All must outlive the Api.
struct ApiParts {
  EventStream* events = nullptr;
  Metrics* metrics = nullptr;
  Notifier* notifier = nullptr;
  LookUp look_up = {};  // without it names are compared by their text only
};

class Api {
 public:
  Api(ApiSettings settings, Store& store, Engine& engine, const AccessTokens& tokens, ApiParts parts = {});
  ~Api();

  Response handle(const Request& request);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace simulcast::control
