// Whether the host and port of a URL can be connected to, judged from the text alone: shared by the addresses
// of outputs and of webhooks. Pure functions.
#pragma once

#include <boost/url/authority_view.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.hpp"

namespace simulcast::control {

// A sentence about what is wrong, or empty: no host, no valid name, an address in a denied network.
std::string host_problem(const boost::urls::authority_view& authority,
                         const std::vector<config::Network>& denied);

// By the digits, 1 to 65535: Boost 1.81 takes the number modulo 65536.
bool is_port(std::string_view digits);

}  // namespace simulcast::control
