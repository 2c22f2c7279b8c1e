// An address as C libraries give it, as an endpoint of Asio's. Pure function, any thread.
#pragma once

#include <sys/socket.h>

#include <algorithm>
#include <cstddef>
#include <optional>

namespace simulcast::net {

// `Endpoint`: of Asio's TCP or UDP. Nothing for what is none, or too large for one.
template <class Endpoint>
std::optional<Endpoint> endpoint_of(const sockaddr* address, std::size_t size) {
  Endpoint endpoint;
  if (address == nullptr || size == 0 || size > endpoint.capacity()) return std::nullopt;
  std::copy_n(reinterpret_cast<const char*>(address), size, reinterpret_cast<char*>(endpoint.data()));
  endpoint.resize(size);
  return endpoint;
}

}  // namespace simulcast::net
