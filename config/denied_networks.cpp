#include "config/denied_networks.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace simulcast::config {

namespace ip = boost::asio::ip;

namespace {

template <class Address>
Address address_of(const Network& network) {
  typename Address::bytes_type bytes;
  std::ranges::copy(network.address, bytes.begin());
  return Address(bytes);
}

// What leads to an IPv4 address, and where in the IPv6 address that one stands.
struct Translation {
  std::array<std::uint8_t, 12> prefix;
  std::size_t prefix_size;
  std::size_t v4_at;
  std::uint8_t mask;  // each byte of it is turned round with this
};
constexpr std::array kTranslations{
    Translation{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 12, 12, 0},  // mapped
    Translation{{0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0}, 12, 12, 0},  // translated (RFC 2765)
    Translation{{}, 12, 12, 0},                                          // compatible
    Translation{{0x00, 0x64, 0xff, 0x9b}, 12, 12, 0},                    // NAT64
    Translation{{0x00, 0x64, 0xff, 0x9b, 0x00, 0x01}, 6, 12, 0},         // NAT64 of one's own (RFC 8215)
    Translation{{0x20, 0x02}, 2, 2, 0},                                  // 6to4
    Translation{{0x20, 0x01, 0x00, 0x00}, 4, 12, 0xff},                  // Teredo
};

std::optional<ip::address_v4> translated(const ip::address_v6& address) {
  if (address.is_loopback()) return std::nullopt;
  const auto bytes = address.to_bytes();
  for (const Translation& one : kTranslations) {
    if (!std::equal(bytes.begin(), bytes.begin() + one.prefix_size, one.prefix.begin())) continue;
    ip::address_v4::bytes_type v4;
    std::ranges::transform(std::span(bytes).subspan(one.v4_at, v4.size()), v4.begin(),
                           [&](std::uint8_t byte) { return byte ^ one.mask; });
    return ip::address_v4(v4);
  }
  return std::nullopt;
}

// The unspecified address leads to this machine.
ip::address reached_by(const ip::address& address) {
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
  const auto find = [&](const ip::address& reached) {
    const auto found =
        std::ranges::find_if(denied, [&](const Network& network) { return contains(network, reached); });
    return found == denied.end() ? nullptr : &*found;
  };
  if (const Network* network = find(reached_by(address))) return network;
  if (!address.is_v6()) return nullptr;
  const auto v4 = translated(address.to_v6());
  return v4 ? find(reached_by(*v4)) : nullptr;
}

}  // namespace simulcast::config
