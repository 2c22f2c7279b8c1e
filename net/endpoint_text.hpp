// An address and port as people write them: 192.0.2.7:1935, [2001:db8::1]:1935. Pure function, any thread.
#pragma once

#include <string>

namespace simulcast::net {

// `Endpoint`: of Asio's TCP or UDP.
template <class Endpoint>
std::string endpoint_text(const Endpoint& endpoint) {
  const auto host = endpoint.address().to_string();
  return (endpoint.address().is_v6() ? "[" + host + "]" : host) + ":" + std::to_string(endpoint.port());
}

}  // namespace simulcast::net
