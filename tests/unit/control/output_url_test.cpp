#include "control/api/output_url.hpp"

#include <gmock/gmock.h>

#include <ostream>

namespace simulcast::control::test {

using testing::HasSubstr;
using testing::IsEmpty;

namespace {

const std::vector<config::Network> kDenied{
    {{169, 254, 0, 0}, 16, "169.254.0.0/16"},
    {{10, 1, 2, 3}, 32, "10.1.2.3/32"},
    {{0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 10, "fe80::/10"},
};

class GoodUrlTest : public testing::TestWithParam<const char*> {};

TEST_P(GoodUrlTest, IsUsable) {
  EXPECT_THAT(output_url_problem(GetParam(), kDenied), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(
    Urls, GoodUrlTest,
    testing::Values("rtmp://a.rtmp.youtube.com/live2", "rtmps://live-api-s.facebook.com:443/rtmp/",
                    "rtmp://b.rtmp.youtube.com/live2?backup=1", "RTMP://HOST/app",
                    "rtmp://host/app/instance/", "rtmp://host//app", "rtmp://127.0.0.1:19350/live",
                    "rtmp://[2001:db8::1]:1935/live", "rtmp://[::ffff:8.8.8.8]/live",
                    "rtmp://under_score.example/app", "rtmp://host./app", "rtmp://host/app?signature=a|b{c}",
                    "rtmp://host:65535/app", "srt://host:9000", "srt://host:9000/",
                    "srt://host:9000?streamid=publish:x&latency=200&mode=caller",
                    "srt://0.0.0.0:9000?mode=listener", "srt://[2001:db8::1]:9000?mode=rendezvous",
                    "srt://host:9000?passphrase=0123456789&pbkeylen=32",
                    "srt://host:9000?streamid=%23!::r=live/cam,m=publish", "rtmp://10.1.2.4/app",
                    "rtmp://169.253.255.255/app"));

struct BadUrl {
  std::string url;
  const char* message;
};
void PrintTo(const BadUrl& bad, std::ostream* out) {
  *out << testing::PrintToString(bad.url);
}

class BadUrlTest : public testing::TestWithParam<BadUrl> {};

TEST_P(BadUrlTest, IsRefusedWithASentence) {
  EXPECT_THAT(output_url_problem(GetParam().url, kDenied), HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Urls, BadUrlTest,
    testing::Values(
        BadUrl{"", "must begin with rtmp://"}, BadUrl{"host/app", "must begin with rtmp://"},
        BadUrl{"http://host/app", "must begin with rtmp://"},
        BadUrl{"rtmpt://host/app", "must begin with rtmp://"},
        BadUrl{"rtmp:/host/app", "must begin with rtmp://"},
        BadUrl{" rtmp://host/app", "must begin with rtmp://"}, BadUrl{"rtmp://host/app ", "spaces"},
        BadUrl{"rtmp://host/a\tb", "control characters"},
        BadUrl{std::string("rtmp://host/a\0b", 15), "control characters"},
        BadUrl{"rtmp://host/" + std::string(kMaxOutputUrl, 'a'), "at most 2048 bytes"},
        BadUrl{"rtmp:///app", "no host"}, BadUrl{"rtmp://:1935/app", "no host"}, BadUrl{"rtmp://", "no host"},
        BadUrl{"rtmp://user:pass@host/app", "user name"}, BadUrl{"rtmp://@host/app", "user name"},
        BadUrl{"rtmp://host/app#x", "%23"}, BadUrl{"rtmp://host:0/app", "from 1 to 65535"},
        BadUrl{"rtmp://host:65536/app", "from 1 to 65535"},
        BadUrl{"rtmp://host:99999/app", "from 1 to 65535"}, BadUrl{"rtmp://host:/app", "from 1 to 65535"},
        BadUrl{"rtmp://host:http/app", "malformed"}, BadUrl{"rtmp://host:-1/app", "malformed"},
        BadUrl{"rtmp://ho%20st/app", "host name"}, BadUrl{"rtmp://h\xC3\xB6st/app", "malformed"},
        BadUrl{"rtmp://a..b/app", "host name"},
        BadUrl{"rtmp://" + std::string(64, 'a') + "/app", "host name"},
        BadUrl{"rtmp://[::1/app", "malformed"}, BadUrl{"rtmp://[v1.x]/app", "name or an IP address"},
        BadUrl{"rtmp://host", "no application path"}, BadUrl{"rtmp://host/", "no application path"},
        BadUrl{"rtmps://host//", "no application path"}, BadUrl{"rtmp://host/?x=1", "no application path"},
        BadUrl{"rtmp://169.254.169.254/app", "network 169.254.0.0/16"},
        BadUrl{"rtmp://10.1.2.3/app", "network 10.1.2.3/32"},
        BadUrl{"rtmp://[fe80::1]/app", "network fe80::/10"},
        BadUrl{"rtmp://[febf:ffff::1]/app", "network fe80::/10"},
        BadUrl{"rtmp://[::ffff:169.254.1.1]/app", "network 169.254.0.0/16"},
        BadUrl{"srt://169.254.1.1:9000", "network 169.254.0.0/16"}, BadUrl{"srt://host", "needs a port"},
        BadUrl{"srt://:9000?mode=listener", "no host"}, BadUrl{"srt://host:9000/path", "has no path"},
        BadUrl{"srt://host:9000?color=red", "query key \"color\""},
        BadUrl{"srt://host:9000?=x", "a query key"},
        BadUrl{"srt://host:9000?mode=caller&mode=caller", "\"mode\" twice"},
        BadUrl{"srt://host:9000?mode=server", "caller, listener or rendezvous"},
        BadUrl{"srt://host:9000?mode", "caller, listener or rendezvous"},
        BadUrl{"srt://host:9000?passphrase=123456789", "10 to 79 bytes"},
        BadUrl{"srt://host:9000?passphrase=" + std::string(80, 'x'), "10 to 79 bytes"},
        BadUrl{"srt://host:9000?pbkeylen=17", "16, 24 or 32"},
        BadUrl{"srt://host:9000?pbkeylen=16x", "16, 24 or 32"},
        BadUrl{"srt://host:9000?latency=-1", "whole number of milliseconds"},
        BadUrl{"srt://host:9000?latency=120ms", "whole number of milliseconds"},
        BadUrl{"srt://host:9000?latency=99999999999", "whole number of milliseconds"},
        BadUrl{"srt://host:9000?streamid=" + std::string(513, 'x'), "at most 512 bytes"},
        BadUrl{"srt://host:9000?streamid=a%00b", "control characters"},
        BadUrl{"srt://host:9000?streamid=%zz", "query is malformed"}));

TEST(OutputUrl, UnspecifiedAddressIsThisMachine) {
  const std::vector<config::Network> loopback{{{127, 0, 0, 0}, 8, "127.0.0.0/8"}};
  EXPECT_THAT(output_url_problem("rtmp://127.9.9.9/app", loopback), HasSubstr("127.0.0.0/8"));
  EXPECT_THAT(output_url_problem("rtmp://0.0.0.0/app", loopback), HasSubstr("127.0.0.0/8"));
  EXPECT_THAT(output_url_problem("rtmp://[::ffff:127.0.0.1]/app", loopback), HasSubstr("127.0.0.0/8"));
}

TEST(StreamKey, Rules) {
  EXPECT_THAT(stream_key_problem("FB-1-0-Ab?s_bl=1&s_sc=2", false), IsEmpty());
  EXPECT_THAT(stream_key_problem("", true), IsEmpty());
  EXPECT_THAT(stream_key_problem("", false), HasSubstr("only for srt://"));
  EXPECT_THAT(stream_key_problem("a ", false), HasSubstr("spaces"));
  EXPECT_THAT(stream_key_problem(std::string(513, 'x'), true), HasSubstr("512"));
  EXPECT_THAT(stream_key_problem(std::string(513, 'x'), false), IsEmpty());
}

}  // namespace

}  // namespace simulcast::control::test
