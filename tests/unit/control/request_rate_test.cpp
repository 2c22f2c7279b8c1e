#include "control/api/request_rate.hpp"

#include <gtest/gtest.h>

#include <string>

namespace simulcast::control {
namespace {

using namespace std::chrono_literals;
using boost::asio::ip::make_address;

class RequestRateTest : public testing::Test {
 protected:
  // How many of `tries` at once are let through.
  int taken(const char* from, int tries = 1) {
    int good = 0;
    for (int i = 0; i < tries; ++i) good += rate_.take(make_address(from), now_) ? 1 : 0;
    return good;
  }

  RequestRate rate_{10};
  RequestRate::Clock::time_point now_{1h};
};

TEST_F(RequestRateTest, ABurstIsTwoSecondsWorth) {
  EXPECT_EQ(taken("192.0.2.1", 30), 20);
}

TEST_F(RequestRateTest, TimeFillsTheBucketUpToTheBurst) {
  taken("192.0.2.1", 30);
  now_ += 500ms;
  EXPECT_EQ(taken("192.0.2.1", 30), 5);
  now_ += 1h;
  EXPECT_EQ(taken("192.0.2.1", 30), 20);
}

TEST_F(RequestRateTest, AnEvenRateIsNeverRefused) {
  for (int i = 0; i < 1000; ++i) {
    ASSERT_EQ(taken("192.0.2.1"), 1) << i;
    now_ += 100ms;
  }
}

TEST_F(RequestRateTest, EachClientHasItsOwn) {
  taken("192.0.2.1", 30);
  EXPECT_EQ(taken("192.0.2.2"), 1);
  EXPECT_EQ(taken("192.0.2.1"), 0);
}

TEST_F(RequestRateTest, AddressesOfOneCustomerAreOneClient) {
  taken("2001:db8::1", 30);
  EXPECT_EQ(taken("2001:db8::2"), 0);
  EXPECT_EQ(taken("2001:db8:0:1::1"), 1);
  taken("192.0.2.1", 30);
  EXPECT_EQ(taken("::ffff:192.0.2.1"), 0);
}

TEST_F(RequestRateTest, ClientsBeyondTheMostShareOne) {
  for (unsigned i = 0; i < RequestRate::kMostRemembered; ++i) {
    ASSERT_TRUE(rate_.take(boost::asio::ip::address_v4(0x0A000000U + i), now_));
  }
  EXPECT_EQ(taken("192.0.2.1", 15) + taken("192.0.2.2", 15), 20);
  // Those who have been quiet for long enough make room.
  now_ += 1s;
  EXPECT_EQ(taken("192.0.2.3", 30), 20);
}

}  // namespace
}  // namespace simulcast::control
