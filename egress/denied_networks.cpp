#include "egress/denied_networks.hpp"

#include <algorithm>
#include <cstdint>

namespace simulcast::egress {

namespace {

bool contains(const config::Network& network, const std::vector<std::uint8_t>& address) {
  if (network.address.size() != address.size()) return false;
  unsigned left = network.prefix_length;
  for (std::size_t i = 0; i < address.size() && left > 0; ++i) {
    const unsigned bits = std::min(left, 8U);
    const auto mask = static_cast<std::uint8_t>(0xFF00U >> bits);
    if ((network.address[i] & mask) != (address[i] & mask)) return false;
    left -= bits;
  }
  return true;
}

}  // namespace

bool is_denied(const boost::asio::ip::address& address, const std::vector<config::Network>& denied) {
  boost::asio::ip::address plain = address;
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    plain = boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, address.to_v6());
  }
  std::vector<std::uint8_t> bytes;
  if (plain.is_v4()) {
    const auto v4 = plain.to_v4().to_bytes();
    bytes.assign(v4.begin(), v4.end());
  } else {
    const auto v6 = plain.to_v6().to_bytes();
    bytes.assign(v6.begin(), v6.end());
  }
  return std::ranges::any_of(denied,
                             [&](const config::Network& network) { return contains(network, bytes); });
}

}  // namespace simulcast::egress
