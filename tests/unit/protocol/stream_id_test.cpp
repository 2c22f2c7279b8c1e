#include "protocol/srt/stream_id.hpp"

#include <gtest/gtest.h>

#include <string>

namespace simulcast::srt {
namespace {

TEST(StreamId, PlainTextIsTheResource) {
  EXPECT_EQ(parse_stream_id("0123").resource, "0123");
  EXPECT_TRUE(parse_stream_id("0123").publish);
  EXPECT_EQ(parse_stream_id("").resource, "");
  EXPECT_EQ(parse_stream_id("r=x,m=request").resource, "r=x,m=request");
}

TEST(StreamId, AccessControlForm) {
  const auto id = parse_stream_id("#!::r=0123,m=publish");
  EXPECT_EQ(id.resource, "0123");
  EXPECT_TRUE(id.publish);
}

TEST(StreamId, OtherKeysAndOrderDoNotMatter) {
  const auto id = parse_stream_id("#!::u=me,t=stream,m=publish,x-cam=3,h=host,r=0123");
  EXPECT_EQ(id.resource, "0123");
  EXPECT_TRUE(id.publish);
}

TEST(StreamId, PublishIsMeantWhenNoModeIsSaid) {
  EXPECT_TRUE(parse_stream_id("#!::r=0123").publish);
}

TEST(StreamId, OtherModes) {
  EXPECT_FALSE(parse_stream_id("#!::r=0123,m=request").publish);
  EXPECT_FALSE(parse_stream_id("#!::r=0123,m=bidirectional").publish);
  EXPECT_FALSE(parse_stream_id("#!::r=0123,m=").publish);
}

TEST(StreamId, PercentSignsOfAUrlAreUndone) {
  const auto id = parse_stream_id("%23!::r%3D0123%2Cm%3dpublish");
  EXPECT_EQ(id.resource, "0123");
  EXPECT_TRUE(id.publish);
  EXPECT_FALSE(parse_stream_id("%23%21%3A%3Ar=0123,m=request").publish);
  EXPECT_EQ(parse_stream_id("%23!::r=a%zz%4").resource, "a%zz%4");
  EXPECT_EQ(parse_stream_id("%2523!::r=a").resource, "%2523!::r=a");
  EXPECT_EQ(parse_stream_id("a%20b").resource, "a%20b");
}

TEST(StreamId, Malformed) {
  for (const char* text : {"#!::", "#!::,", "#!::,,,", "#!::r", "#!::=x", "#!::m=publish"}) {
    EXPECT_EQ(parse_stream_id(text).resource, "") << text;
  }
  EXPECT_EQ(parse_stream_id("#!::r=a=b").resource, "a=b");
  EXPECT_EQ(parse_stream_id("#!::r=a,r=b").resource, "b");
  EXPECT_EQ(parse_stream_id(std::string(512, 'x')).resource.size(), 512U);
}

TEST(StreamId, MayNameALiveInput) {
  EXPECT_TRUE(may_name_live_input("0123456789abcdef0123456789abcdef"));
  EXPECT_TRUE(may_name_live_input("#!::r=0123456789abcdef0123456789ABCDEF,m=publish"));
  for (const char* other :
       {"", "show", "0123456789abcdef0123456789abcde", "0123456789abcdef0123456789abcdef0",
        "0123456789abcdef0123456789abcdeg", "#!::m=publish"}) {
    EXPECT_FALSE(may_name_live_input(other)) << other;
  }
}

}  // namespace
}  // namespace simulcast::srt
