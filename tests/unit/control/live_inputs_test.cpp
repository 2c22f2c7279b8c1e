#include <gmock/gmock.h>

#include <set>

#include "api_fixture.hpp"

namespace simulcast::control::test {

using testing::ElementsAre;
using testing::MatchesRegex;

namespace {

std::string text(const json::value& value) {
  return std::string(value.as_string());
}

std::set<std::string> names(const json::object& object) {
  std::set<std::string> names;
  for (const auto& member : object) names.emplace(member.key());
  return names;
}

class LiveInputsTest : public ApiTest {};

TEST_F(LiveInputsTest, CreatedWithDefaults) {
  const Answer answer = call("POST", kInputs, "");
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer.body.at("errors"), json::array());
  EXPECT_EQ(answer.body.at("messages"), json::array());
  const json::object& input = answer.object();
  EXPECT_THAT(text(input.at("uid")), MatchesRegex("[0-9a-f]{32}"));
  EXPECT_EQ(text(input.at("created")), "2023-11-14T22:13:20.123456Z");
  EXPECT_EQ(input.at("modified"), input.at("created"));
  EXPECT_EQ(input.at("enabled"), true);
  EXPECT_EQ(input.at("meta"), json::object());
  EXPECT_EQ(input.at("deleteRecordingAfterDays"), nullptr);
  EXPECT_EQ(input.at("preferLowLatency"), false);
  EXPECT_EQ(input.at("recording"), json::value({{"mode", "off"},
                                                {"timeoutSeconds", 0},
                                                {"requireSignedURLs", false},
                                                {"allowedOrigins", nullptr},
                                                {"hideLiveViewerCount", false}}));
  EXPECT_EQ(input.at("status"), nullptr);
  EXPECT_FALSE(input.contains("keysRotatedAt"));
  EXPECT_FALSE(input.contains("defaultCreator"));
  EXPECT_THAT(engine_.changed, ElementsAre(text(input.at("uid"))));
}

TEST_F(LiveInputsTest, NoListenerNoAddress) {
  const Answer answer = call("POST", kInputs, "{}");
  for (const char* name : {"rtmp", "rtmps", "srt", "rtmpsPlayback", "srtPlayback"}) {
    EXPECT_FALSE(answer.object().contains(name)) << name;
  }
}

TEST_F(LiveInputsTest, AddressesOfTheListeners) {
  settings_.addresses = {public_rtmp_url("relay.example.org", 1935),
                         public_rtmps_url("relay.example.org", 1936),
                         public_srt_url("relay.example.org", 8890)};
  remake_api();
  const Answer answer = call("POST", kInputs, "{}");
  const json::object& input = answer.object();
  const std::string uid = text(input.at("uid"));
  EXPECT_EQ(text(input.at("rtmp").at("url")), "rtmp://relay.example.org/live/");
  EXPECT_EQ(text(input.at("rtmps").at("url")), "rtmps://relay.example.org:1936/live/");
  EXPECT_EQ(input.at("rtmps").at("streamKey"), input.at("rtmp").at("streamKey"));
  EXPECT_THAT(text(input.at("rtmp").at("streamKey")), MatchesRegex("[0-9a-f]{32}k" + uid));
  EXPECT_EQ(text(input.at("srt").at("url")), "srt://relay.example.org:8890");
  EXPECT_EQ(text(input.at("srt").at("streamId")), uid);
  EXPECT_THAT(text(input.at("srt").at("passphrase")), MatchesRegex("[0-9a-f]{32}k" + uid));
  EXPECT_NE(input.at("srt").at("passphrase"), input.at("rtmp").at("streamKey"));
  EXPECT_EQ(call("GET", input_path(uid)).result(), answer.result());
}

TEST_F(LiveInputsTest, CreatedWithEverything) {
  const Answer answer = call("POST", kInputs, R"({
      "meta": {"name": "Show", "number": 7, "deep": {"list": [1, null, "x"]}}, "enabled": false,
      "defaultCreator": "someone", "deleteRecordingAfterDays": 45, "preferLowLatency": true,
      "recording": {"mode": "automatic", "timeoutSeconds": 10, "requireSignedURLs": true,
                    "allowedOrigins": ["a.example", "*.b.example"], "hideLiveViewerCount": true}})");
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer.body.at("messages"), json::array());
  const std::string uid = text(answer.object().at("uid"));
  const Answer read = call("GET", input_path(uid));
  EXPECT_EQ(read.result(), answer.result());
  EXPECT_EQ(read.object().at("meta"),
            json::parse(R"({"name": "Show", "number": 7, "deep": {"list": [1, null, "x"]}})"));
  EXPECT_EQ(read.object().at("enabled"), false);
  EXPECT_EQ(read.object().at("deleteRecordingAfterDays"), 45);
  EXPECT_EQ(read.object().at("preferLowLatency"), true);
  EXPECT_EQ(read.object().at("recording").at("allowedOrigins"), json::value({"a.example", "*.b.example"}));
  EXPECT_EQ(sqlite_.input(kAccount, uid)->default_creator, "someone");
}

