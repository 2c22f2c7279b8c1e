// Tokens, times, ids, public addresses.
#include <gmock/gmock.h>

#include <set>

#include "control/api/access_tokens.hpp"
#include "control/api/public_addresses.hpp"
#include "control/random_hex.hpp"
#include "control/store/timestamps.hpp"

namespace simulcast::control::test {

namespace {

TEST(AccessTokens, FindsWhatEachIsGoodFor) {
  AccessTokens tokens({{"one", "", false}, {"two", "account", true}, {"", "", false}});
  EXPECT_EQ(tokens.find("one"), (AccessTokens::Grant{"", false}));
  EXPECT_EQ(tokens.find("two"), (AccessTokens::Grant{"account", true}));
  EXPECT_FALSE(tokens.find("three"));
  EXPECT_FALSE(tokens.find(""));
  EXPECT_FALSE(tokens.find("on"));
  EXPECT_FALSE(tokens.find(std::string_view("one\0", 4)));
}

TEST(AccessTokens, NoneMeansNobody) {
  EXPECT_FALSE(AccessTokens({}).find(""));
}

TEST(Timestamps, AlwaysSixDigits) {
  EXPECT_EQ(to_rfc3339(Timestamp(std::chrono::seconds(0))), "1970-01-01T00:00:00.000000Z");
  EXPECT_EQ(to_rfc3339(Timestamp(std::chrono::microseconds(1'709'210'096'000'001))),
            "2024-02-29T12:34:56.000001Z");
  EXPECT_EQ(to_rfc3339(media::WallTime(std::chrono::nanoseconds(999'999'999))),
            "1970-01-01T00:00:00.999999Z");
  EXPECT_EQ(to_rfc3339(Timestamp(std::chrono::microseconds(-1))), "1969-12-31T23:59:59.999999Z");
}

TEST(RandomHex, LengthAndDifference) {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    const std::string hex = random_hex(16);
    EXPECT_THAT(hex, testing::MatchesRegex("[0-9a-f]{32}"));
    EXPECT_TRUE(seen.insert(hex).second);
  }
}

TEST(PublicAddresses, UsualPortsAreLeftOut) {
  EXPECT_EQ(public_rtmp_url("relay.example.org", 1935), "rtmp://relay.example.org/live/");
  EXPECT_EQ(public_rtmp_url("relay.example.org", 1936), "rtmp://relay.example.org:1936/live/");
  EXPECT_EQ(public_rtmps_url("relay.example.org", 443), "rtmps://relay.example.org/live/");
  EXPECT_EQ(public_rtmps_url("relay.example.org", 1935), "rtmps://relay.example.org:1935/live/");
  EXPECT_EQ(public_srt_url("relay.example.org", 8890), "srt://relay.example.org:8890");
  EXPECT_EQ(public_rtmp_url("2001:db8::1", 1936), "rtmp://[2001:db8::1]:1936/live/");
  EXPECT_EQ(public_srt_url("[2001:db8::1]", 1), "srt://[2001:db8::1]:1");
}

}  // namespace

}  // namespace simulcast::control::test
