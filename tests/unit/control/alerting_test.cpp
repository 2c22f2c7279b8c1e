#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>

#include "api_fixture.hpp"
#include "config/values.hpp"
#include "control/api/alerting.hpp"
#include "control/notifications/notifier.hpp"
#include "control/store/sqlite_notifications.hpp"

namespace simulcast::control::test {

namespace asio = boost::asio;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::MatchesRegex;

namespace {

std::string text(const json::value& value) {
  return std::string(value.as_string());
}

// The API with notifications; the receivers accept nothing.
class AlertingTest : public ApiTest {
 protected:
  AlertingTest() {
    engine_.snapshots = {{.uid = "i",
                          .name = "Main",
                          .status = {},
                          .stats = {},
                          .outputs = {{"o", "Tube", {}, {}}, {"p", "", {}, {}}}}};
    parts_.notifier = &notifier_;
    settings_.denied_networks = {config::parse_network("169.254.0.0/16")};
  }

  asio::awaitable<WebhookAnswer> post(WebhookRequest request) {
    posted_.push_back(request);
    co_return WebhookAnswer{.status = 0, .failure = "not now"};
  }

  std::string new_webhook(const std::string& name = "Hook") {
    const Answer answer =
        call("POST", kWebhooks, R"({"url": "https://example.com/x", "name": ")" + name + "\"}");
    EXPECT_TRUE(answer.ok()) << json::serialize(answer.body);
    return text(answer.object().at("id"));
  }
  std::string new_policy(const std::string& webhook, const std::string& more = "") {
    const Answer answer = call("POST", kPolicies, policy_body(webhook, more));
    EXPECT_TRUE(answer.ok()) << json::serialize(answer.body);
    return answer.ok() ? text(answer.object().at("id")) : "";
  }
  static std::string policy_body(const std::string& webhook, const std::string& more = "") {
    return R"({"name": "Policy", "enabled": true, "alert_type": "stream_live_notifications", "mechanisms":
               {"webhooks": [{"id": ")" +
           webhook + R"("}]})" + more + "}";
  }

  void settle() {
    io_.restart();
    io_.poll();
  }
  void input(bool connected, media::InputReason reason = media::InputReason::client_disconnect) {
    media::InputStatus status{.connected = connected, .reason = reason};
    if (reason == media::InputReason::reconnecting) status.hold_ends_at = media::WallTime{};
    notifier_.input_changed("i", status);
  }
  void output(const std::string& uid, media::OutputState state) {
    media::OutputStatus status;
    status.state = state;
    notifier_.output_changed("i", uid, status);
  }
  // The types of what waits for a webhook.
  std::vector<std::string> waiting(const std::string& webhook) {
    std::vector<std::string> types;
    for (const json::object& body : bodies(webhook)) types.push_back(text(body.at("data").at("event_type")));
    return types;
  }
  std::vector<json::object> bodies(const std::string& webhook) {
    settle();
    std::vector<json::object> bodies;
    std::int64_t behind = 0;
    while (const auto delivery = notifications_.next_delivery(webhook, behind)) {
      bodies.push_back(json::parse(delivery->body).as_object());
      behind = delivery->sequence;
    }
    return bodies;
  }

  static inline const std::string kAlerting = "/client/v4/accounts/" + kAccount + "/alerting/v3";
  static inline const std::string kWebhooks = kAlerting + "/destinations/webhooks";
  static inline const std::string kPolicies = kAlerting + "/policies";