TEST_F(LiveInputsTest, ListIsAlwaysTheObjectWithCounts) {
  EXPECT_EQ(call("GET", kInputs).result(),
            json::value({{"range", 0}, {"total", 0}, {"liveInputs", json::array()}}));
  const std::string first = new_input(R"({"meta": {"name": "first"}})");
  const std::string second = new_input();
  settings_.addresses.rtmp_url = "rtmp://relay/live/";
  remake_api();
  for (const char* query : {"", "?include_counts=true", "?include_counts=false"}) {
    const Answer answer = call("GET", kInputs + query);
    EXPECT_EQ(answer.object().at("total"), 2);
    EXPECT_EQ(answer.object().at("range"), 0);
    const json::array& items = answer.object().at("liveInputs").as_array();
    ASSERT_EQ(items.size(), 2U);
    EXPECT_EQ(text(items[0].at("uid")), first);
    EXPECT_EQ(text(items[1].at("uid")), second);
    EXPECT_EQ(text(items[0].at("meta").at("name")), "first");
    EXPECT_THAT(names(items[0].as_object()), ElementsAre("created", "deleteRecordingAfterDays", "enabled",
                                                         "meta", "modified", "status", "uid"));
  }
}

TEST_F(LiveInputsTest, EmptyUpdateChangesNothing) {
  const std::string uid = new_input(R"({"meta": {"name": "a"}})");
  const Answer before = call("GET", input_path(uid));
  engine_.changed.clear();
  now_ += std::chrono::seconds(5);
  for (const char* body :
       {"", "{}", R"({"recording": {}})", R"({"enabled": true})", R"({"meta": {"name": "a"}})"}) {
    const Answer answer = call("PUT", input_path(uid), body);
    ASSERT_TRUE(answer.ok()) << body;
    EXPECT_EQ(answer.result(), before.result()) << body;
  }
  EXPECT_THAT(engine_.changed, ElementsAre());
}

TEST_F(LiveInputsTest, UpdateIsPartial) {
  const std::string uid = new_input(R"({"meta": {"name": "a", "x": 1}, "deleteRecordingAfterDays": 30,
      "recording": {"mode": "automatic", "timeoutSeconds": 10, "allowedOrigins": ["a.example"]}})");
  engine_.changed.clear();
  now_ += std::chrono::seconds(5);
  // meta is replaced whole, members of recording merge, the rest stays.
  Answer answer = call("PUT", input_path(uid), R"({"meta": {"y": 2}, "recording": {"timeoutSeconds": 20}})");
  EXPECT_EQ(answer.object().at("meta"), json::value({{"y", 2}}));
  EXPECT_EQ(text(answer.object().at("recording").at("mode")), "automatic");
  EXPECT_EQ(answer.object().at("recording").at("timeoutSeconds"), 20);
  EXPECT_EQ(answer.object().at("recording").at("allowedOrigins"), json::parse(R"(["a.example"])"));
  EXPECT_EQ(answer.object().at("deleteRecordingAfterDays"), 30);
  EXPECT_EQ(text(answer.object().at("modified")), "2023-11-14T22:13:25.123456Z");
  EXPECT_EQ(text(answer.object().at("created")), "2023-11-14T22:13:20.123456Z");
  EXPECT_THAT(engine_.changed, ElementsAre(uid));

  answer = call("PUT", input_path(uid),
                R"({"meta": null, "deleteRecordingAfterDays": null, "recording": {"allowedOrigins": null}})");
  EXPECT_EQ(answer.object().at("meta"), json::object());
  EXPECT_EQ(answer.object().at("deleteRecordingAfterDays"), nullptr);
  EXPECT_EQ(answer.object().at("recording").at("allowedOrigins"), nullptr);
  EXPECT_EQ(call("GET", input_path(uid)).result(), answer.result());
}

