#include "net/customer.hpp"

#include <algorithm>
#include <cstdint>

namespace simulcast::net {

using boost::asio::ip::address;
using boost::asio::ip::address_v6;

address customer(const address& from) {
  if (!from.is_v6()) return from;
  const address_v6 v6 = from.to_v6();
  if (v6.is_v4_mapped()) return boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, v6);
  auto bytes = v6.to_bytes();
  std::fill(bytes.begin() + bytes.size() / 2, bytes.end(), std::uint8_t{0});
  return address_v6(bytes);
}

}  // namespace simulcast::net