  std::filesystem::path file_ = directory_.path() / "simulcastd.db";
  asio::io_context io_{1};
  SqliteNotifications notifications_{sqlite_.database()};
  std::vector<WebhookRequest> posted_;
  Notifier notifier_{io_.get_executor(),
                     engine_,
                     notifications_,
                     [this](WebhookRequest request) { return post(std::move(request)); },
                     {.account = kAccount,
                      .first_wait = std::chrono::hours(1),
                      .longest_wait = std::chrono::hours(1),
                      .give_up_after = std::chrono::hours(24),
                      .now = [this] { return now_; }}};
};

TEST_F(AlertingTest, AWebhook) {
  const Answer created =
      call("POST", kWebhooks,
           R"({"name": "Hook", "url": "https://example.com/x", "secret": "s3", "colour": "red"})");
  ASSERT_TRUE(created.ok());
  const std::string id = text(created.object().at("id"));
  EXPECT_THAT(id, MatchesRegex("[0-9a-f]{32}"));
  EXPECT_EQ(created.object().size(), 1U);
  EXPECT_EQ(created.body.at("messages").at(0).at("source").at("pointer"), "/colour");
  const json::value shown{{"id", id},
                          {"name", "Hook"},
                          {"url", "https://example.com/x"},
                          {"type", "generic"},
                          {"created_at", "2023-11-14T22:13:20.123456Z"}};
  EXPECT_EQ(call("GET", kWebhooks + "/" + id).result(), shown);
  EXPECT_EQ(call("GET", kWebhooks).result(), json::array({shown}));
  EXPECT_EQ(notifications_.webhook(kAccount, id)->secret, "s3");

  notifications_.delivered(id, 0, now_);
  notifications_.failed(id, now_ + std::chrono::microseconds(1));
  EXPECT_EQ(call("GET", kWebhooks + "/" + id).object().at("last_success"), "2023-11-14T22:13:20.123456Z");
  EXPECT_EQ(call("GET", kWebhooks + "/" + id).object().at("last_failure"), "2023-11-14T22:13:20.123457Z");
}

TEST_F(AlertingTest, AWebhookIsChangedInPart) {
  const std::string id =
      text(call("POST", kWebhooks, R"({"name": "Hook", "url": "https://example.com/x", "secret": "s3"})")
               .object()
               .at("id"));
  const std::string path = kWebhooks + "/" + id;
  EXPECT_EQ(call("PUT", path, R"({"name": "Other"})").result(), json::value({{"id", id}}));
  EXPECT_EQ(notifications_.webhook(kAccount, id)->name, "Other");
  EXPECT_EQ(notifications_.webhook(kAccount, id)->url, "https://example.com/x");
  EXPECT_EQ(notifications_.webhook(kAccount, id)->secret, "s3");
  EXPECT_TRUE(call("PUT", path, R"({"secret": null})").ok());
  EXPECT_EQ(notifications_.webhook(kAccount, id)->secret, "");
  EXPECT_TRUE(is_error(call("PUT", path, R"({"url": "x"})"), 400, 10010, "/url", "malformed"));
  EXPECT_TRUE(call("DELETE", path).ok());
  for (const char* method : {"GET", "PUT", "DELETE"}) {
    EXPECT_TRUE(is_error(call(method, path), 404, 10003, "", "no webhook destination")) << method;
  }
}

TEST_F(AlertingTest, BadWebhooks) {
  const auto bad = [&](const std::string& body, int code, const char* pointer, const char* words) {
    return is_error(call("POST", kWebhooks, body), 400, code, pointer, words);
  };
  EXPECT_TRUE(bad("{}", 10005, "/name", "missing"));
  EXPECT_TRUE(bad(R"({"name": "n"})", 10005, "/url", "missing"));
  EXPECT_TRUE(bad(R"({"name": "", "url": "https://a.b"})", 10005, "/name", "empty"));
  EXPECT_TRUE(bad(R"({"name": "n", "url": 1})", 10005, "/url", "string"));
  EXPECT_TRUE(bad(R"({"name": "n", "url": "https://169.254.1.1"})", 10010, "/url", "169.254.0.0/16"));
  EXPECT_TRUE(bad(R"({"name": "n", "url": "https://a.b", "secret": "a b"})", 10005, "/secret", "ASCII"));
  EXPECT_TRUE(bad(R"({"name": "n", "url": "https://a.b", "secret": "é"})", 10005, "/secret", "ASCII"));
  EXPECT_TRUE(
      bad(R"({"name": "n", "url": "https://a.b", "secret": "a\r\nb: c"})", 10005, "/secret", "control"));
  EXPECT_TRUE(is_error(call("PATCH", kWebhooks), 405, 10005, "", "method"));
}

TEST_F(AlertingTest, CreatingIsSafeToRepeat) {
  const Headers key{{"Idempotency-Key", "k"}};
  const std::string webhook_body = R"({"name": "n", "url": "https://a.b"})";
  const Answer first = call("POST", kWebhooks, webhook_body, key);
  EXPECT_EQ(call("POST", kWebhooks, webhook_body, key).result(), first.result());
  const std::string id = text(first.object().at("id"));
  const Answer policy = call("POST", kPolicies, policy_body(id), key);
  EXPECT_EQ(call("POST", kPolicies, policy_body(id), key).result(), policy.result());
  call("DELETE", kWebhooks + "/" + id);
  EXPECT_TRUE(is_error(call("POST", kWebhooks, webhook_body, key), 409, 10013, "", "deleted"));
}

TEST_F(AlertingTest, SoManyAndNoMore) {
  std::string id;
  for (std::size_t i = 0; i < kMaxWebhooks; ++i) id = new_webhook();
  EXPECT_TRUE(
      is_error(call("POST", kWebhooks, R"({"name": "n", "url": "https://a.b"})"), 400, 10013, "", "64"));
  for (std::size_t i = 0; i < kMaxPolicies; ++i) new_policy(id);
  EXPECT_TRUE(is_error(call("POST", kPolicies, policy_body(id)), 400, 10013, "", "256"));
}

TEST_F(AlertingTest, APolicy) {
  const std::string webhook = new_webhook();
  const std::string id = new_policy(webhook, R"(, "description": "d", "alert_interval": "30m", "filters":
      {"input_id": ["i"], "event_type": ["output.errored"]})");
  const std::string path = kPolicies + "/" + id;
  json::value shown{
      {"id", id},
      {"name", "Policy"},
      {"description", "d"},
      {"enabled", true},
      {"alert_type", "stream_live_notifications"},
      {"filters", {{"input_id", json::array({"i"})}, {"event_type", json::array({"output.errored"})}}},
      {"mechanisms", {{"webhooks", json::array({json::object({{"id", webhook}})})}}},
      {"created", "2023-11-14T22:13:20.123456Z"},
      {"modified", "2023-11-14T22:13:20.123456Z"}};
  EXPECT_EQ(call("GET", path).result(), shown);
  EXPECT_EQ(call("GET", kPolicies).result(), json::array({shown}));
  EXPECT_TRUE(call("PUT", path, R"({"enabled": false, "filters": {"input_id": []}})").ok());
  shown.at("enabled") = false;
  shown.at("filters") = json::object();
  shown.at("modified") = "2023-11-14T22:13:20.123457Z";
  EXPECT_EQ(call("GET", path).result(), shown);
  EXPECT_TRUE(call("DELETE", path).ok());
  for (const char* method : {"GET", "PUT", "DELETE"}) {
    EXPECT_TRUE(is_error(call(method, path), 404, 10003, "", "no notification policy")) << method;
  }
}

TEST_F(AlertingTest, BadPolicies) {
  const std::string webhook = new_webhook();
  const auto bad = [&](const std::string& body, const char* pointer, const char* words) {
    return is_error(call("POST", kPolicies, body), 400, 10005, pointer, words);
  };
  EXPECT_TRUE(bad("{}", "/name", "missing"));
  EXPECT_TRUE(bad(R"({"name": "n", "mechanisms": {}})", "/alert_type", "missing"));
  EXPECT_TRUE(bad(R"({"name": "n", "alert_type": "x"})", "/mechanisms", "missing"));
  EXPECT_TRUE(bad(policy_body("0123"), "/mechanisms/webhooks/0/id", "no webhook destination"));
  EXPECT_TRUE(bad(policy_body(webhook, R"(, "mechanisms": {})"), "/mechanisms/webhooks", "missing"));
  EXPECT_TRUE(
      bad(policy_body(webhook, R"(, "mechanisms": {"webhooks": []})"), "/mechanisms/webhooks", "must name"));
  EXPECT_TRUE(
      bad(policy_body(webhook, R"(, "mechanisms": {"webhooks": ["x"]})"), "/mechanisms/webhooks/0/id", ""));
  EXPECT_TRUE(
      bad(policy_body(webhook, R"(, "mechanisms": {"webhooks": {}})"), "/mechanisms/webhooks", "array"));
  EXPECT_TRUE(bad(policy_body(webhook, R"(, "mechanisms": {"email": [{"id": "a@b.c"}]})"),
                  "/mechanisms/email", "webhooks only"));
  EXPECT_TRUE(bad(policy_body(webhook, R"(, "filters": {"event_type": ["output.connected", "x"]})"),
                  "/filters/event_type/1", "output.retrying"));
  EXPECT_TRUE(bad(policy_body(webhook, R"(, "filters": {"input_id": "i"})"), "/filters/input_id", "array"));
}

TEST_F(AlertingTest, WithoutNotificationsThePathsAreNotThere) {
  parts_ = {};
  remake_api();
  EXPECT_TRUE(is_error(call("GET", kWebhooks), 404, 7003, "", "nothing"));
  EXPECT_TRUE(is_error(call("POST", kPolicies), 404, 7003, "", "nothing"));
}

TEST_F(AlertingTest, EventsGoToThoseWhoWantThem) {
  const std::string all = new_webhook("all");
  const std::string ours = new_webhook("ours");
  const std::string other = new_webhook("other");
  const std::string off = new_webhook("off");
  new_policy(all);
  new_policy(all, R"(, "filters": {"event_type": ["live_input.connected"]})");  // not twice
  new_policy(ours, R"(, "filters": {"event_type": ["output.connected", "live_input.disconnected"]})");
  new_policy(other, R"(, "filters": {"input_id": ["j"]})");
  new_policy(off, R"(, "enabled": false)");
  input(true);
  output("o", media::OutputState::live);
  input(false);
  EXPECT_THAT(waiting(all), ElementsAre("live_input.connected", "live_input.disconnected"));
  EXPECT_THAT(waiting(ours), ElementsAre("output.connected", "live_input.disconnected"));
  EXPECT_THAT(waiting(other), IsEmpty());
  EXPECT_THAT(waiting(off), IsEmpty());
  EXPECT_EQ(bodies(ours)[0].at("name"), "ours");
  EXPECT_EQ(bodies(ours)[0].at("data").at("output_name"), "Tube");
  EXPECT_EQ(bodies(ours)[0].at("text"), "Output \"Tube\" (o) of live input \"Main\" (i) is live");
  EXPECT_EQ(posted_.size(), 2U);  // the first of each
  EXPECT_EQ(posted_[0].url, "https://example.com/x");
}

TEST_F(AlertingTest, ABurstKeepsItsOrder) {
  const std::string webhook = new_webhook();
  new_policy(webhook, R"(, "filters": {"event_type": ["output.connected"]})");
  constexpr int kMany = 2100;
  for (int i = 0; i < kMany; ++i) output(std::to_string(i), media::OutputState::live);
  const auto told = bodies(webhook);
  ASSERT_EQ(told.size(), static_cast<std::size_t>(kMany));
  for (int i = 0; i < kMany; ++i) {
    EXPECT_EQ(text(told[static_cast<std::size_t>(i)].at("data").at("output_id")), std::to_string(i));
  }
}

TEST_F(AlertingTest, ChangedPoliciesActAtOnce) {
  const std::string webhook = new_webhook();
  input(true);
  EXPECT_THAT(waiting(webhook), IsEmpty());
  const std::string policy = new_policy(webhook);
  input(false);
  EXPECT_THAT(waiting(webhook), ElementsAre("live_input.disconnected"));
  call("PUT", kWebhooks + "/" + webhook, R"({"name": "Renamed"})");
  input(true);
  EXPECT_EQ(bodies(webhook).back().at("name"), "Renamed");
  call("DELETE", kPolicies + "/" + policy);
  input(false);
  EXPECT_EQ(waiting(webhook).size(), 2U);
}

TEST_F(AlertingTest, ADeletedOutputIsToldByItsName) {
  const std::string webhook = new_webhook();
  new_policy(webhook, R"(, "filters": {"event_type": ["output.disconnected"]})");
  output("o", media::OutputState::live);
  output("p", media::OutputState::live);
  settle();
  engine_.snapshots[0].outputs.erase(engine_.snapshots[0].outputs.begin());
  notifier_.wanted_changed("i");
  const auto told = bodies(webhook);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].at("data").at("output_id"), "o");
  EXPECT_EQ(told[0].at("data").at("output_name"), "Tube");
  engine_.snapshots.clear();  // the whole input
  notifier_.wanted_changed("i");
  EXPECT_THAT(waiting(webhook), ElementsAre("output.disconnected", "output.disconnected"));
  EXPECT_EQ(bodies(webhook)[1].at("data").at("output_id"), "p");
}

// By the time the hold is over, the figures may be gone.
TEST_F(AlertingTest, AnErrorNamesTheCodecsThatThereWere) {
  const std::string webhook = new_webhook();
  new_policy(webhook, R"(, "filters": {"event_type": ["live_input.errored"]})");
  input(true);
  settle();
  engine_.snapshots[0].stats = media::InputStats{};
  engine_.snapshots[0].stats->video = media::VideoTrack{.codec = "hevc", .profile = {}, .level = {}};
  input(false, media::InputReason::reconnecting);
  settle();
  engine_.snapshots[0].stats.reset();
  input(false, media::InputReason::ttl_exceeded);
  const auto told = bodies(webhook);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].at("data").at("live_input_errored").at("video_codec"), "hevc");
  EXPECT_EQ(told[0].at("data").at("live_input_errored").at("audio_codec"), "");
}

TEST_F(AlertingTest, AStoreThatFailsLosesTheEventAndNothingElse) {
  const std::string webhook = new_webhook();
  new_policy(webhook);
  SQLite::Database(file_.string(), SQLite::OPEN_READWRITE).exec("ALTER TABLE outbox RENAME TO hidden");
  input(true);
  settle();
  EXPECT_THAT(posted_, IsEmpty());
  SQLite::Database(file_.string(), SQLite::OPEN_READWRITE).exec("ALTER TABLE hidden RENAME TO outbox");
  input(false);
  EXPECT_THAT(waiting(webhook), ElementsAre("live_input.disconnected"));
}

// However long a name, and however many webhooks: each transaction is a small one, and between two of them
// the thread does other things.
TEST_F(AlertingTest, ManyNotificationsAreWrittenInSlices) {
  engine_.snapshots[0].name = std::string(std::size_t{1} << 20, 'n');
  std::vector<std::string> webhooks;
  for (std::size_t i = 0; i < kMaxWebhooks; ++i) webhooks.push_back(new_webhook());
  for (const std::string& webhook : webhooks) new_policy(webhook);
  settle();
  constexpr std::size_t kTimes = 10;
  for (std::size_t i = 0; i < kTimes; ++i) {
    input(true);
    input(false);
  }
  io_.restart();
  std::size_t turns = 0;
  std::size_t most_rows = 0;
  std::size_t rows = 0;
  SQLite::Database database(file_.string());
  while (rows < 2 * kTimes * kMaxWebhooks && io_.poll_one() > 0) {
    ++turns;
    const auto now = static_cast<std::size_t>(database.execAndGet("SELECT count(*) FROM outbox").getInt64());
    most_rows = std::max(most_rows, now - rows);
    rows = now;
  }
  EXPECT_EQ(rows, 2 * kTimes * kMaxWebhooks);
  EXPECT_LE(most_rows, Notifier::kMaxTogether + kMaxWebhooks);
  EXPECT_GE(turns, rows / (Notifier::kMaxTogether + kMaxWebhooks));
  EXPECT_LT(database.execAndGet("SELECT sum(length(body)) FROM outbox").getInt64(),
            static_cast<std::int64_t>(rows * 1024));
  EXPECT_EQ(waiting(webhooks[0]).size(), 2 * kTimes);
  EXPECT_EQ(waiting(webhooks[0]).front(), "live_input.connected");
  EXPECT_EQ(waiting(webhooks[0]).back(), "live_input.disconnected");
}

TEST_F(AlertingTest, MoreThanCanBeWrittenIsLost) {
  const std::string webhook = new_webhook();
  new_policy(webhook);
  settle();
  for (std::size_t i = 0; i < Notifier::kMaxUnwritten / 2 + 3; ++i) {
    input(true);
    input(false);
  }
  settle();
  const auto waits = SQLite::Database(file_.string()).execAndGet("SELECT count(*) FROM outbox").getInt64();
  const auto given_up = notifications_.webhook(kAccount, webhook)->given_up;
  EXPECT_EQ(waits + given_up, static_cast<std::int64_t>(Notifier::kMaxUnwritten));
  EXPECT_LE(waits, static_cast<std::int64_t>(OutboxLimits{}.rows));
  // Afterwards all goes on.
  input(true);
  EXPECT_EQ(waiting(webhook).back(), "live_input.connected");
}

TEST_F(AlertingTest, AWebhookSaysHowManyItNeverGot) {
  const std::string webhook = new_webhook();
  notifications_.push({{0, webhook, now_, "1"}, {0, webhook, now_, "2"}, {0, webhook, now_, "3"}},
                      {.rows = 1});
  EXPECT_EQ(call("GET", kWebhooks + "/" + webhook).object().at("given_up"), 2);
}

TEST_F(AlertingTest, APolicyNamesNoMoreThanItMay) {
  const std::string webhook = new_webhook();
  const auto list = [](std::size_t count, const std::string& item) {
    std::string text = item;
    for (std::size_t i = 1; i < count; ++i) text += "," + item;
    return "[" + text + "]";
  };
  const auto answer = [&](const std::string& filters) {
    return call("POST", kPolicies, policy_body(webhook, R"(, "filters": {)" + filters + "}"));
  };
  EXPECT_TRUE(answer(R"("input_id": )" + list(1000, R"("i")")).ok());
  EXPECT_TRUE(is_error(answer(R"("input_id": )" + list(1001, R"("i")")), 400, 10005, "/filters/input_id",
                       "at most 1000"));
  EXPECT_TRUE(is_error(answer(R"("event_type": )" + list(100'000, R"("x")")), 400, 10005,
                       "/filters/event_type", "at most 64"));
  const std::string many = R"({"name": "n", "enabled": true, "alert_type": "stream_live_notifications",
      "mechanisms": {"webhooks": )" +
                           list(kMaxWebhooks + 1, R"({"id": ")" + webhook + R"("})") + "}}";
  EXPECT_TRUE(is_error(call("POST", kPolicies, many), 400, 10005, "/mechanisms/webhooks", "at most 64"));
}

}  // namespace

}  // namespace simulcast::control::test
