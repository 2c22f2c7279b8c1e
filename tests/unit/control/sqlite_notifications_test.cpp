#include "control/store/sqlite_notifications.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>
#include <sys/resource.h>

#include <csignal>

#include "api_fixture.hpp"

namespace simulcast::control::test {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

namespace {

const Timestamp kNow{std::chrono::microseconds(1'700'000'000'123'456)};

Webhook webhook(const std::string& id) {
  Webhook webhook;
  webhook.account = kAccount;
  webhook.id = id;
  webhook.created = kNow;
  webhook.name = "name of " + id;
  webhook.url = "https://example.com/" + id;
  webhook.secret = "secret of " + id;
  return webhook;
}

Policy policy(const std::string& id, std::vector<std::string> webhooks) {
  return {.account = kAccount,
          .id = id,
          .created = kNow,
          .modified = kNow + std::chrono::microseconds(1),
          .name = "name",
          .description = "description",
          .enabled = false,
          .input_ids = {"i", "j"},
          .event_types = {"output.errored"},
          .webhooks = std::move(webhooks)};
}

class SqliteNotificationsTest : public testing::Test {
 protected:
  SqliteNotificationsTest() { open(); }

  void open() {
    store_.reset();
    sqlite_.reset();
    sqlite_ = std::make_unique<SqliteStore>(file_);
    store_ = std::make_unique<SqliteNotifications>(sqlite_->database());
  }
  void add(const std::string& id) { store_->insert_webhook(webhook(id), 100, {}); }
  void push(const std::string& id, const std::string& body, OutboxLimits limits = {}) {
    given_up_ = store_->push({{0, id, kNow, body}}, limits);
  }
  std::vector<std::string> bodies(const std::string& id) {
    std::vector<std::string> bodies;
    std::int64_t behind = 0;
    while (const auto delivery = store_->next_delivery(id, behind)) {
      bodies.push_back(delivery->body);
      behind = delivery->sequence;
    }
    return bodies;
  }

  TemporaryDirectory directory_;
  std::filesystem::path file_ = directory_.path() / "simulcastd.db";
  std::unique_ptr<SqliteStore> sqlite_;
  std::unique_ptr<SqliteNotifications> store_;
  NotificationStore::GivenUp given_up_;
};

TEST_F(SqliteNotificationsTest, EveryMemberSurvivesReopening) {
  for (const char* id : {"b", "a"}) add(id);
  store_->insert_policy(policy("p", {"a", "b"}), 100, {});
  store_->delivered("a", 0, kNow);
  store_->failed("a", kNow + std::chrono::seconds(1));
  open();
  Webhook a = webhook("a");
  a.last_success = kNow;
  a.last_failure = kNow + std::chrono::seconds(1);
  EXPECT_EQ(store_->webhook(kAccount, "a"), a);
  EXPECT_THAT(store_->webhooks(kAccount), ElementsAre(webhook("b"), a));
  EXPECT_EQ(store_->policy(kAccount, "p"), policy("p", {"a", "b"}));
  EXPECT_THAT(store_->policies(kAccount), ElementsAre(policy("p", {"a", "b"})));
  EXPECT_FALSE(store_->webhook("other", "a"));
  EXPECT_FALSE(store_->policy("other", "p"));
  EXPECT_THAT(store_->webhooks("other"), IsEmpty());
}

TEST_F(SqliteNotificationsTest, Updates) {
  add("a");
  add("b");
  store_->insert_policy(policy("p", {"a"}), 100, {});
  Webhook changed = webhook("a");
  changed.name = "another";
  changed.secret.clear();
  EXPECT_TRUE(store_->update_webhook(changed));
  EXPECT_EQ(store_->webhook(kAccount, "a"), changed);
  Policy other = policy("p", {"b", "a"});
  other.enabled = true;
  other.input_ids.clear();
  EXPECT_TRUE(store_->update_policy(other));
  EXPECT_EQ(store_->policy(kAccount, "p"), other);
  EXPECT_FALSE(store_->update_webhook(webhook("absent")));
  EXPECT_FALSE(store_->update_policy(policy("absent", {})));
}

TEST_F(SqliteNotificationsTest, ADeletedWebhookTakesItsDeliveriesAndLeavesPolicies) {
  for (const char* id : {"a", "b"}) {
    add(id);
    push(id, id);
  }
  store_->insert_policy(policy("p", {"a", "b"}), 100, {});
  EXPECT_FALSE(store_->delete_webhook("other", "a"));
  EXPECT_TRUE(store_->delete_webhook(kAccount, "a"));
  EXPECT_FALSE(store_->delete_webhook(kAccount, "a"));
  EXPECT_THAT(store_->policy(kAccount, "p")->webhooks, ElementsAre("b"));
  EXPECT_THAT(bodies("a"), IsEmpty());
  EXPECT_THAT(store_->webhooks_with_deliveries(kAccount), ElementsAre("b"));
  push("a", "late");  // for one that is gone
  EXPECT_THAT(bodies("a"), IsEmpty());
  EXPECT_TRUE(store_->delete_policy(kAccount, "p"));
  EXPECT_FALSE(store_->delete_policy(kAccount, "p"));
}

TEST_F(SqliteNotificationsTest, LimitsAndKeys) {
  const IdempotencyKey key{"k", kNow};
  EXPECT_EQ(store_->insert_webhook(webhook("a"), 1, key).outcome, InsertOutcome::inserted);
  EXPECT_EQ(store_->insert_webhook(webhook("b"), 1, {}).outcome, InsertOutcome::limit_reached);
  const auto again = store_->insert_webhook(webhook("b"), 1, key);
  EXPECT_EQ(again.outcome, InsertOutcome::repeated);
  EXPECT_EQ(again.record, webhook("a"));
  EXPECT_EQ(store_->insert_policy(policy("p", {"a"}), 1, key).outcome, InsertOutcome::inserted);
  EXPECT_EQ(store_->insert_policy(policy("q", {"a"}), 1, {}).outcome, InsertOutcome::limit_reached);
  EXPECT_EQ(store_->insert_policy(policy("q", {"a"}), 1, key).record, policy("p", {"a"}));
  store_->delete_policy(kAccount, "p");
  EXPECT_EQ(store_->insert_policy(policy("q", {"a"}), 1, key).outcome, InsertOutcome::gone);
}

TEST_F(SqliteNotificationsTest, TheOutboxKeepsOrderOverReopening) {
  add("a");
  add("b");
  EXPECT_THAT(store_->webhooks_with_deliveries(kAccount), IsEmpty());
  store_->push({{0, "a", kNow, "1"}, {0, "b", kNow, "2"}, {0, "a", kNow, "3"}}, {});
  push("a", "4");
  open();
  EXPECT_THAT(bodies("a"), ElementsAre("1", "3", "4"));
  EXPECT_THAT(bodies("b"), ElementsAre("2"));
  const auto second = store_->next_delivery("a", store_->next_delivery("a", 0)->sequence);
  EXPECT_EQ(second->created, kNow);
  store_->delivered("a", second->sequence, kNow);
  EXPECT_THAT(bodies("a"), ElementsAre("4"));
  EXPECT_THAT(bodies("b"), ElementsAre("2"));
  EXPECT_EQ(store_->webhook(kAccount, "a")->last_success, kNow);
}

// Not even of what is delivered: receivers tell by it what they have seen.
TEST_F(SqliteNotificationsTest, NumbersAreNotUsedTwice) {
  add("a");
  push("a", "1");
  const std::int64_t first = store_->next_delivery("a", 0)->sequence;
  store_->delivered("a", first, kNow);
  open();
  push("a", "2");
  EXPECT_GT(store_->next_delivery("a", 0)->sequence, first);
}

TEST_F(SqliteNotificationsTest, BeyondTheLimitTheOldestGo) {
  add("a");
  add("b");
  push("b", "other");
  for (int i = 1; i <= 3; ++i) {
    push("a", std::to_string(i), {.rows = 3});
    EXPECT_THAT(given_up_, IsEmpty());
  }
  push("a", "4", {.rows = 3});
  EXPECT_THAT(given_up_, ElementsAre(Pair("a", 1)));
  EXPECT_THAT(bodies("a"), ElementsAre("2", "3", "4"));
  EXPECT_THAT(store_->push({{0, "a", kNow, "5"}, {0, "a", kNow, "6"}}, {.rows = 1}),
              ElementsAre(Pair("a", 4)));
  EXPECT_THAT(bodies("a"), ElementsAre("6"));
  EXPECT_THAT(bodies("b"), ElementsAre("other"));
  EXPECT_EQ(store_->webhook(kAccount, "a")->given_up, 5);
  EXPECT_EQ(store_->webhook(kAccount, "b")->given_up, 0);
}

// However few they are: a body may be long.
TEST_F(SqliteNotificationsTest, BeyondTheLimitOfBytesTheOldestGo) {
  add("a");
  add("b");
  const OutboxLimits limits{.bytes = 10};
  push("b", "other", limits);
  push("a", "12345", limits);
  push("a", "67890", limits);
  EXPECT_THAT(given_up_, IsEmpty());
  push("a", "x", limits);
  EXPECT_THAT(given_up_, ElementsAre(Pair("a", 1)));
  EXPECT_THAT(bodies("a"), ElementsAre("67890", "x"));
  // Bytes, not characters.
  push("a", "\u00e4\u00e4\u00e4", limits);
  EXPECT_THAT(bodies("a"), ElementsAre("x", "\u00e4\u00e4\u00e4"));
  push("a", "longer than all of it", limits);
  EXPECT_THAT(bodies("a"), IsEmpty());
  EXPECT_THAT(bodies("b"), ElementsAre("other"));
  EXPECT_EQ(store_->webhook(kAccount, "a")->given_up, 5);
}

TEST_F(SqliteNotificationsTest, WhereAllHaveTooMuchTheFullestLosesItsOldest) {
  for (const char* id : {"a", "b", "c"}) add(id);
  const OutboxLimits limits{.bytes_of_all = 10};
  push("a", "1", limits);
  for (const char* body : {"222", "333"}) push("b", body, limits);
  push("c", "44", limits);
  EXPECT_THAT(given_up_, IsEmpty());
  push("c", "55", limits);
  EXPECT_THAT(given_up_, ElementsAre(Pair("b", 1)));
  EXPECT_THAT(bodies("a"), ElementsAre("1"));
  EXPECT_THAT(bodies("b"), ElementsAre("333"));
  EXPECT_THAT(bodies("c"), ElementsAre("44", "55"));
}

// What has been delivered, dropped or deleted counts no more, nor what another run has left counts less.
TEST_F(SqliteNotificationsTest, WhatWaitsIsCountedRight) {
  for (const char* id : {"a", "b", "c"}) add(id);
  const OutboxLimits limits{.bytes = 6, .bytes_of_all = 9};
  push("a", "111", limits);
  push("a", "222", limits);
  store_->delivered("a", store_->next_delivery("a", 0)->sequence, kNow);
  push("a", "333", limits);
  EXPECT_THAT(given_up_, IsEmpty());
  store_->drop_deliveries("a", kNow);
  push("b", "444", limits);
  push("b", "555", limits);
  EXPECT_THAT(given_up_, IsEmpty());
  store_->delete_webhook(kAccount, "b");
  push("c", "666", limits);
  push("c", "777", limits);
  EXPECT_THAT(given_up_, IsEmpty());
  open();
  push("c", "888", limits);
  EXPECT_THAT(given_up_, ElementsAre(Pair("c", 1)));
  EXPECT_THAT(bodies("c"), ElementsAre("777", "888"));
  EXPECT_EQ(store_->webhook(kAccount, "a")->given_up, 2);
}

TEST_F(SqliteNotificationsTest, OldOnesAreDropped) {
  add("a");
  push("a", "old");
  store_->push({{0, "a", kNow + std::chrono::microseconds(1), "new"}}, {});
  EXPECT_EQ(store_->drop_deliveries("a", kNow - std::chrono::microseconds(1)), 0U);
  EXPECT_EQ(store_->drop_deliveries("a", kNow), 1U);
  EXPECT_THAT(bodies("a"), ElementsAre("new"));
}

TEST_F(SqliteNotificationsTest, DamagedPolicyIsToldInWords) {
  add("a");
  store_->insert_policy(policy("p", {"a"}), 100, {});
  SQLite::Database(file_.string(), SQLite::OPEN_READWRITE).exec("UPDATE policies SET event_types = '{'");
  try {
    store_->policies(kAccount);
    FAIL() << "it was read";
  } catch (const StoreError& error) {
    EXPECT_THAT(error.what(),
                testing::HasSubstr("the record of policy p is damaged: its event_types makes no sense"));
    EXPECT_EQ(error.kind(), StoreError::Kind::damaged);
  }
}

// The wanted state of the schema before is all there afterwards.
TEST_F(SqliteNotificationsTest, ADatabaseOfTheSchemaBeforeIsBroughtUpToDate) {
  LiveInput input;
  input.account = kAccount;
  input.uid = "i";
  sqlite_->insert_input(input, {});
  store_.reset();
  sqlite_.reset();
  SQLite::Database(file_.string(), SQLite::OPEN_READWRITE)
      .exec(
          "DROP TABLE outbox; DROP TABLE policy_webhooks; DROP TABLE policies; DROP TABLE webhooks; "
          "PRAGMA user_version = 1");
  open();
  EXPECT_EQ(sqlite_->input(kAccount, "i"), input);
  add("a");
  EXPECT_EQ(store_->webhooks(kAccount).size(), 1U);
}

TEST_F(SqliteNotificationsTest, FailedWriteLeavesEverythingAsItWas) {
  add("a");
  push("a", "1");
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit none = before;
  none.rlim_cur = 0;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &none), 0);
  EXPECT_THROW(push("a", "2"), StoreError);
  EXPECT_THROW(store_->delivered("a", 1, kNow), StoreError);
  EXPECT_THROW(add("b"), StoreError);
  EXPECT_THAT(bodies("a"), ElementsAre("1"));
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, old_handler);
  push("a", "2");
  EXPECT_THAT(bodies("a"), ElementsAre("1", "2"));
}

}  // namespace

}  // namespace simulcast::control::test
