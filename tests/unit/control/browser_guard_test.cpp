#include "control/api/browser_guard.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/control/api_fixture.hpp"

namespace simulcast::control::test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

const std::vector<std::string> kHosts{"relay.example.com"};

std::string problem(const Headers& headers, const std::string& method = "GET") {
  return browser_problem({.method = method, .target = "/metrics", .headers = headers, .body = ""}, kHosts);
}

TEST(BrowserGuard, OtherClientsAreNotLookedAt) {
  EXPECT_THAT(problem({{"Host", "whatever.example.org"}}), IsEmpty());
  EXPECT_THAT(problem({}), IsEmpty());
}

TEST(BrowserGuard, PagesOfOurOwnAreServed) {
  for (const char* host : {"127.0.0.1:8080", "[::1]:8080", "localhost:8080", "LOCALHOST", "relay.example.com",
                           "Relay.Example.Com:8443", "192.0.2.7"}) {
    EXPECT_THAT(problem({{"Host", host}, {"Origin", std::string("http://") + host}}, "POST"), IsEmpty())
        << host;
    EXPECT_THAT(problem({{"Host", host}, {"Sec-Fetch-Site", "same-origin"}}), IsEmpty()) << host;
    EXPECT_THAT(problem({{"Host", host}, {"Sec-Fetch-Site", "none"}}), IsEmpty()) << host;
  }
}

TEST(BrowserGuard, PagesOfOtherSitesAreNot) {
  const auto refused = HasSubstr("other sites");
  for (const char* origin : {"http://evil.example.org", "null", "http://127.0.0.1:8081", "http://127.0.0.1",
                             "127.0.0.1:8080", "http://127.0.0.1:8080.evil.example.org"}) {
    EXPECT_THAT(problem({{"Host", "127.0.0.1:8080"}, {"Origin", origin}}, "POST"), refused) << origin;
  }
  for (const char* site : {"cross-site", "same-site", "what"}) {
    EXPECT_THAT(problem({{"Host", "127.0.0.1:8080"}, {"Sec-Fetch-Site", site}}), refused) << site;
  }
}

TEST(BrowserGuard, ALinkFromElsewhereMayBeFollowed) {
  const Headers link{{"Host", "localhost"}, {"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Mode", "navigate"}};
  EXPECT_THAT(problem(link), IsEmpty());
  EXPECT_THAT(problem(link, "POST"), HasSubstr("other sites"));
}

TEST(BrowserGuard, ANameThatWasReboundIsRefused) {
  const auto refused = HasSubstr("control.hosts");
  for (const char* host : {"evil.example.org:8080", "localhost.evil.example.org", "1.2.3.4.evil.example.org",
                           "", "a b", "127.0.0.1@evil.example.org"}) {
    EXPECT_THAT(problem({{"Host", host}, {"Sec-Fetch-Site", "same-origin"}}), refused) << host;
    EXPECT_THAT(problem({{"Host", host}, {"Origin", std::string("http://") + host}}), refused) << host;
  }
}

TEST_F(ApiTest, BrowsersAreGuardedAgainst) {
  settings_.hosts = kHosts;
  remake_api();
  const Headers evil{{"Host", "evil.example.org"}, {"Sec-Fetch-Site", "same-origin"}};
  EXPECT_TRUE(is_error(call("GET", "/healthz", "", evil), 403, 10000, "", "control.hosts"));
  const Headers good{{"Host", "relay.example.com"}, {"Sec-Fetch-Site", "same-origin"}};
  EXPECT_TRUE(call("GET", "/healthz", "", good).ok());
}

}  // namespace
}  // namespace simulcast::control::test
