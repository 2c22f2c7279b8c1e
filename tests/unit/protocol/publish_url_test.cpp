#include "protocol/rtmp/publish_url.hpp"

#include <gtest/gtest.h>

#include "protocol/rtmp/error.hpp"
#include "protocol/rtmp/limits.hpp"

namespace simulcast::rtmp {
namespace {

struct Case {
  std::string_view url;
  bool tls;
  std::string_view host;
  std::uint16_t port;
  std::string_view app;
  std::string_view tc_url;
};

TEST(PublishUrl, ReadsTheAddressesOfRealServices) {
  const std::vector<Case> cases{
      {"rtmp://live.twitch.tv/app", false, "live.twitch.tv", 1935, "app", "rtmp://live.twitch.tv/app"},
      {"rtmps://a.rtmps.youtube.com:443/live2", true, "a.rtmps.youtube.com", 443, "live2",
       "rtmps://a.rtmps.youtube.com:443/live2"},
      {"rtmp://b.rtmp.youtube.com/live2?backup=1", false, "b.rtmp.youtube.com", 1935, "live2?backup=1",
       "rtmp://b.rtmp.youtube.com/live2?backup=1"},
      {"rtmps://live-api-s.facebook.com:443/rtmp/", true, "live-api-s.facebook.com", 443, "rtmp",
       "rtmps://live-api-s.facebook.com:443/rtmp"},
      {"rtmp://live2?x/app", false, "live2", 1935, "", ""},
      {"rtmp://va.pscp.tv:80/x", false, "va.pscp.tv", 80, "x", "rtmp://va.pscp.tv:80/x"},
      {"rtmps://rtmp-auto.millicast.com:443/v2/pub", true, "rtmp-auto.millicast.com", 443, "v2/pub",
       "rtmps://rtmp-auto.millicast.com:443/v2/pub"},
      {"rtmps://host/live/", true, "host", 443, "live", "rtmps://host/live"},
      {"rtmp://host//live//", false, "host", 1935, "live", "rtmp://host/live"},
      {"rtmp://host/live/?a=b/c&d=%2F|{}", false, "host", 1935, "live?a=b/c&d=%2F|{}",
       "rtmp://host/live?a=b/c&d=%2F|{}"},
      {"RTMP://Host.Example:1936/Live", false, "Host.Example", 1936, "Live", "RTMP://Host.Example:1936/Live"},
      {"rtmp://[2001:db8::1]:1936/live", false, "2001:db8::1", 1936, "live",
       "rtmp://[2001:db8::1]:1936/live"},
      {"rtmps://[::1]/live", true, "::1", 443, "live", "rtmps://[::1]/live"},
      {"rtmp://127.0.0.1:65535/live", false, "127.0.0.1", 65535, "live", "rtmp://127.0.0.1:65535/live"},
  };
  for (const Case& c : cases) {
    const auto url = parse_publish_url(c.url, "KEY?s_bl=1");
    if (c.app.empty()) {
      EXPECT_EQ(url.error(), Error::url_no_application) << c.url;
      continue;
    }
    ASSERT_TRUE(url.has_value()) << c.url << ": " << url.error().message();
    EXPECT_EQ(url->tls, c.tls) << c.url;
    EXPECT_EQ(url->host, c.host) << c.url;
    EXPECT_EQ(url->port, c.port) << c.url;
    EXPECT_EQ(url->app, c.app) << c.url;
    EXPECT_EQ(url->tc_url, c.tc_url) << c.url;
    EXPECT_EQ(url->stream_name, "KEY?s_bl=1") << c.url;
  }
}

TEST(PublishUrl, SaysWhatIsWrong) {
  const std::vector<std::pair<std::string_view, Error>> cases{
      {"", Error::url_bad_scheme},
      {"host/live", Error::url_bad_scheme},
      {"http://host/live", Error::url_bad_scheme},
      {"rtmpt://host/live", Error::url_bad_scheme},
      {"rtmp:/host/live", Error::url_bad_scheme},
      {"rtmp://", Error::url_no_host},
      {"rtmp:///live", Error::url_no_host},
      {"rtmp://:1935/live", Error::url_no_host},
      {"rtmp://host", Error::url_no_application},
      {"rtmp://host/", Error::url_no_application},
      {"rtmp://host?app", Error::url_no_application},
      {"rtmp://host/?app", Error::url_no_application},
      {"rtmp://host:0/live", Error::url_bad_port},
      {"rtmp://host:65536/live", Error::url_bad_port},
      {"rtmp://host:/live", Error::url_bad_port},
      {"rtmp://host:-1/live", Error::url_bad_port},
      {"rtmp://host:80x/live", Error::url_bad_port},
      {"rtmp://[::1]:0/live", Error::url_bad_port},
      {"rtmp://user:password@host/live", Error::url_has_credentials},
      {"rtmp://user@host/live", Error::url_has_credentials},
      {"rtmp://host/live#fragment", Error::url_has_fragment},
      {"rtmp://host/live two", Error::url_bad_character},
      {"rtmp://host/live\r\nx", Error::url_bad_character},
      {"rtmp://[::1/live", Error::url_malformed},
      {"rtmp://[nonsense]/live", Error::url_malformed},
      {"rtmp://ho\\st/live", Error::url_malformed},
      {"rtmp://127.0.0.1%00.example/live", Error::url_malformed},
  };
  for (const auto& [url, error] : cases) {
    const auto parsed = parse_publish_url(url, "KEY");
    ASSERT_TRUE(parsed.has_error()) << url;
    EXPECT_EQ(parsed.error(), error) << url << ": " << parsed.error().message();
  }
  EXPECT_EQ(parse_publish_url("rtmp://host/live", "").error(), Error::url_no_stream_key);
  EXPECT_EQ(parse_publish_url("rtmp://host/live", "KEY ").error(), Error::url_bad_character);
  EXPECT_EQ(parse_publish_url("rtmp://host/live", std::string(kMaxNameLength + 1, 'k')).error(),
            Error::url_too_long);
}

}  // namespace
}  // namespace simulcast::rtmp
