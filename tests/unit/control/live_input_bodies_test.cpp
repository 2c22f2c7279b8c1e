// What a body may say of a live input, and what is answered when it says something else.
#include <gmock/gmock.h>

#include <ostream>

#include "api_fixture.hpp"

namespace simulcast::control::test {

namespace {

std::string text(const json::value& value) {
  return std::string(value.as_string());
}

class InputBodiesTest : public ApiTest {};

struct BadBody {
  const char* body;
  int code;
  const char* pointer;
  const char* message;
};
void PrintTo(const BadBody& bad, std::ostream* out) {
  *out << testing::PrintToString(bad.body);
}

class BadInputTest : public InputBodiesTest, public testing::WithParamInterface<BadBody> {};

TEST_P(BadInputTest, RefusedOnCreateAndOnUpdate) {
  const BadBody& bad = GetParam();
  EXPECT_TRUE(is_error(call("POST", kInputs, bad.body), 400, bad.code, bad.pointer, bad.message));
  const std::string uid = new_input();
  const Answer before = call("GET", input_path(uid));
  EXPECT_TRUE(is_error(call("PUT", input_path(uid), bad.body), 400, bad.code, bad.pointer, bad.message));
  EXPECT_EQ(call("GET", input_path(uid)).result(), before.result());
  EXPECT_EQ(call("GET", kInputs).object().at("total"), 1);
}

INSTANTIATE_TEST_SUITE_P(
    Bodies, BadInputTest,
    testing::Values(
        BadBody{"{", 10004, "", "not valid JSON: incomplete JSON at byte 1"},
        BadBody{"nonsense", 10004, "", "not valid JSON"}, BadBody{"{} {}", 10004, "", "not valid JSON"},
        BadBody{"[]", 10004, "", "must be a JSON object"},
        BadBody{"null", 10004, "", "must be a JSON object"},
        BadBody{"\"text\"", 10004, "", "must be a JSON object"}, BadBody{"   ", 10004, "", "not valid JSON"},
        BadBody{"\xEF\xBB\xBF{}", 10004, "", "not valid JSON"},
        BadBody{"{\"meta\": {\"name\": \"\xC3\"}}", 10004, "", "not valid JSON"},
        BadBody{R"({"meta": {"name": "\ud800"}})", 10004, "", "not valid JSON"},
        BadBody{R"({"enabled": "yes"})", 10005, "/enabled", "must be true or false, not a string"},
        BadBody{R"({"enabled": null})", 10005, "/enabled", "must be true or false, not null"},
        BadBody{R"({"enabled": 1})", 10005, "/enabled", "must be true or false, not a number"},
        BadBody{R"({"meta": "name"})", 10005, "/meta", "must be an object, not a string"},
        BadBody{R"({"meta": []})", 10005, "/meta", "must be an object, not an array"},
        BadBody{R"({"defaultCreator": 5})", 10005, "/defaultCreator", "must be a string, not a number"},
        BadBody{R"({"defaultCreator": "a\u0000b"})", 10005, "/defaultCreator", "control characters"},
        BadBody{R"({"preferLowLatency": "true"})", 10005, "/preferLowLatency", "must be true or false"},
        BadBody{R"({"deleteRecordingAfterDays": 29})", 10060, "/deleteRecordingAfterDays", "from 30 to 1096"},
        BadBody{R"({"deleteRecordingAfterDays": 1097})", 10060, "/deleteRecordingAfterDays",
                "from 30 to 1096"},
        BadBody{R"({"deleteRecordingAfterDays": 0})", 10060, "/deleteRecordingAfterDays", "from 30 to 1096"},
        BadBody{R"({"deleteRecordingAfterDays": -1})", 10060, "/deleteRecordingAfterDays", "from 30 to 1096"},
        BadBody{R"({"deleteRecordingAfterDays": 1e300})", 10060, "/deleteRecordingAfterDays",
                "from 30 to 1096"},
        BadBody{R"({"deleteRecordingAfterDays": 18446744073709551615})", 10060, "/deleteRecordingAfterDays",
                "from 30 to 1096"},
        BadBody{R"({"deleteRecordingAfterDays": 45.5})", 10005, "/deleteRecordingAfterDays", "whole number"},
        BadBody{R"({"deleteRecordingAfterDays": "45"})", 10005, "/deleteRecordingAfterDays",
                "must be a number"},
        BadBody{R"({"recording": null})", 10005, "/recording", "must be an object, not null"},
        BadBody{R"({"recording": {"mode": "on"}})", 10005, "/recording/mode",
                "one of \"off\", \"automatic\""},
        BadBody{R"({"recording": {"mode": null}})", 10005, "/recording/mode",
                "one of \"off\", \"automatic\""},
        BadBody{R"({"recording": {"timeoutSeconds": -1}})", 10005, "/recording/timeoutSeconds",
                "must be from 0"},
        BadBody{R"({"recording": {"timeoutSeconds": 1.5}})", 10005, "/recording/timeoutSeconds",
                "whole number"},
        BadBody{R"({"recording": {"requireSignedURLs": 0}})", 10005, "/recording/requireSignedURLs",
                "true or false"},
        BadBody{R"({"recording": {"allowedOrigins": "a"}})", 10005, "/recording/allowedOrigins",
                "array of strings"},
        BadBody{R"({"recording": {"allowedOrigins": ["a", 1]}})", 10005, "/recording/allowedOrigins/1",
                "strings only, not a number"},
        BadBody{R"({"recording": {"hideLiveViewerCount": "no"}})", 10005, "/recording/hideLiveViewerCount",
                "true or false"},
        // Read as infinity, which cannot be written again: neither into the store nor into an answer.
        BadBody{R"({"meta": {"n": 1e400}})", 10005, "", "larger than any computer's"},
        BadBody{R"({"meta": {"list": [{"n": -1e400}]}})", 10005, "", "larger than any computer's"}));

TEST_F(InputBodiesTest, AllFaultsAreToldAtOnce) {
  const Answer answer = call("POST", kInputs, R"({"enabled": 1, "meta": 2, "recording": {"mode": "x"}})");
  ASSERT_EQ(answer.body.at("errors").as_array().size(), 3U);
  EXPECT_EQ(text(answer.error(0).at("source").at("pointer")), "/meta");
  EXPECT_EQ(text(answer.error(1).at("source").at("pointer")), "/enabled");
  EXPECT_EQ(text(answer.error(2).at("source").at("pointer")), "/recording/mode");
}

// Numbers grow when they are written out: the store must have room for what the largest body may become.
TEST_F(InputBodiesTest, LargestBodyIsStored) {
  std::string body = R"({"meta": {"numbers": [1E23)";
  while (body.size() < (std::size_t{1} << 20) - 10) body += ",1E23";
  body += "]}}";
  const std::string uid = new_input(body);
  const Answer answer = call("GET", input_path(uid));
  ASSERT_TRUE(answer.ok());
  EXPECT_GT(answer.object().at("meta").at("numbers").as_array().size(), 200'000U);
  EXPECT_TRUE(call("PUT", input_path(uid), body).ok());
  EXPECT_TRUE(call("GET", kInputs).ok());
}

TEST_F(InputBodiesTest, BoundsOfRetentionAreInside) {
  EXPECT_EQ(
      call("POST", kInputs, R"({"deleteRecordingAfterDays": 30})").object().at("deleteRecordingAfterDays"),
      30);
  EXPECT_EQ(call("POST", kInputs, R"({"deleteRecordingAfterDays": 1096.0})")
                .object()
                .at("deleteRecordingAfterDays"),
            1096);
}

TEST_F(InputBodiesTest, UnknownMembersAreIgnoredAndNamed) {
  const Answer answer = call(
      "POST", kInputs, R"({"uid": "mine", "a/b~c": 1, "recording": {"colour": "red"}, "enabled": false})");
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer.object().at("enabled"), false);
  EXPECT_NE(text(answer.object().at("uid")), "mine");
  const json::array& messages = answer.body.at("messages").as_array();
  ASSERT_EQ(messages.size(), 3U);
  EXPECT_EQ(messages[0], json::value({{"code", 10005},
                                      {"message", "\"colour\" cannot be set here and was ignored"},
                                      {"source", {{"pointer", "/recording/colour"}}}}));
  EXPECT_EQ(text(messages[1].at("source").at("pointer")), "/uid");
  EXPECT_EQ(text(messages[2].at("source").at("pointer")), "/a~1b~0c");
}

TEST_F(InputBodiesTest, VeryManyOrLongUnknownMembersAreCutShort) {
  json::object body;
  for (int i = 0; i < 1000; ++i) body[std::to_string(i) + std::string(1000, 'x')] = i;
  const Answer answer = call("POST", kInputs, json::serialize(body));
  ASSERT_TRUE(answer.ok());
  const json::array& messages = answer.body.at("messages").as_array();
  ASSERT_EQ(messages.size(), 21U);
  EXPECT_LT(text(messages[0].at("message")).size(), 200U);
  EXPECT_EQ(text(messages[20].at("message")), "980 more members were ignored");
}

TEST_F(InputBodiesTest, DeepBodiesAreRefusedNotFollowed) {
  const std::string deep =
      R"({"meta": {"x": )" + std::string(100'000, '[') + std::string(100'000, ']') + "}}";
  EXPECT_TRUE(is_error(call("POST", kInputs, deep), 400, 10004, "", "more than 32 levels"));
}

TEST_F(InputBodiesTest, MetaKeepsWhatJsonCanSay) {
  const std::string meta =
      R"({"nul":"a\u0000b","text":"\u00fc \ud83d\ude00 \"quoted\"","number":-0.5,"big":12345678901234567})";
  const std::string uid = new_input(R"({"meta": )" + meta + "}");
  EXPECT_EQ(call("GET", input_path(uid)).object().at("meta"), json::parse(meta));
}

}  // namespace

}  // namespace simulcast::control::test