TEST_F(LiveInputsTest, ModifiedMovesOnThoughTheClockGoesBack) {
  const std::string uid = new_input();
  now_ -= std::chrono::hours(1);
  const Answer answer = call("PUT", input_path(uid), R"({"preferLowLatency": true})");
  EXPECT_EQ(text(answer.object().at("modified")), "2023-11-14T22:13:20.123457Z");
}

TEST_F(LiveInputsTest, EnableAndDisable) {
  const std::string uid = new_input();
  engine_.changed.clear();
  EXPECT_EQ(call("POST", input_path(uid) + "/disable").object().at("enabled"), false);
  EXPECT_EQ(call("POST", input_path(uid) + "/disable").object().at("enabled"), false);
  EXPECT_EQ(call("GET", input_path(uid)).object().at("enabled"), false);
  EXPECT_EQ(call("POST", input_path(uid) + "/enable").object().at("enabled"), true);
  EXPECT_EQ(call("GET", input_path(uid)).object().at("enabled"), true);
  EXPECT_THAT(engine_.changed, ElementsAre(uid, uid));
}

TEST_F(LiveInputsTest, RotatedKeysAreAllNew) {
  settings_.addresses = {"rtmp://relay/live/", "rtmps://relay/live/", "srt://relay:8890"};
  remake_api();
  const std::string uid = new_input();
  const LiveInput before = *sqlite_.input(kAccount, uid);
  engine_.changed.clear();
  now_ += std::chrono::seconds(1);
  const Answer answer = call("POST", input_path(uid) + "/rotate_keys");
  const LiveInput after = *sqlite_.input(kAccount, uid);
  EXPECT_EQ(text(answer.object().at("keysRotatedAt")), "2023-11-14T22:13:21.123456Z");
  EXPECT_EQ(answer.object().at("modified"), answer.object().at("keysRotatedAt"));
  EXPECT_EQ(text(answer.object().at("rtmps").at("streamKey")), after.stream_key());
  EXPECT_EQ(text(answer.object().at("srt").at("passphrase")), after.srt_passphrase());
  EXPECT_NE(after.rtmp_secret, before.rtmp_secret);
  EXPECT_NE(after.srt_secret, before.srt_secret);
  EXPECT_NE(after.rtmp_playback_secret, before.rtmp_playback_secret);
  EXPECT_NE(after.srt_playback_secret, before.srt_playback_secret);
  EXPECT_THAT(engine_.changed, ElementsAre(uid));
  EXPECT_EQ(call("GET", input_path(uid)).result(), answer.result());
}

TEST_F(LiveInputsTest, DeletedWithItsOutputs) {
  const std::string uid = new_input();
  new_output(uid);
  engine_.changed.clear();
  Request request{"DELETE", input_path(uid), {{"Authorization", "Bearer " + kToken}}, ""};
  const Answer answer = send(request);
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer.result(), "");
  EXPECT_THAT(engine_.changed, ElementsAre(uid));
  EXPECT_TRUE(is_error(send(request), 404, 10003, "", "no live input"));
  EXPECT_TRUE(is_error(call("GET", outputs_path(uid)), 404, 10003, "", "no live input"));
  EXPECT_TRUE(sqlite_.outputs(uid).empty());
}

TEST_F(LiveInputsTest, VideosAreAnEmptyArray) {
  EXPECT_EQ(call("GET", input_path(new_input()) + "/videos").result(), json::array());
}

