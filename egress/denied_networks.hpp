// Whether an address lies in one of the networks that outputs may not go to. IPv4 addresses in IPv6 clothing
// are seen for what they are.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <vector>

#include "config/config.hpp"

namespace simulcast::egress {

bool is_denied(const boost::asio::ip::address& address, const std::vector<config::Network>& denied);

}  // namespace simulcast::egress
