#include "control/notifications/webhook_delivery.hpp"

#include <gmock/gmock.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <set>
#include <thread>

#include "api_fixture.hpp"
#include "control/store/sqlite_notifications.hpp"

namespace simulcast::control::test {

namespace asio = boost::asio;
using testing::Each;
using testing::ElementsAre;
using Steady = std::chrono::steady_clock;

namespace {

// A store whose writes of what became of a delivery may fail.
class FlakyNotifications final : public NotificationStore {
 public:
  explicit FlakyNotifications(NotificationStore& store) : store_(store) {}
  bool broken = false;

  std::vector<Webhook> webhooks(std::string_view account) override { return store_.webhooks(account); }
  std::optional<Webhook> webhook(std::string_view account, std::string_view id) override {
    return store_.webhook(account, id);
  }
  InsertResult<Webhook> insert_webhook(const Webhook& webhook, std::size_t limit,
                                       const std::optional<IdempotencyKey>& key) override {
    return store_.insert_webhook(webhook, limit, key);
  }
  bool update_webhook(const Webhook& webhook) override { return store_.update_webhook(webhook); }
  bool delete_webhook(std::string_view account, std::string_view id) override {
    return store_.delete_webhook(account, id);
  }
  std::vector<Policy> policies(std::string_view account) override { return store_.policies(account); }
  std::optional<Policy> policy(std::string_view account, std::string_view id) override {
    return store_.policy(account, id);
  }
  InsertResult<Policy> insert_policy(const Policy& policy, std::size_t limit,
                                     const std::optional<IdempotencyKey>& key) override {
    return store_.insert_policy(policy, limit, key);
  }
  bool update_policy(const Policy& policy) override { return store_.update_policy(policy); }
  bool delete_policy(std::string_view account, std::string_view id) override {
    return store_.delete_policy(account, id);
  }
  GivenUp push(const std::vector<Delivery>& deliveries, const OutboxLimits& limits) override {
    return store_.push(deliveries, limits);
  }
  std::vector<std::string> webhooks_with_deliveries(std::string_view account) override {
    return store_.webhooks_with_deliveries(account);
  }
  std::optional<Delivery> next_delivery(std::string_view webhook, std::int64_t behind) override {
    return store_.next_delivery(webhook, behind);
  }
  void delivered(std::string_view webhook, std::int64_t sequence, Timestamp now) override {
    fail_if_broken();
    store_.delivered(webhook, sequence, now);
  }
  void failed(std::string_view webhook, Timestamp now) override {
    fail_if_broken();
    store_.failed(webhook, now);
  }
  std::size_t drop_deliveries(std::string_view webhook, Timestamp time) override {
    fail_if_broken();
    return store_.drop_deliveries(webhook, time);
  }

 private:
  void fail_if_broken() const {
    if (broken) throw StoreError("the disk is full", StoreError::Kind::full);
  }

  NotificationStore& store_;
};

class WebhookDeliveryTest : public testing::Test {
 protected:
  static constexpr std::chrono::milliseconds kFirst{20};
  static constexpr std::chrono::milliseconds kLongest{80};

  WebhookDeliveryTest() { make(); }

  void make() {
    delivery_.reset();
    delivery_ = std::make_unique<WebhookDelivery>(
        io_.get_executor(), store_, [this](WebhookRequest request) { return post(std::move(request)); },
        WebhookDelivery::Settings{.account = kAccount,
                                  .first_wait = kFirst,
                                  .longest_wait = kLongest,
                                  .give_up_after = std::chrono::hours(24),
                                  .now = [this] { return now_; }});
  }

  // Its URL is its id.
  void add(const std::string& id) {
    Webhook webhook;
    webhook.account = kAccount;
    webhook.id = webhook.url = id;
    webhook.secret = "secret of " + id;
    store_.insert_webhook(webhook, 1000, {});
  }
  void push(const std::string& id, const std::string& body) {
    store_.push({{0, id, now_, body}}, {});
    delivery_->wake(id);
  }
  bool waits(const std::string& id) { return store_.next_delivery(id, 0).has_value(); }

  // Answers as `failure_` says; a URL in `deaf_` gets no answer before it is out of it again.
  asio::awaitable<WebhookAnswer> post(WebhookRequest request) {
    requests_.push_back(request);
    times_.push_back(Steady::now());
    const int asked = ++asked_[request.url];
    while (deaf_.contains(request.url) || (deaf_when_asked_again_ && asked > 1)) {
      asio::steady_timer tick(io_, std::chrono::milliseconds(1));
      co_await tick.async_wait(asio::as_tuple(asio::use_awaitable));
    }
    co_return WebhookAnswer{.status = 0, .failure = failure_};
  }