TEST_F(LiveInputsTest, StatusAndLifecycle) {
  const std::string uid = new_input();
  const Request lifecycle{"GET", "/" + uid + "/lifecycle", {}, ""};
  EXPECT_EQ(json::value(send(lifecycle).body),
            json::value({{"isInput", true}, {"videoUID", nullptr}, {"live", false}}));

  InputReport report;
  report.current = {true, media::InputReason::reconnected, media::IngestProtocol::rtmps,
                    media::WallTime(std::chrono::seconds(1'700'000'000)),
                    media::WallTime(std::chrono::milliseconds(1'700'000'001'500))};
  for (int i = 0; i < 12; ++i) {
    report.history.push_back({false, media::InputReason::client_disconnect, media::IngestProtocol::rtmp,
                              media::WallTime(std::chrono::seconds(1'600'000'000 - i)), media::WallTime()});
  }
  engine_.reports[uid] = report;
  EXPECT_EQ(send(lifecycle).body.at("live"), true);
  const json::value status = call("GET", input_path(uid)).object().at("status");
  EXPECT_EQ(status.at("current"), json::value({{"state", "connected"},
                                               {"reason", "reconnected"},
                                               {"ingestProtocol", "rtmps"},
                                               {"statusEnteredAt", "2023-11-14T22:13:20.000000Z"},
                                               {"statusLastSeen", "2023-11-14T22:13:21.500000Z"}}));
  ASSERT_EQ(status.at("history").as_array().size(), 10U);
  EXPECT_EQ(text(status.at("history").at(0).at("state")), "disconnected");
  EXPECT_EQ(text(status.at("history").at(0).at("statusEnteredAt")), "2020-09-13T12:26:40.000000Z");
  EXPECT_EQ(call("GET", kInputs).object().at("liveInputs").at(0).at("status"), status);
  EXPECT_TRUE(
      is_error(send({"GET", "/0123456789abcdef/lifecycle", {}, ""}), 404, 10003, "", "no live input"));
}

// --- Idempotency-Key

TEST_F(LiveInputsTest, SameKeyGivesTheSameInput) {
  const Headers key{{"Idempotency-Key", "retry-1"}};
  const Answer first = call("POST", kInputs, R"({"meta": {"name": "a"}})", key);
  const Answer second = call("POST", kInputs, R"({"meta": {"name": "a"}})", key);
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(second.result(), first.result());
  EXPECT_EQ(engine_.changed.size(), 1U);
  EXPECT_NE(call("POST", kInputs, "{}", {{"idempotency-key", "retry-2"}}).result(), first.result());
  EXPECT_EQ(call("GET", kInputs).object().at("total"), 2);
}

TEST_F(LiveInputsTest, KeyIsForgottenAfterSixHours) {
  const Headers key{{"Idempotency-Key", "retry"}};
  const Answer first = call("POST", kInputs, "{}", key);
  now_ += std::chrono::hours(6) - std::chrono::microseconds(1);
  EXPECT_EQ(call("POST", kInputs, "{}", key).result(), first.result());
  now_ += std::chrono::microseconds(1);
  EXPECT_NE(call("POST", kInputs, "{}", key).object().at("uid"), first.object().at("uid"));
}

TEST_F(LiveInputsTest, KeyOfDeletedInputIsAConflictForGood) {
  const Headers key{{"Idempotency-Key", "retry"}};
  const std::string uid = text(call("POST", kInputs, "{}", key).object().at("uid"));
  call("DELETE", input_path(uid));
  const Answer answer = call("POST", kInputs, "{}", key);
  EXPECT_TRUE(is_error(answer, 409, 10013, "", "has been deleted"));
  EXPECT_EQ(answer.header("x-should-retry"), "false");
}

TEST_F(LiveInputsTest, KeyLengths) {
  EXPECT_TRUE(call("POST", kInputs, "{}", {{"Idempotency-Key", std::string(255, 'k')}}).ok());
  EXPECT_TRUE(is_error(call("POST", kInputs, "{}", {{"Idempotency-Key", std::string(256, 'k')}}), 400, 10005,
                       "", "1 to 255 bytes"));
  EXPECT_TRUE(
      is_error(call("POST", kInputs, "{}", {{"Idempotency-Key", ""}}), 400, 10005, "", "1 to 255 bytes"));
  EXPECT_EQ(call("GET", kInputs).object().at("total"), 1);
}

}  // namespace

}  // namespace simulcast::control::test
