// Whether an address lies in one of the networks that outputs may not go to: asked when a URL with a literal
// address is stored, and again for every address that a name resolves to. Pure function, any thread.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <vector>

#include "config/config.hpp"

namespace simulcast::config {

// The first network that `address` is in, or null. An IPv6 address that leads to an IPv4 address (mapped,
// NAT64, 6to4 and the like) is in the networks of both, and the unspecified address for this machine, which
// connecting to it reaches.
const Network* denying_network(const boost::asio::ip::address& address, const std::vector<Network>& denied);

}  // namespace simulcast::config
