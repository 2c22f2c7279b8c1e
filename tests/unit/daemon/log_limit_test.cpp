#include "daemon/log_limit.hpp"

#include <gtest/gtest.h>

#include <string>

namespace simulcast::daemon {
namespace {

using namespace std::chrono_literals;

struct LogLimitTest : testing::Test {
  int admitted(const std::string& line, int times) {
    int count = 0;
    for (int i = 0; i < times; ++i) count += limit.admit(line, 3, now) ? 1 : 0;
    return count;
  }
  LogLimit limit;
  LogLimit::Clock::time_point now = LogLimit::Clock::time_point{} + 1h;
};

TEST_F(LogLimitTest, NineLinesASecondAndOneThatTellsOfTheRest) {
  EXPECT_EQ(admitted("publisher refused proto=rtmp peer=10.0.0.1:1", 1000), 9);
  EXPECT_TRUE(limit.take_told(now + 900ms).empty());
  now += 1s;
  const auto told = limit.take_told(now);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].line, "publisher refused proto=rtmp peer=10.0.0.1:1 (repeated 991 times)");
  EXPECT_EQ(told[0].level, 3);
  EXPECT_TRUE(limit.take_told(now).empty());
  EXPECT_EQ(admitted("publisher refused proto=rtmp peer=10.0.0.1:1", 20), 9);
}

TEST_F(LogLimitTest, AnotherPortIsTheSameSourceAnotherAddressOrOutputIsNot) {
  EXPECT_EQ(admitted("publisher refused proto=rtmp peer=10.0.0.1:1", 9), 9);
  EXPECT_EQ(admitted("publisher refused proto=rtmps peer=10.0.0.1:2", 9), 0);
  EXPECT_EQ(admitted("publisher refused proto=rtmp peer=10.0.0.2:1", 9), 9);
  EXPECT_EQ(admitted("publisher refused proto=rtmp peer=[::1]:1", 9), 9);
  EXPECT_EQ(admitted("publisher refused proto=rtmp peer=[::1]:2", 9), 0);
  EXPECT_EQ(admitted("output state=retrying input=a output=b", 9), 9);
  EXPECT_EQ(admitted("output state=live input=a output=b", 9), 0);
  EXPECT_EQ(admitted("output state=retrying input=a output=c", 9), 9);
}

TEST_F(LogLimitTest, WithoutAFloodNothingIsHeldBack) {
  for (int second = 0; second < 100; ++second) {
    now += 1s;
    EXPECT_EQ(admitted("output state=retrying input=a output=b", 9), 9);
    EXPECT_TRUE(limit.take_told(now).empty());
  }
}

TEST_F(LogLimitTest, ManySourcesTakeBoundedMemory) {
  int lines = 0;
  for (int i = 0; i < 10'000; ++i) lines += admitted("refused peer=10.0." + std::to_string(i) + ":1", 1);
  EXPECT_EQ(lines, static_cast<int>(LogLimit::kMaxSources) + LogLimit::kPerSecond);
  now += 10s;
  EXPECT_EQ(limit.take_told(now).size(), 1U);
  now += 10s;
  limit.take_told(now);
  EXPECT_EQ(admitted("refused peer=11.0.0.1:1", 9), 9);
}

}  // namespace
}  // namespace simulcast::daemon
