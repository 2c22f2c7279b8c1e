// Single settings from their texts: what is taken, and that each refusal says what is allowed.
#include "config/values.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace simulcast::config {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

// The sentence of the refusal; empty when `parse` takes the text.
template <class Parse>
std::string refusal(Parse parse) {
  try {
    parse();
  } catch (const BadValue& bad) {
    return bad.what();
  }
  return "";
}

TEST(Duration, TakesWholeNumbersWithUnits) {
  EXPECT_EQ(parse_duration("120ms", 0ms, 1h), 120ms);
  EXPECT_EQ(parse_duration("30s", 0ms, 1h), 30s);
  EXPECT_EQ(parse_duration("5m", 0ms, 1h), 5min);
  EXPECT_EQ(parse_duration("1h", 0ms, 1h), 1h);
  EXPECT_EQ(parse_duration("0s", 0ms, 1h), 0s);
}

TEST(Duration, RefusesTheRest) {
  for (const char* text : {"", "s", "-1s", "1.5s", "30 s", "30sec", "30S", " 30s", "1s1",
                           "99999999999999999999s", "18446744073709551615h"})
    EXPECT_THAT(refusal([&] { parse_duration(text, 0ms, 1h); }), HasSubstr("is not a duration; allowed: "))
        << text;
  EXPECT_THAT(refusal([] { parse_duration("30", 0ms, 1h); }), HasSubstr("lacks a unit"));
  EXPECT_EQ(refusal([] { parse_duration("2h", 0ms, 90min); }),
            "is out of range; allowed: a whole number with its unit ms, s, m or h, such as 120ms or 30s, "
            "from 0s to 90m");
  EXPECT_THAT(refusal([] { parse_duration("19ms", 20ms, 1h); }), HasSubstr("from 20ms to 1h"));
}

TEST(Size, TakesBytesAndBinaryUnits) {
  EXPECT_EQ(parse_size("1000", 0, UINT64_MAX), 1000u);
  EXPECT_EQ(parse_size("1KiB", 0, UINT64_MAX), 1024u);
  EXPECT_EQ(parse_size("64MiB", 0, UINT64_MAX), 64u << 20);
  EXPECT_EQ(parse_size("3GiB", 0, UINT64_MAX), std::uint64_t{3} << 30);
}

TEST(Size, RefusesTheRest) {
  for (const char* text : {"", "MiB", "64MB", "64 MiB", "64mib", "-1", "1.5GiB", "18446744073709551615KiB"})
    EXPECT_THAT(refusal([&] { parse_size(text, 0, UINT64_MAX); }), HasSubstr("is not a size; allowed: "))
        << text;
  EXPECT_THAT(refusal([] { parse_size("1", 1024, 1 << 20); }), HasSubstr("from 1KiB to 1MiB"));
}

TEST(Number, KnowsItsRange) {
  EXPECT_EQ(parse_number("1", 1, 600), 1u);
  EXPECT_EQ(parse_number("600", 1, 600), 600u);
  EXPECT_THAT(refusal([] { parse_number("601", 1, 600); }), HasSubstr("from 1 to 600"));
  for (const char* text : {"", "10s", "1.0", "+1", "-1", "0x10", "ten"})
    EXPECT_THAT(refusal([&] { parse_number(text, 1, 600); }), HasSubstr("is not a plain number")) << text;
}

TEST(Bool, IsTrueOrFalse) {
  EXPECT_TRUE(parse_bool("true"));
  EXPECT_FALSE(parse_bool("false"));
  EXPECT_EQ(refusal([] { parse_bool("yes"); }), "is not known; allowed: true or false");
}

TEST(ListenAddress, TakesNamesAndBothFamilies) {
  const auto is = [](const Listen& listen, const char* host, int port) {
    EXPECT_EQ(listen.host, host);
    EXPECT_EQ(listen.port, port);
  };
  is(parse_listen("127.0.0.1:8080"), "127.0.0.1", 8080);
  is(parse_listen("[::]:1935"), "::", 1935);
  is(parse_listen("[2001:db8::1]:65535"), "2001:db8::1", 65535);
  is(parse_listen("localhost:0"), "localhost", 0);
  is(parse_listen("relay-1.example.org:1935"), "relay-1.example.org", 1935);
}

