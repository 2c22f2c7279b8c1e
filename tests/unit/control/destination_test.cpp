#include "control/api/destination.hpp"

#include <gtest/gtest.h>

#include <ostream>
#include <string>

namespace simulcast::control::test {

namespace {

bool is_same(const Destination& left, const Destination& right) {
  return same_but_for_host(left, right) && left.host == right.host;
}

struct Pair {
  const char* url;
  const char* key;
  const char* other_url;
  const char* other_key;
};
void PrintTo(const Pair& pair, std::ostream* out) {
  *out << pair.url << " " << pair.key << " | " << pair.other_url << " " << pair.other_key;
}

class SameDestination : public testing::TestWithParam<Pair> {};

TEST_P(SameDestination, IsSeenThroughItsSpelling) {
  const Pair& pair = GetParam();
  const auto one = destination_of(pair.url, pair.key);
  const auto other = destination_of(pair.other_url, pair.other_key);
  ASSERT_TRUE(one && other);
  EXPECT_TRUE(is_same(*one, *other)) << one->host << " " << one->stream << " | " << other->host << " "
                                     << other->stream;
  EXPECT_TRUE(is_same(*other, *one));
}

constexpr const char* kPlain = "rtmp://127.0.0.1:1935/live";
constexpr const char* kNamed = "rtmp://live.example.com/app";
constexpr const char* kSrt = "srt://127.0.0.1:9000?streamid=show";

INSTANTIATE_TEST_SUITE_P(
    Spellings, SameDestination,
    testing::Values(
        // scheme, default port, case of the host, its last dot
        Pair{kPlain, "k", "RTMP://127.0.0.1/live", "k"},
        Pair{kPlain, "k", "rTmP://127.0.0.1:01935/live", "k"},
        Pair{kNamed, "k", "rtmp://LIVE.Example.COM/app", "k"},
        Pair{kNamed, "k", "rtmp://live.example.com./app", "k"},
        Pair{kNamed, "k", "rtmp://live.example.com:/app", "k"},
        Pair{"rtmps://live.example.com/app", "k", "rtmps://live.example.com:443/app", "k"},
        // the plain and the TLS door of one server
        Pair{kNamed, "k", "rtmps://live.example.com/app", "k"},
        Pair{"rtmp://live.example.com:443/app", "k", "rtmps://live.example.com/app", "k"},
        // this machine, and spellings of IPv4
        Pair{kPlain, "k", "rtmp://localhost/live", "k"}, Pair{kPlain, "k", "rtmp://LOCALHOST./live", "k"},
        Pair{kPlain, "k", "rtmp://a.localhost/live", "k"}, Pair{kPlain, "k", "rtmp://127.1/live", "k"},
        Pair{kPlain, "k", "rtmp://0x7f.1/live", "k"}, Pair{kPlain, "k", "rtmp://2130706433/live", "k"},
        Pair{kPlain, "k", "rtmp://0177.0.0.1/live", "k"}, Pair{kPlain, "k", "rtmp://127.0.0.2/live", "k"},
        Pair{kPlain, "k", "rtmp://0.0.0.0/live", "k"}, Pair{kPlain, "k", "rtmp://0/live", "k"},
        Pair{kPlain, "k", "rtmp://[::1]/live", "k"}, Pair{kPlain, "k", "rtmp://[::]/live", "k"},
        Pair{kPlain, "k", "rtmp://[::ffff:127.0.0.1]/live", "k"},
        Pair{kPlain, "k", "rtmp://[::ffff:7f00:1]:1935/live", "k"},
        Pair{"rtmp://192.0.2.7/live", "k", "rtmp://[::FFFF:192.0.2.7]/live", "k"},
        Pair{"rtmp://192.0.2.7/live", "k", "rtmp://192.0.519/live", "k"},
        Pair{"rtmp://[2001:db8::1]/live", "k", "rtmp://[2001:0DB8:0:0::1]/live", "k"},
        // path, query, percent signs
        Pair{kPlain, "k", "rtmp://127.0.0.1/live/", "k"}, Pair{kPlain, "k", "rtmp://127.0.0.1//live", "k"},
        Pair{kPlain, "k", "rtmp://127.0.0.1/live?", "k"}, Pair{kPlain, "k", "rtmp://127.0.0.1/live?a=b", "k"},
        Pair{kPlain, "k", "rtmp://127.0.0.1/liv%65", "k"}, Pair{kPlain, "k", kPlain, "%6B"},
        Pair{kPlain, "k", kPlain, "k?"}, Pair{kPlain, "k", kPlain, "k?bandwidthtest=true"},
        // where the key stands
        Pair{kPlain, "folder/k", "rtmp://127.0.0.1/live/folder", "k"}, Pair{kPlain, "k", kPlain, "/k"},
        Pair{kPlain, "?streamname=a&key=b", kPlain, "?key=b&streamname=a"},
        // SRT
        Pair{kSrt, "", "srt://127.0.0.1:9000", "show"}, Pair{kSrt, "", "SRT://localhost:9000/", "show"},
        Pair{kSrt, "", "srt://127.1:9000?latency=200&streamid=sh%6fw", ""},
        Pair{kSrt, "ignored", "srt://[::ffff:127.0.0.1]:9000?streamid=show&passphrase=0123456789", ""},
        Pair{kSrt, "", "srt://127.0.0.1:9000?mode=rendezvous&streamid=show", ""},
        Pair{"srt://h:9000", "", "srt://h:9000?streamid=", ""}, Pair{"srt://h:9000", "", "srt://h:9000?", ""},
        Pair{"srt://h:9000", "#!::r=show,m=publish", "srt://h:9000?streamid=%23!::m%3Dpublish,r%3Dshow",
             ""}));

class OtherDestination : public testing::TestWithParam<Pair> {};

TEST_P(OtherDestination, StaysAnother) {
  const Pair& pair = GetParam();
  const auto one = destination_of(pair.url, pair.key);
  const auto other = destination_of(pair.other_url, pair.other_key);
  ASSERT_TRUE(one && other);
  EXPECT_FALSE(is_same(*one, *other));
}

INSTANTIATE_TEST_SUITE_P(
    Others, OtherDestination,
    testing::Values(
        Pair{kPlain, "k", kPlain, "K"}, Pair{kPlain, "k", "rtmp://127.0.0.1:1936/live", "k"},
        Pair{kPlain, "k", "rtmp://127.0.0.1/Live", "k"}, Pair{kPlain, "k", "rtmp://127.0.0.1/live/k", "k"},
        Pair{kPlain, "k", "rtmp://192.0.2.7/live", "k"}, Pair{kPlain, "100%", kPlain, "100%25%"},
        Pair{kPlain, "?key=a", kPlain, "?key=b"}, Pair{kNamed, "k", "rtmp://live.example.org/app", "k"},
        Pair{kNamed, "k", "rtmps://live.example.com:444/app", "k"},
        Pair{kSrt, "", "srt://127.0.0.1:9000", "other"}, Pair{kSrt, "", "srt://127.0.0.1:9001", "show"},
        Pair{"rtmp://127.0.0.1:9000/show", "k", "srt://127.0.0.1:9000", "show/k"}));

TEST(Destination, OneThatWaitsToBeCalledIsNone) {
  EXPECT_FALSE(destination_of("srt://0.0.0.0:9000?mode=listener", ""));
  EXPECT_FALSE(destination_of("srt://h", "k"));
  EXPECT_FALSE(destination_of("http://h/live", "k"));
  EXPECT_FALSE(destination_of("nonsense", "k"));
}

}  // namespace

}  // namespace simulcast::control::test
