// All paths of the API, and who answers them. A new path is one more line here, and is described in
// openapi.json.
#pragma once

#include <span>
#include <string_view>

#include "control/http/router.hpp"

namespace simulcast::control {

struct RouteTable {
  std::string_view prefix;  // with {account} in it: for those with credentials of that account
  std::span<const Route> routes;
};

std::span<const RouteTable> route_tables();

// To clients on this machine it needs no credentials, to others it does.
bool is_for_this_machine(const Route& route);

}  // namespace simulcast::control
