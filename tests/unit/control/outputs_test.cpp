#include <gmock/gmock.h>

#include <ostream>

#include "api_fixture.hpp"

namespace simulcast::control::test {

using testing::ElementsAre;
using testing::MatchesRegex;

namespace {

std::string text(const json::value& value) {
  return std::string(value.as_string());
}

class OutputsTest : public ApiTest {
 protected:
  std::string input_ = new_input();
  std::string path_ = outputs_path(input_);
};

TEST_F(OutputsTest, CreatedAsTheOfficialClientsDo) {
  engine_.changed.clear();
  engine_.status.since = media::WallTime(std::chrono::seconds(1'700'000'000));
  const Answer answer =
      call("POST", path_,
           R"({"streamKey": "uzya-f19y-g2g9-a2ee-51j2", "url": "rtmp://a.rtmp.youtube.com/live2"})");
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer.body.at("messages"), json::array());
  const json::object& output = answer.object();
  EXPECT_THAT(text(output.at("uid")), MatchesRegex("[0-9a-f]{32}"));
  EXPECT_EQ(text(output.at("url")), "rtmp://a.rtmp.youtube.com/live2");
  EXPECT_EQ(text(output.at("streamKey")), "uzya-f19y-g2g9-a2ee-51j2");
  EXPECT_EQ(output.at("enabled"), true);
  EXPECT_EQ(output.at("name"), nullptr);
  EXPECT_EQ(output.at("verifyTls"), true);
  EXPECT_EQ(text(output.at("created")), "2023-11-14T22:13:20.123456Z");
  EXPECT_EQ(output.at("modified"), output.at("created"));
  EXPECT_EQ(output.at("status"), json::value({{"state", "idle"},
                                              {"since", "2023-11-14T22:13:20.000000Z"},
                                              {"message", ""},
                                              {"attempt", 0},
                                              {"nextRetryAt", nullptr}}));
  EXPECT_EQ(output.at("stats"), json::value({{"bytesSent", 0},
                                             {"bitrate", 0},
                                             {"framesSent", 0},
                                             {"framesDropped", 0},
                                             {"queueMs", 0},
                                             {"rttMs", nullptr},
                                             {"retransmits", 0},
                                             {"packetsLost", 0},
                                             {"packetsDropped", 0},
                                             {"sendBufferMs", 0},
                                             {"reconnects", 0},
                                             {"connectedAt", nullptr}}));
  EXPECT_THAT(engine_.changed, ElementsAre(input_));
  EXPECT_EQ(call("GET", path_ + "/" + text(output.at("uid"))).result(), answer.result());
}

TEST_F(OutputsTest, RetryIsTheEnginesToDo) {
  const std::string uid = new_output(input_);
  engine_.changed.clear();
  const Answer answer = call("POST", path_ + "/" + uid + "/retry");
  EXPECT_TRUE(answer.ok());
  EXPECT_EQ(text(answer.object().at("uid")), uid);
  EXPECT_THAT(engine_.retried, ElementsAre(uid));
  EXPECT_THAT(engine_.changed, testing::IsEmpty());
  EXPECT_TRUE(is_error(call("POST", path_ + "/0/retry"), 404, 10003, "", "no output"));
}

TEST_F(OutputsTest, StatusAndStatsAreTheEngines) {
  const std::string uid = new_output(input_);
  const media::WallTime since(std::chrono::milliseconds(1'700'000'000'250));
  engine_.status = {media::OutputState::retrying, since, "the peer said: bad key", 3,
                    since + std::chrono::seconds(2)};
  engine_.stats = {.bytes_sent = 10,
                   .bitrate = 20,
                   .frames_sent = 30,
                   .frames_dropped = 40,
                   .queue = std::chrono::milliseconds(50),
                   .rtt = std::chrono::microseconds(1500),
                   .retransmits = 60,
                   .packets_lost = 61,
                   .packets_dropped = 62,
                   .send_buffer = std::chrono::milliseconds{63},
                   .reconnects = 70,
                   .connected_at = since};
  const Answer answer = call("GET", path_ + "/" + uid);
  EXPECT_EQ(answer.object().at("status"), json::value({{"state", "retrying"},
                                                       {"since", "2023-11-14T22:13:20.250000Z"},
                                                       {"message", "the peer said: bad key"},
                                                       {"attempt", 3},
                                                       {"nextRetryAt", "2023-11-14T22:13:22.250000Z"}}));
  EXPECT_EQ(answer.object().at("stats"), json::value({{"bytesSent", 10},
                                                      {"bitrate", 20},
                                                      {"framesSent", 30},
                                                      {"framesDropped", 40},
                                                      {"queueMs", 50},
                                                      {"rttMs", 1.5},
                                                      {"retransmits", 60},
                                                      {"packetsLost", 61},
                                                      {"packetsDropped", 62},
                                                      {"sendBufferMs", 63},
                                                      {"reconnects", 70},
                                                      {"connectedAt", "2023-11-14T22:13:20.250000Z"}}));
  EXPECT_EQ(call("GET", path_).result(), json::value(json::array(1, answer.result())));
}

TEST_F(OutputsTest, WarningsAreTheEngines) {
  const std::string path = path_ + "/" + new_output(input_);
  EXPECT_EQ(call("GET", path).object().at("warnings"), json::array());
  engine_.warnings = {{"fps", "120 frames a second"}, {"audio", "no sound"}};
  const json::value shown = {{{"rule", "fps"}, {"message", "120 frames a second"}},
                             {{"rule", "audio"}, {"message", "no sound"}}};
  EXPECT_EQ(call("GET", path).object().at("warnings"), shown);
  EXPECT_EQ(call("GET", path_).result().as_array().at(0).at("warnings"), shown);
  EXPECT_EQ(call("PUT", path, R"({"enabled": false})").object().at("warnings"), shown);
}

TEST_F(OutputsTest, ListedInOrderOfCreation) {
  std::vector<std::string> made;
  for (int i = 0; i < 20; ++i) {
    now_ -= std::chrono::seconds(1);  // the clock has no say
    made.push_back(new_output(input_));
  }
  const Answer list = call("GET", path_);
  std::vector<std::string> listed;
  for (const json::value& output : list.result().as_array()) listed.push_back(text(output.at("uid")));
  EXPECT_EQ(listed, made);
}

TEST_F(OutputsTest, UpdatedByTheOfficialClients) {
  const std::string uid = new_output(input_);
  engine_.changed.clear();
  now_ += std::chrono::seconds(1);
  Answer answer = call("PUT", path_ + "/" + uid, R"({"enabled": false})");
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer.object().at("enabled"), false);
  EXPECT_EQ(text(answer.object().at("modified")), "2023-11-14T22:13:21.123456Z");
  EXPECT_EQ(text(answer.object().at("url")), "rtmp://live.example.com/app");
  EXPECT_THAT(engine_.changed, ElementsAre(input_));
  EXPECT_EQ(call("GET", path_ + "/" + uid).result(), answer.result());
}

TEST_F(OutputsTest, UpdatedWhole) {
  const std::string uid = new_output(input_);
  now_ += std::chrono::seconds(1);
  const Answer answer = call("PUT", path_ + "/" + uid, R"({"url": "rtmps://b.example.com:8443/live?x=1",
      "streamKey": "other", "name": "B", "verifyTls": false})");
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(text(answer.object().at("uid")), uid);
  EXPECT_EQ(text(answer.object().at("url")), "rtmps://b.example.com:8443/live?x=1");
  EXPECT_EQ(text(answer.object().at("streamKey")), "other");
  EXPECT_EQ(text(answer.object().at("name")), "B");
  EXPECT_EQ(answer.object().at("verifyTls"), false);
  EXPECT_EQ(answer.object().at("enabled"), true);
  EXPECT_EQ(call("GET", path_ + "/" + uid).result(), answer.result());
  EXPECT_EQ(call("PUT", path_ + "/" + uid, R"({"name": null})").object().at("name"), nullptr);
}

TEST_F(OutputsTest, EmptyUpdateChangesNothing) {
  const std::string uid = new_output(input_);
  const Answer before = call("GET", path_ + "/" + uid);
  engine_.changed.clear();
  now_ += std::chrono::seconds(1);
  for (const char* body : {"", "{}", R"({"enabled": true})", R"({"streamKey": "key"})"}) {
    EXPECT_EQ(call("PUT", path_ + "/" + uid, body).result(), before.result()) << body;
  }
  EXPECT_THAT(engine_.changed, ElementsAre());
}

TEST_F(OutputsTest, CreatedWithOurMembers) {
  const Answer answer =
      call("POST", path_, R"({"url": "rtmps://x.example/app", "streamKey": "k", "enabled": false,
      "name": "Main", "verifyTls": false, "colour": 1})");
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(text(answer.object().at("name")), "Main");
  EXPECT_EQ(answer.object().at("verifyTls"), false);
  EXPECT_EQ(answer.object().at("enabled"), false);
  EXPECT_EQ(text(answer.body.at("messages").at(0).at("source").at("pointer")), "/colour");
}

TEST_F(OutputsTest, Deleted) {
  const std::string kept = new_output(input_);
  const std::string uid = new_output(input_);
  engine_.changed.clear();
  const Answer answer = call("DELETE", path_ + "/" + uid);
  EXPECT_TRUE(answer.ok());
  EXPECT_EQ(answer.result(), "");
  EXPECT_THAT(engine_.changed, ElementsAre(input_));
  for (const char* method : {"GET", "PUT", "DELETE"}) {
    EXPECT_TRUE(is_error(call(method, path_ + "/" + uid), 404, 10003, "", "no output with this id"))
        << method;
  }
  EXPECT_EQ(call("GET", path_).result().as_array().size(), 1U);
  EXPECT_EQ(text(call("GET", path_).result().at(0).at("uid")), kept);
}

TEST_F(OutputsTest, OfAnotherInputIsNotFound) {
  const std::string uid = new_output(input_);
  const std::string other = outputs_path(new_input());
  EXPECT_TRUE(is_error(call("GET", other + "/" + uid), 404, 10003, "", "no output"));
  EXPECT_TRUE(is_error(call("PUT", other + "/" + uid, R"({"enabled": false})"), 404, 10003, "", "no output"));
  EXPECT_TRUE(is_error(call("DELETE", other + "/" + uid), 404, 10003, "", "no output"));
  EXPECT_EQ(call("GET", path_ + "/" + uid).object().at("enabled"), true);
}

TEST_F(OutputsTest, OfAnUnknownInput) {
  const std::string other = outputs_path("0123456789abcdef");
  EXPECT_TRUE(is_error(call("GET", other), 404, 10003, "", "no live input"));
  EXPECT_TRUE(is_error(call("POST", other, kOutputBody), 404, 10003, "", "no live input"));
}

TEST_F(OutputsTest, The51stIsRefused) {
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(call("POST", path_, kOutputBody).ok());
  engine_.changed.clear();
  const Answer answer = call("POST", path_, kOutputBody);
  EXPECT_TRUE(is_error(answer, 400, 10013, "", "has 50 outputs"));
  EXPECT_EQ(answer.header("x-should-retry"), "false");
  EXPECT_EQ(call("GET", path_).result().as_array().size(), 50U);
  EXPECT_THAT(engine_.changed, ElementsAre());
  EXPECT_TRUE(call("POST", outputs_path(new_input()), kOutputBody).ok());
  call("DELETE", path_ + "/" + text(call("GET", path_).result().at(0).at("uid")));
  EXPECT_TRUE(call("POST", path_, kOutputBody).ok());
}

TEST_F(OutputsTest, LimitIsConfigured) {
  settings_.outputs_per_input = 1;
  remake_api();
  EXPECT_TRUE(call("POST", path_, kOutputBody).ok());
  EXPECT_TRUE(is_error(call("POST", path_, kOutputBody), 400, 10013, "", "has 1 output"));
}

TEST_F(OutputsTest, IdempotencyKeyIsPerInput) {
  const Headers key{{"Idempotency-Key", "retry"}};
  const Answer first = call("POST", path_, kOutputBody, key);
  EXPECT_EQ(call("POST", path_, kOutputBody, key).result(), first.result());
  EXPECT_EQ(call("GET", path_).result().as_array().size(), 1U);
  EXPECT_NE(call("POST", outputs_path(new_input()), kOutputBody, key).object().at("uid"),
            first.object().at("uid"));
  call("DELETE", path_ + "/" + text(first.object().at("uid")));
  EXPECT_TRUE(is_error(call("POST", path_, kOutputBody, key), 409, 10013, "", "has been deleted"));
}

TEST_F(OutputsTest, StreamKeyMayBeEmptyOnlyForSrt) {
  EXPECT_TRUE(call("POST", path_, R"({"url": "srt://s.example:9000?streamid=x", "streamKey": ""})").ok());
  EXPECT_TRUE(is_error(call("POST", path_, R"({"url": "rtmp://r.example/app", "streamKey": ""})"), 400, 10005,
                       "/streamKey", "only for srt://"));
  // Judged as it is after the change.
  const std::string uid = new_output(input_, R"({"url": "srt://s.example:9000", "streamKey": ""})");
  EXPECT_TRUE(is_error(call("PUT", path_ + "/" + uid, R"({"url": "rtmp://r.example/app"})"), 400, 10005,
                       "/streamKey", "only for srt://"));
  EXPECT_TRUE(call("PUT", path_ + "/" + uid, R"({"url": "rtmp://r.example/app", "streamKey": "k"})").ok());
}

struct BadOutput {
  const char* body;
  int code;
  const char* pointer;
  const char* message;
};
void PrintTo(const BadOutput& bad, std::ostream* out) {
  *out << testing::PrintToString(bad.body);
}

class BadOutputTest : public OutputsTest, public testing::WithParamInterface<BadOutput> {};

TEST_P(BadOutputTest, Refused) {
  const BadOutput& bad = GetParam();
  EXPECT_TRUE(is_error(call("POST", path_, bad.body), 400, bad.code, bad.pointer, bad.message));
  EXPECT_EQ(call("GET", path_).result(), json::array());
}

INSTANTIATE_TEST_SUITE_P(
    Bodies, BadOutputTest,
    testing::Values(
        BadOutput{"", 10005, "/url", "\"url\" is missing"},
        BadOutput{R"({"url": "rtmp://a/b"})", 10005, "/streamKey", "\"streamKey\" is missing"},
        BadOutput{R"({"streamKey": "k"})", 10005, "/url", "\"url\" is missing"},
        BadOutput{R"({"url": null, "streamKey": "k"})", 10005, "/url", "must be a string, not null"},
        BadOutput{R"({"url": 5, "streamKey": "k"})", 10005, "/url", "must be a string, not a number"},
        BadOutput{R"({"url": "rtmp://a/b", "streamKey": 12})", 10005, "/streamKey", "must be a string"},
        BadOutput{R"({"url": "rtmp://a/b", "streamKey": "a b"})", 10005, "/streamKey", "spaces"},
        BadOutput{R"({"url": "rtmp://a/b", "streamKey": "a\n"})", 10005, "/streamKey", "control characters"},
        BadOutput{R"({"url": "rtmp://a/b", "streamKey": "a\u0000"})", 10005, "/streamKey",
                  "control characters"},
        BadOutput{R"({"url": "rtmp://a/b", "streamKey": "k", "enabled": "on"})", 10005, "/enabled",
                  "true or false"},
        BadOutput{R"({"url": "rtmp://a/b", "streamKey": "k", "name": 1})", 10005, "/name",
                  "must be a string"},
        BadOutput{R"({"url": "rtmp://a/b", "streamKey": "k", "verifyTls": null})", 10005, "/verifyTls",
                  "true or false"},
        BadOutput{R"({"url": "", "streamKey": "k"})", 10010, "/url", "must begin with rtmp://"},
        BadOutput{R"({"url": "https://a/b", "streamKey": "k"})", 10010, "/url", "must begin with rtmp://"},
        BadOutput{"[1]", 10004, "", "must be a JSON object"},
        BadOutput{"url=x", 10004, "", "not valid JSON"}));

TEST_F(OutputsTest, MessagesNeverRepeatSecrets) {
  const char* bodies[] = {
      R"({"url": "rtmp://user:s3cr3t@host/app", "streamKey": "s3cr3t \n"})",
      R"({"url": "srt://host:1?passphrase=s3cr3t", "streamKey": "s3cr3t\u0001"})",
      R"({"url": "srt://host:1?pbkeylen=s3cr3t&latency=s3cr3t", "streamKey": ""})",
      R"({"url": "srt://host:1?s3cr3t!=1", "streamKey": ""})",
      R"({"url": "s3cr3t", "streamKey": ["s3cr3t"]})",
      R"({"url": "rtmp://s3cr3t_%/app", "streamKey": {"s3cr3t": 1}})",
      R"({"url": "rtmp://host:s3cr3t/app", "streamKey": "s3cr3t", "enabled": "s3cr3t"})",
      R"(s3cr3t)",
  };
  for (const char* body : bodies) {
    const Answer answer = call("POST", path_, body);
    EXPECT_EQ(answer.status, 400U) << body;
    EXPECT_EQ(json::serialize(answer.body).find("s3cr3t"), std::string::npos) << json::serialize(answer.body);
  }
}

}  // namespace

}  // namespace simulcast::control::test
