#include "net/srt_handshakes.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace simulcast::net {
namespace {

using namespace std::chrono_literals;

struct SrtHandshakesTest : testing::Test {
  bool begin(SrtHandle handle, const std::string& peer, int listener = 0) {
    return handshakes.begin(handle, &listeners[listener], peer, "note of " + std::to_string(handle), now);
  }
  std::vector<std::string> take_failed(int listener = 0) {
    return handshakes.take_failed(&listeners[listener], now);
  }

  std::set<SrtHandle> failed;
  SrtHandshakes handshakes{{.per_address = 3, .per_listener = 5, .total = 7},
                           [this](SrtHandle handle) { return failed.contains(handle); }};
  int listeners[3] = {};
  SrtHandshakes::Clock::time_point now = SrtHandshakes::Clock::time_point{} + 1h;
};

TEST_F(SrtHandshakesTest, AnAddressHasSoMany) {
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(begin(i, "10.0.0.1:" + std::to_string(1000 + i)));
  EXPECT_FALSE(begin(3, "10.0.0.1:1003"));
  EXPECT_FALSE(begin(3, "[::ffff:10.0.0.1]:1003"));
  EXPECT_TRUE(begin(3, "10.0.0.2:1003"));
  EXPECT_EQ(handshakes.size(), 4U);
}

TEST_F(SrtHandshakesTest, ASixtyFourIsOneCustomer) {
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(begin(i, "[2001:db8::" + std::to_string(i + 1) + "]:5"));
  EXPECT_FALSE(begin(3, "[2001:db8::99]:5"));
}

TEST_F(SrtHandshakesTest, AListenerHasSoManyAndAllHaveSoMany) {
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(begin(i, "10.0.0." + std::to_string(i) + ":1"));
  EXPECT_FALSE(begin(5, "10.0.0.5:1"));
  EXPECT_TRUE(begin(5, "10.0.0.5:1", 1));
  EXPECT_TRUE(begin(6, "10.0.0.6:1", 2));
  EXPECT_FALSE(begin(7, "10.0.0.7:1", 2));
}

TEST_F(SrtHandshakesTest, WhoIsAskedAboutAgainCountsOnce) {
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(begin(1, "10.0.0.1:1"));
  EXPECT_EQ(handshakes.size(), 1U);
}

TEST_F(SrtHandshakesTest, WhoIsDoneMakesRoomAndBringsWhatWasNoted) {
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(begin(i, "10.0.0.1:1"));
  const auto done = handshakes.end(1);
  ASSERT_TRUE(done);
  EXPECT_EQ(done->note, "note of 1");
  EXPECT_EQ(done->peer, "10.0.0.1:1");
  EXPECT_FALSE(handshakes.end(1));
  EXPECT_TRUE(begin(3, "10.0.0.1:1"));
}

TEST_F(SrtHandshakesTest, WhoHasFailedIsToldOnceAndCountsAMomentLonger) {
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(begin(i, "10.0.0.1:" + std::to_string(i)));
  failed = {1};
  EXPECT_TRUE(take_failed(1).empty());  // another listener's
  EXPECT_EQ(take_failed(), std::vector<std::string>{"10.0.0.1:1"});
  EXPECT_TRUE(take_failed().empty());
  EXPECT_FALSE(begin(3, "10.0.0.1:3"));
  now += SrtHandshakes::kForgetFailed + 1ms;
  EXPECT_TRUE(begin(3, "10.0.0.1:3"));
  EXPECT_FALSE(begin(4, "10.0.0.1:4"));
}

TEST_F(SrtHandshakesTest, WhoComesToNothingIsForgottenAlsoWhenNobodyListensAnyMore) {
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(begin(i, "10.0.0.1:1"));
  now += SrtHandshakes::kForget + 1ms;
  EXPECT_TRUE(begin(3, "10.0.0.1:1", 1));
  EXPECT_EQ(handshakes.size(), 1U);
}

}  // namespace
}  // namespace simulcast::net
