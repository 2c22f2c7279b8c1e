// Whose address that is, for limits per peer: all of an IPv6 /64 have one, which is what one customer of a
// provider gets, and an IPv4 address is the same in both its forms.
#pragma once

#include <boost/asio/ip/address.hpp>

namespace simulcast::net {

boost::asio::ip::address customer(const boost::asio::ip::address& from);

}  // namespace simulcast::net
