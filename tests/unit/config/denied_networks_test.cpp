#include "config/denied_networks.hpp"

#include <gtest/gtest.h>

namespace simulcast::config {
namespace {

using boost::asio::ip::make_address;

const std::vector<Network> kDenied = {
    {{169, 254, 0, 0}, 16, "169.254.0.0/16"},
    {{10, 16, 0, 0}, 12, "10.16.0.0/12"},
    {{0xFE, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 10, "fe80::/10"},
};

TEST(DeniedNetworks, MatchesByPrefix) {
  for (const char* inside : {"169.254.169.254", "169.254.0.0", "10.16.0.1", "10.31.255.255", "fe80::1",
                             "febf::1", "::ffff:169.254.1.1"}) {
    EXPECT_TRUE(denying_network(make_address(inside), kDenied)) << inside;
  }
  for (const char* outside : {"169.253.255.255", "169.255.0.0", "10.32.0.0", "10.15.255.255", "fec0::1",
                              "::1", "127.0.0.1", "::ffff:8.8.8.8"}) {
    EXPECT_FALSE(denying_network(make_address(outside), kDenied)) << outside;
  }
}

TEST(DeniedNetworks, AnIPv6AddressThatLeadsToAnIPv4Address) {
  for (const char* inside :
       {"::ffff:169.254.1.1", "::ffff:0:169.254.1.1", "::169.254.1.1", "64:ff9b::169.254.1.1",
        "64:ff9b:1::169.254.1.1", "2002:a9fe:101::1", "2001:0:102:304::5601:fefe"}) {
    EXPECT_TRUE(denying_network(make_address(inside), kDenied)) << inside;
  }
  for (const char* outside : {"::ffff:0:8.8.8.8", "::8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::a9fe:101",
                              "2001:0:a9fe:101::1", "2001:db8::169.254.1.1"}) {
    EXPECT_FALSE(denying_network(make_address(outside), kDenied)) << outside;
  }
  const std::vector<Network> nat64 = {
      {{0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 96, "64:ff9b::/96"}};
  EXPECT_TRUE(denying_network(make_address("64:ff9b::8.8.8.8"), nat64));
}

TEST(DeniedNetworks, ZeroPrefixIsEverythingOfItsFamily) {
  const std::vector<Network> all = {{{0, 0, 0, 0}, 0, "0.0.0.0/0"}};
  EXPECT_TRUE(denying_network(make_address("8.8.8.8"), all));
  EXPECT_FALSE(denying_network(make_address("2001:db8::1"), all));
}

TEST(DeniedNetworks, TheUnspecifiedAddressIsThisMachine) {
  const std::vector<Network> loopback = {{{127, 0, 0, 0}, 8, "127.0.0.0/8"},
                                         {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 128, "::1/128"}};
  for (const char* address : {"0.0.0.0", "::", "::ffff:0.0.0.0"}) {
    EXPECT_TRUE(denying_network(make_address(address), loopback)) << address;
  }
}

}  // namespace
}  // namespace simulcast::config