TEST(ListenAddress, SaysWhatIsMissing) {
  const auto problem = [](const char* text) { return refusal([&] { parse_listen(text); }); };
  for (const char* text : {"1935", "localhost", "[::1]"})
    EXPECT_THAT(problem(text), HasSubstr("lacks a port")) << text;
  EXPECT_THAT(problem(":1935"), HasSubstr("lacks a host"));
  for (const char* text :
       {"localhost:", "localhost:http", "localhost:65536", "localhost:-1", "localhost:80 "})
    EXPECT_THAT(problem(text), HasSubstr("from 0 to 65535")) << text;
  EXPECT_THAT(problem("::1:1935"), HasSubstr("without brackets"));
  EXPECT_THAT(problem("rtmp://host:1935"), HasSubstr("without brackets"));
  EXPECT_THAT(problem("[10.0.0.1]:1935"), HasSubstr("between the brackets"));
  for (const char* text : {"10.0.0:1", "256.0.0.1:1", "a b:1", "-a:1", "*:1"})
    EXPECT_THAT(problem(text), HasSubstr("neither an address nor a name")) << text;
}

TEST(NetworkAddress, TakesBothFamilies) {
  const Network ipv4 = parse_network("169.254.0.0/16");
  EXPECT_THAT(ipv4.address, testing::ElementsAre(169, 254, 0, 0));
  EXPECT_EQ(ipv4.prefix_length, 16u);
  EXPECT_EQ(ipv4.text, "169.254.0.0/16");
  const Network ipv6 = parse_network("fe80::/10");
  ASSERT_EQ(ipv6.address.size(), 16u);
  EXPECT_EQ(ipv6.address[0], 0xfe);
  EXPECT_EQ(ipv6.address[1], 0x80);
  EXPECT_EQ(ipv6.prefix_length, 10u);
  EXPECT_EQ(parse_network("0.0.0.0/0").prefix_length, 0u);
  EXPECT_EQ(parse_network("::1/128").prefix_length, 128u);
}

TEST(NetworkAddress, RefusesTheRest) {
  const auto problem = [](const char* text) { return refusal([&] { parse_network(text); }); };
  EXPECT_THAT(problem("10.0.0.1"), HasSubstr("lacks its /prefix"));
  EXPECT_THAT(problem("10.0.0.0/33"), HasSubstr("from 0 to 32"));
  EXPECT_THAT(problem("::/129"), HasSubstr("from 0 to 128"));
  EXPECT_THAT(problem("10.0.0.0/"), HasSubstr("from 0 to 32"));
  EXPECT_THAT(problem("host/8"), HasSubstr("does not begin with an address"));
  EXPECT_THAT(problem("10.0.0.1/8"), HasSubstr("bits set behind its prefix of 8 bits"));
  EXPECT_THAT(problem("fe80::1/64"), HasSubstr("bits set behind its prefix"));
}

TEST(PublicHost, IsReadyForUrls) {
  EXPECT_EQ(parse_public_host("relay.example.org"), "relay.example.org");
  EXPECT_EQ(parse_public_host("192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(parse_public_host("2001:db8::1"), "[2001:db8::1]");
  EXPECT_EQ(parse_public_host("[2001:db8::1]"), "[2001:db8::1]");
  for (const char* text : {"rtmp://relay", "relay:1935", "relay/live", "a b", "1.2.3", "[]", "["})
    EXPECT_THAT(refusal([&] { parse_public_host(text); }), HasSubstr("is not a host")) << text;
}

TEST(Account, Is32HexDigits) {
  EXPECT_EQ(parse_account("0123456789abcdefABCDEF0123456789"), "0123456789abcdefABCDEF0123456789");
  for (const char* text :
       {"", "0123", "0123456789abcdef0123456789abcdeg", "0123456789abcdef0123456789abcdef0"})
    EXPECT_THAT(refusal([&] { parse_account(text); }), HasSubstr("32 hex digits")) << text;
}

TEST(TokenText, FitsAHeader) {
  EXPECT_EQ(parse_token("a.b-c_d~e+f/g="), "a.b-c_d~e+f/g=");
  for (const char* text : {"two words", "tab\t", "line\n", "\xc3\xa4"})
    EXPECT_THAT(refusal([&] { parse_token(text); }), HasSubstr("visible ASCII")) << text;
}

}  // namespace
}  // namespace simulcast::config
