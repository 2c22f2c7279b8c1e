#include "protocol/rtmp/stream_key.hpp"

#include <gtest/gtest.h>

#include "protocol/rtmp/error.hpp"
#include "protocol/rtmp/limits.hpp"

namespace simulcast::rtmp {
namespace {

struct Case {
  std::string_view app;
  std::string_view name;
  std::string_view key = "KEY";
};

TEST(StreamKey, IsFoundHoweverTheUrlWasSplit) {
  const std::vector<Case> cases{
      {"live", "KEY"},
      {"live/", "KEY"},
      {"/live", "/KEY/"},
      {"live/KEY", ""},  // a trailing slash behind the key
      {"live//KEY/", ""},
      {"live", "KEY?s_bl=1&t=2"},  // modern query
      {"live?backup=1", "KEY"},    // FMLE's query
      {"live?a=b", "KEY?c=d"},
      {"live/KEY?tok=a", "b"},    // a slash inside the query
      {"live/_definst_", "KEY"},  // Flash's default instance
      {"live/_definst_/KEY", ""},
      {"live", "mp4:KEY"},
      {"live", "flv:KEY?x=y"},
      {"live/mp4:KEY", ""},
      {"live", "Key.With+Odd=Signs~", "Key.With+Odd=Signs~"},
      {"live", "K%2FY", "K%2FY"},  // not decoded
      {"live", "key", "key"},      // not folded
  };
  for (const Case& c : cases) {
    const auto target = publish_target(c.app, c.name);
    ASSERT_TRUE(target.has_value()) << c.app << " " << c.name;
    EXPECT_EQ(target->app, "live") << c.app << " " << c.name;
    EXPECT_EQ(target->key, c.key) << c.app << " " << c.name;
  }
}

TEST(StreamKey, DeeperPathsBelongToTheApplication) {
  EXPECT_EQ(publish_target("a/b", "c/d").value(), (PublishTarget{"a/b/c", "d"}));
  EXPECT_EQ(publish_target("Live", "KEY").value(), (PublishTarget{"Live", "KEY"}));
  EXPECT_EQ(publish_target("live/..", "KEY").value(), (PublishTarget{"live/..", "KEY"}));
}

TEST(StreamKey, WhatHasNone) {
  for (const auto& [app, name] : std::vector<std::pair<std::string_view, std::string_view>>{{"live", ""},
                                                                                            {"", "KEY"},
                                                                                            {"", ""},
                                                                                            {"live/", "/"},
                                                                                            {"live", "?KEY"},
                                                                                            {"live", "mp4:"},
                                                                                            {"?x", "KEY"}}) {
    const auto target = publish_target(app, name);
    ASSERT_TRUE(target.has_error()) << app << " " << name;
    EXPECT_EQ(target.error(), Error::no_stream_key);
  }
}

TEST(StreamKey, ControlCharactersAndExcessAreRefused) {
  using namespace std::string_view_literals;
  for (const auto name : {"KEY\0x"sv, "KEY\n"sv, "KEY%00"sv, "KEY\x7f"sv, "KEY?\r\n"sv}) {
    EXPECT_EQ(publish_target("live", name).error(), Error::bad_stream_name);
    EXPECT_EQ(publish_target(name, "KEY").error(), Error::bad_stream_name);
  }
  EXPECT_TRUE(publish_target("live", std::string(kMaxNameLength, 'k')).has_value());
  EXPECT_EQ(publish_target("live", std::string(kMaxNameLength + 1, 'k')).error(),
            Error::stream_name_too_long);
}

TEST(StreamKey, ApplicationRoot) {
  for (const std::string_view app :
       {"live", "/live", "live/", "live/KEY", "live?x=y", "live/_definst_", "//live//KEY?x"}) {
    EXPECT_EQ(application_root(app), "live") << app;
  }
  EXPECT_EQ(application_root(""), "");
  EXPECT_EQ(application_root("/"), "");
  EXPECT_EQ(application_root("livex/live"), "livex");
}

}  // namespace
}  // namespace simulcast::rtmp
