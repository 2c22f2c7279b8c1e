#include "config/denied_networks.hpp"

#include <algorithm>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>

namespace simulcast::config {

namespace ip = boost::asio::ip;

namespace {

template <class Address>
Address address_of(const Network& network) {
  typename Address::bytes_type bytes;
  std::ranges::copy(network.address, bytes.begin());
  return Address(bytes);
}

ip::address seen_plainly(const ip::address& address) {
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    return seen_plainly(ip::make_address_v4(ip::v4_mapped, address.to_v6()));
  }
  if (!address.is_unspecified()) return address;
  if (address.is_v4()) return ip::address_v4::loopback();
  return ip::address_v6::loopback();
}

bool contains(const Network& network, const ip::address& address) {
  const auto length = static_cast<unsigned short>(network.prefix_length);
  if (address.is_v4() && network.address.size() == ip::address_v4::bytes_type().size()) {
    return ip::network_v4(address.to_v4(), length).canonical() ==
           ip::network_v4(address_of<ip::address_v4>(network), length).canonical();
  }
  if (address.is_v6() && network.address.size() == ip::address_v6::bytes_type().size()) {
    return ip::network_v6(address.to_v6(), length).canonical() ==
           ip::network_v6(address_of<ip::address_v6>(network), length).canonical();
  }
  return false;
}

}  // namespace

const Network* denying_network(const ip::address& address, const std::vector<Network>& denied) {
  const ip::address plain = seen_plainly(address);
  const auto found =
      std::ranges::find_if(denied, [&](const Network& network) { return contains(network, plain); });
  return found == denied.end() ? nullptr : &*found;
}

}  // namespace simulcast::config