  template <class Condition>
  void run_until(Condition condition) {
    const auto deadline = Steady::now() + std::chrono::seconds(30);
    while (!condition()) {
      ASSERT_LT(Steady::now(), deadline);
      io_.restart();
      io_.run_one_for(std::chrono::milliseconds(1));
    }
  }
  // As long as there is something to do at once.
  void settle() {
    io_.restart();
    while (io_.poll() > 0) {
    }
  }
  std::vector<std::string> bodies() const {
    std::vector<std::string> bodies;
    for (const auto& request : requests_) bodies.push_back(request.body);
    return bodies;
  }

  TemporaryDirectory directory_;
  SqliteStore sqlite_{directory_.path() / "simulcastd.db"};
  SqliteNotifications notifications_{sqlite_.database()};
  FlakyNotifications store_{notifications_};
  Timestamp now_{std::chrono::microseconds(1'700'000'000'000'000)};
  asio::io_context io_{1};
  std::set<std::string> deaf_;
  bool deaf_when_asked_again_ = false;
  std::map<std::string, int> asked_;  // by URL
  std::string failure_;
  std::vector<WebhookRequest> requests_;
  std::vector<Steady::time_point> times_;
  std::unique_ptr<WebhookDelivery> delivery_;
};

TEST_F(WebhookDeliveryTest, SendsInOrderAndEmptiesTheOutbox) {
  add("a");
  for (const char* body : {"1", "2", "3"}) push("a", body);
  settle();
  EXPECT_THAT(bodies(), ElementsAre("1", "2", "3"));
  EXPECT_EQ(requests_[0].url, "a");
  EXPECT_EQ(requests_[0].secret, "secret of a");
  EXPECT_LT(requests_[0].delivery, requests_[1].delivery);
  EXPECT_FALSE(waits("a"));
  EXPECT_EQ(store_.webhook(kAccount, "a")->last_success, now_);
  EXPECT_FALSE(store_.webhook(kAccount, "a")->last_failure);
  push("a", "4");
  settle();
  EXPECT_THAT(bodies(), ElementsAre("1", "2", "3", "4"));
}

TEST_F(WebhookDeliveryTest, AFailedOneIsTriedAgainBeforeAllOthers) {
  add("a");
  failure_ = "no";
  push("a", "1");
  push("a", "2");
  run_until([&] { return requests_.size() == 5; });
  EXPECT_THAT(bodies(), Each("1"));
  for (const auto& request : requests_) EXPECT_EQ(request.delivery, requests_[0].delivery);
  // Only as a lower bound: a busy machine may take longer.
  EXPECT_GE(times_[1] - times_[0], kFirst);
  EXPECT_GE(times_[2] - times_[1], 2 * kFirst);
  EXPECT_GE(times_[3] - times_[2], kLongest);
  EXPECT_GE(times_[4] - times_[3], kLongest);
  EXPECT_EQ(store_.webhook(kAccount, "a")->last_failure, now_);
  failure_.clear();
  run_until([&] { return !waits("a"); });
  EXPECT_EQ(bodies().back(), "2");
}

TEST_F(WebhookDeliveryTest, OneRequestAtATimeToEach) {
  add("a");
  deaf_ = {"a"};
  push("a", "1");
  push("a", "2");
  settle();
  EXPECT_EQ(requests_.size(), 1U);
  deaf_.clear();
  run_until([&] { return !waits("a"); });
  EXPECT_THAT(bodies(), ElementsAre("1", "2"));
}

TEST_F(WebhookDeliveryTest, SoManyAltogether) {
  for (std::size_t i = 0; i < WebhookDelivery::kAtOnce + 4; ++i) {
    const std::string id = std::to_string(i);
    add(id);
    deaf_.insert(id);
    push(id, id);
  }
  settle();
  EXPECT_EQ(requests_.size(), WebhookDelivery::kAtOnce);
  deaf_.erase("0");
  run_until([&] { return requests_.size() > WebhookDelivery::kAtOnce; });
  EXPECT_EQ(requests_.size(), WebhookDelivery::kAtOnce + 1);
  deaf_.clear();
  run_until([&] { return store_.webhooks_with_deliveries(kAccount).empty(); });
}

TEST_F(WebhookDeliveryTest, ThoseThatFailLeaveRoomForTheOthers) {
  constexpr std::size_t kFailing = WebhookDelivery::kAtOnce + 4;
  failure_ = "no";
  deaf_when_asked_again_ = true;
  for (std::size_t i = 0; i < kFailing; ++i) {
    const std::string id = std::to_string(i);
    add(id);
    push(id, id);
  }
  constexpr std::size_t kMost = kFailing + WebhookDelivery::kFailingAtOnce;
  run_until([&] { return requests_.size() == kMost; });
  std::this_thread::sleep_for(2 * kFirst);  // all of them want to be asked again by now
  settle();
  EXPECT_EQ(requests_.size(), kMost);
  failure_.clear();
  add("good");
  push("good", "good");
  run_until([&] { return !waits("good"); });
}

TEST_F(WebhookDeliveryTest, StartsWithWhatAnEarlierRunHasLeft) {
  add("a");
  add("b");
  deaf_ = {"a"};
  push("a", "1");
  settle();
  make();  // the request of before is forgotten
  deaf_.clear();
  settle();
  requests_.clear();
  delivery_->start();
  run_until([&] { return !waits("a"); });
  EXPECT_THAT(bodies(), ElementsAre("1"));
}

TEST_F(WebhookDeliveryTest, GivesUpAfterADay) {
  add("a");
  push("a", "old");
  now_ += std::chrono::hours(23);
  push("a", "younger");
  failure_ = "no";
  now_ += std::chrono::minutes(59);
  run_until([&] { return requests_.size() == 2; });
  EXPECT_THAT(bodies(), Each("old"));
  now_ += std::chrono::minutes(1);
  run_until([&] { return requests_.size() == 4; });
  EXPECT_THAT(bodies(), ElementsAre("old", "old", "old", "younger"));
}

// Also after a day in which the daemon did not run.
TEST_F(WebhookDeliveryTest, NothingIsGivenUpUntried) {
  add("a");
  push("a", "old");
  now_ += std::chrono::hours(48);
  settle();
  EXPECT_THAT(bodies(), ElementsAre("old"));
  EXPECT_FALSE(waits("a"));
}

TEST_F(WebhookDeliveryTest, AChangedOneIsAskedAtOnce) {
  delivery_.reset();
  WebhookDelivery delivery(io_.get_executor(), store_,
                           [this](WebhookRequest request) { return post(std::move(request)); },
                           {.account = kAccount,
                            .first_wait = std::chrono::hours(1),
                            .longest_wait = std::chrono::hours(1),
                            .give_up_after = std::chrono::hours(24),
                            .now = [this] { return now_; }});
  add("a");
  failure_ = "no";
  store_.push({{0, "a", now_, "1"}}, {});
  delivery.changed("a");  // not known yet
  delivery.wake("a");
  settle();
  delivery.wake("a");  // does not end the wait
  settle();
  EXPECT_EQ(requests_.size(), 1U);
  failure_.clear();
  Webhook moved = *store_.webhook(kAccount, "a");
  moved.url = "elsewhere";
  store_.update_webhook(moved);
  delivery.changed("a");
  settle();
  ASSERT_EQ(requests_.size(), 2U);
  EXPECT_EQ(requests_[1].url, "elsewhere");
  EXPECT_FALSE(waits("a"));
}

TEST_F(WebhookDeliveryTest, ADeletedOneIsNotAskedAgain) {
  for (const char* id : {"waits", "busy", "queued"}) add(id);
  failure_ = "no";
  push("waits", "1");
  settle();
  deaf_ = {"busy"};
  push("busy", "2");
  settle();
  push("queued", "3");
  for (const char* id : {"waits", "busy", "queued"}) {
    store_.delete_webhook(kAccount, id);
    delivery_->deleted(id);
  }
  const std::size_t before = requests_.size();
  deaf_.clear();
  settle();
  add("later");
  failure_.clear();
  push("later", "4");
  run_until([&] { return !waits("later"); });
  std::this_thread::sleep_for(2 * kFirst);
  settle();
  requests_.erase(requests_.begin(), requests_.begin() + static_cast<std::ptrdiff_t>(before));
  EXPECT_THAT(bodies(), ElementsAre("4"));
}

// It was accepted: asking again would be twice. And the next one is not held up.
TEST_F(WebhookDeliveryTest, WhatTheStoreCannotNoteIsNotSentAgain) {
  add("a");
  store_.broken = true;
  push("a", "1");
  push("a", "2");
  settle();
  EXPECT_THAT(bodies(), ElementsAre("1", "2"));
  store_.broken = false;
  push("a", "3");
  settle();
  EXPECT_THAT(bodies(), ElementsAre("1", "2", "3"));
  EXPECT_FALSE(waits("a"));
}

TEST_F(WebhookDeliveryTest, AFailureThatTheStoreCannotNoteIsTriedAgain) {
  add("a");
  store_.broken = true;
  failure_ = "no";
  push("a", "1");
  run_until([&] { return requests_.size() == 3; });
  EXPECT_THAT(bodies(), Each("1"));
}

}  // namespace

}  // namespace simulcast::control::test
