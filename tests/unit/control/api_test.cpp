// What holds for every path: routes, methods, ids, credentials, failures inside, health.
#include "control/api/api.hpp"

#include <gmock/gmock.h>

#include "api_fixture.hpp"

namespace simulcast::control::test {

using testing::HasSubstr;

namespace {

class RoutingTest : public ApiTest {
 protected:
  Answer with(const std::string& target, Headers headers, const std::string& method = "GET") {
    return send({method, target, std::move(headers), ""});
  }
};

TEST_F(RoutingTest, SlashesAreForgiven) {
  const std::string uid = new_input();
  const std::string doubled = "//client/v4//accounts/" + kAccount + "/stream//live_inputs/" + uid + "//";
  EXPECT_TRUE(call("GET", input_path(uid) + "/").ok());
  EXPECT_TRUE(call("GET", doubled).ok());
  EXPECT_TRUE(call("GET", kInputs + "/?include_counts=true").ok());
  EXPECT_TRUE(call("GET", "http://relay.example.org" + input_path(uid)).ok());
}

TEST_F(RoutingTest, TooManyRequestsFromOneMachine) {
  settings_.requests_per_second = 2;
  Request request{"GET", "/healthz", {}, ""};
  request.from = boost::asio::ip::make_address("192.0.2.1");
  for (int i = 0; i < 4; ++i) ASSERT_EQ(send(request).status, 200u);
  const Answer answer = send(request);
  EXPECT_TRUE(is_error(answer, 429, 10016, "", "at most 2 a second"));
  EXPECT_EQ(answer.header("Retry-After"), "1");
  // Neither others nor those of this machine have to wait for it.
  request.from = boost::asio::ip::make_address("192.0.2.2");
  EXPECT_EQ(send(request).status, 200u);
  request.from = boost::asio::ip::make_address("192.0.2.1");
  request.from_this_machine = true;
  for (int i = 0; i < 20; ++i) ASSERT_EQ(send(request).status, 200u);
}

TEST_F(RoutingTest, UnknownPaths) {
  for (const std::string path : {"/", "", "/client/v4", "/client/v4/accounts", "/client/v5/healthz", "*",
                                 "host:1", "/client/v4/accounts/x/stream", "/client/v4/user/tokens/verify"}) {
    EXPECT_TRUE(is_error(call("GET", path), 404, 7003, "", "nothing at this path")) << path;
  }
  EXPECT_TRUE(is_error(call("GET", kInputs + "/a/b/c/d"), 404, 7003, "", "nothing at this path"));
  EXPECT_TRUE(is_error(call("GET", "/client/%zz"), 400, 10005, "", "'%'"));
}

TEST_F(RoutingTest, WrongMethods) {
  const std::string uid = new_input();
  Answer answer = call("PATCH", input_path(uid), "{}");
  EXPECT_TRUE(is_error(answer, 405, 10005, "", "method"));
  EXPECT_EQ(answer.header("Allow"), "GET, HEAD, PUT, DELETE, OPTIONS");
  answer = call("DELETE", kInputs);
  EXPECT_TRUE(is_error(answer, 405, 10005, "", "method"));
  EXPECT_EQ(answer.header("Allow"), "GET, HEAD, POST, OPTIONS");
  EXPECT_TRUE(is_error(call("GET", input_path(uid) + "/enable"), 405, 10005, "", "method"));
  EXPECT_TRUE(is_error(call("BREW", "/healthz"), 405, 10005, "", "method"));
}

TEST_F(RoutingTest, HeadAndOptions) {
  EXPECT_TRUE(call("HEAD", kInputs).ok());
  const Answer answer = with(kInputs, {}, "OPTIONS");
  EXPECT_TRUE(answer.ok());
  EXPECT_EQ(answer.header("Allow"), "GET, HEAD, POST, OPTIONS");
}

TEST_F(RoutingTest, Ids) {
  for (const std::string id : {"bad_id", "a.b", "%20", "%2F", "a%00", "012345678901234567890123456789012"}) {
    EXPECT_TRUE(is_error(call("GET", input_path(id)), 400, 10005, "", "1 to 32 characters")) << id;
    EXPECT_TRUE(is_error(call("GET", outputs_path("abc") + "/" + id), 400, 10005, "", "1 to 32 characters"))
        << id;
    EXPECT_TRUE(is_error(call("GET", "/client/v4/accounts/" + id + "/stream/live_inputs"), 400, 10005, "",
                         "1 to 32 characters"))
        << id;
  }
  for (const std::string id : {"a", "01234567890123456789012345678901", "AbC-9"}) {
    EXPECT_TRUE(is_error(call("GET", input_path(id)), 404, 10003, "", "no live input")) << id;
  }
}

TEST_F(RoutingTest, BodyIsJsonWhateverItsTypeSays) {
  const Answer answer = call("POST", kInputs, R"({"meta": {"name": "form"}})",
                             {{"Content-Type", "application/x-www-form-urlencoded"}});
  EXPECT_EQ(answer.object().at("meta").at("name"), "form");
}

// --- Credentials

TEST_F(RoutingTest, GoodCredentials) {
  EXPECT_TRUE(with(kInputs, {{"Authorization", "Bearer " + kToken}}).ok());
  EXPECT_TRUE(with(kInputs, {{"authorization", "bearer   " + kToken + " "}}).ok());
  EXPECT_TRUE(with(kInputs, {{"X-Auth-Email", "a@b"}, {"X-Auth-Key", kToken}}).ok());
  // Any valid one suffices.
  EXPECT_TRUE(
      with(kInputs, {{"Authorization", "Bearer wrong"}, {"x-auth-email", "a@b"}, {"x-auth-key", kToken}})
          .ok());
  EXPECT_TRUE(
      with(kInputs, {{"Authorization", "Bearer " + kToken}, {"X-Auth-Email", "a@b"}, {"X-Auth-Key", "no"}})
          .ok());
}

TEST_F(RoutingTest, BadCredentials) {
  const std::vector<Headers> bad{
      {},
      {{"Authorization", ""}},
      {{"Authorization", "Bearer"}},
      {{"Authorization", "Bearer "}},
      {{"Authorization", "Bearer wrong"}},
      {{"Authorization", kToken}},
      {{"Authorization", "Basic " + kToken}},
      {{"Authorization", "Bearer " + kToken + "x"}},
      {{"Authorization", "Bearer " + kToken.substr(1)}},
      {{"X-Auth-Key", kToken}},
      {{"X-Auth-Email", ""}, {"X-Auth-Key", kToken}},
      {{"X-Auth-Email", "a@b"}, {"X-Auth-Key", ""}},
      {{"X-Auth-Email", kToken}},
  };
  for (const Headers& headers : bad) {
    EXPECT_TRUE(is_error(with(kInputs, headers), 401, 10000, "", "Authentication error"));
  }
  // Nothing is learnt without credentials: neither ids nor accounts.
  EXPECT_EQ(with(input_path("bad_id"), {}).status, 401U);
  EXPECT_EQ(with("/client/v4/accounts/other/stream/live_inputs", {}).status, 401U);
}

TEST_F(RoutingTest, OtherAccount) {
  EXPECT_TRUE(is_error(call("GET", "/client/v4/accounts/0123/stream/live_inputs"), 403, 10000, "",
                       "another account"));
  EXPECT_TRUE(
      is_error(with(kInputs, {{"Authorization", "Bearer other"}}), 403, 10000, "", "not for this account"));
  EXPECT_TRUE(is_error(
      with("/client/v4/accounts/0123456789abcdef/stream/live_inputs", {{"Authorization", "Bearer other"}}),
      403, 10000, "", "another account"));
}

TEST_F(RoutingTest, ReadingOnly) {
  const std::string uid = new_input();
  const Headers reader{{"Authorization", "Bearer reader"}};
  EXPECT_TRUE(with(kInputs, reader).ok());
  EXPECT_TRUE(with(input_path(uid), reader, "HEAD").ok());
  for (const char* method : {"PUT", "DELETE"}) {
    EXPECT_TRUE(is_error(with(input_path(uid), reader, method), 403, 10000, "", "only read")) << method;
  }
  EXPECT_TRUE(is_error(with(input_path(uid) + "/rotate_keys", reader, "POST"), 403, 10000, "", "only read"));
  EXPECT_TRUE(with(input_path(uid) + "/disable",
                   {{"Authorization", "Bearer reader"}, {"X-Auth-Email", "a"}, {"X-Auth-Key", kToken}},
                   "POST")
                  .ok());
}

TEST_F(RoutingTest, TokensAreReplacedWhileRunning) {
  tokens_.replace({{"new", "", false}});
  EXPECT_EQ(call("GET", kInputs).status, 401U);
  EXPECT_TRUE(with(kInputs, {{"Authorization", "Bearer new"}}).ok());
}

TEST_F(RoutingTest, InputsOfAnotherAccountAreNotFound) {
  const std::string uid = new_input();
  LiveInput foreign = *sqlite_.input(kAccount, uid);
  foreign.account = "0123456789abcdef";
  foreign.uid = "fedcba9876543210fedcba9876543210";
  sqlite_.insert_input(foreign, {});
  EXPECT_TRUE(is_error(call("GET", input_path(foreign.uid)), 404, 10003, "", "no live input"));
  EXPECT_TRUE(is_error(call("DELETE", input_path(foreign.uid)), 404, 10003, "", "no live input"));
  EXPECT_EQ(call("GET", kInputs).object().at("total"), 1);
}

// --- A store that fails

class FailingStore final : public Store {
 public:
  [[noreturn]] void fail() const {
    if (kind_) throw StoreError("the cause", *kind_);
    throw std::runtime_error("something else");
  }
  explicit FailingStore(std::optional<StoreError::Kind> kind) : kind_(kind) {}

  std::vector<WantedInput> everything(std::string_view) override { fail(); }
  std::vector<LiveInput> inputs(std::string_view) override { fail(); }
  std::optional<LiveInput> input(std::string_view, std::string_view) override { fail(); }
  InsertResult<LiveInput> insert_input(const LiveInput&, const std::optional<IdempotencyKey>&) override {
    fail();
  }
  bool update_input(const LiveInput&) override { fail(); }
  bool delete_input(std::string_view, std::string_view) override { fail(); }
  std::vector<Output> outputs(std::string_view) override { fail(); }
  std::optional<Output> output(std::string_view, std::string_view) override { fail(); }
  InsertResult<Output> insert_output(const Output&, std::size_t,
                                     const std::optional<IdempotencyKey>&) override {
    fail();
  }
  bool update_output(const Output&) override { fail(); }
  bool delete_output(std::string_view, std::string_view) override { fail(); }
  void check_writable() override { fail(); }

 private:
  std::optional<StoreError::Kind> kind_;
};

class FailingStoreTest : public RoutingTest {
 protected:
  Store& store() override { return failing_; }
  FailingStore failing_{StoreError::Kind::failed};
};

TEST_F(FailingStoreTest, InternalErrorWithAnIdInTheLog) {
  testing::internal::CaptureStdout();
  const Answer answer = call("POST", kInputs, "{}");
  const std::string log = testing::internal::GetCapturedStdout();
  EXPECT_TRUE(is_error(answer, 500, 10000, "", "Internal error"));
  const std::string message(answer.error().at("message").as_string());
  EXPECT_THAT(message, testing::Not(HasSubstr("the cause")));
  const std::string id = message.substr(message.rfind(' ') + 1, 16);
  EXPECT_THAT(id, testing::MatchesRegex("[0-9a-f]{16}"));
  EXPECT_THAT(log, HasSubstr("id=" + id));
  EXPECT_THAT(log, HasSubstr("the cause"));
  EXPECT_TRUE(engine_.changed.empty());
}

TEST_F(FailingStoreTest, AnythingElseThrownToo) {
  failing_ = FailingStore(std::nullopt);
  EXPECT_TRUE(is_error(call("GET", kInputs), 500, 10000, "", "Internal error"));
}

TEST_F(FailingStoreTest, FullDisk) {
  failing_ = FailingStore(StoreError::Kind::full);
  EXPECT_TRUE(is_error(call("POST", kInputs, "{}"), 507, 10000, "", "disk is full"));
  EXPECT_TRUE(is_error(with("/readyz", {}), 503, 10000, "", "disk of the store is full"));
}

TEST_F(FailingStoreTest, NotReadyButAlive) {
  EXPECT_TRUE(with("/healthz", {}).ok());
  EXPECT_TRUE(is_error(with("/readyz", {}), 503, 10000, "", "store is not writable"));
}

// --- Health

TEST_F(RoutingTest, HealthAndReadinessWithoutCredentials) {
  for (const std::string prefix : {"", "/client/v4"}) {
    EXPECT_EQ(with(prefix + "/healthz", {}).result(), json::value({{"status", "ok"}}));
    EXPECT_EQ(with(prefix + "/readyz", {}).result(), json::value({{"status", "ready"}}));
    EXPECT_TRUE(is_error(with(prefix + "/abc/lifecycle", {}), 404, 10003, "", "no live input"));
  }
  engine_.problem = "shard 1 has stalled";
  EXPECT_TRUE(is_error(with("/readyz", {}), 503, 10000, "", "shard 1 has stalled"));
  EXPECT_TRUE(with("/healthz", {}).ok());
}

// A store in front of the real one that changes the record under the caller's feet, once or always.
class RacingStore final : public Store {
 public:
  explicit RacingStore(Store& store) : store_(store) {}
  int races = 1;

  std::vector<WantedInput> everything(std::string_view account) override {
    return store_.everything(account);
  }
  std::vector<LiveInput> inputs(std::string_view account) override { return store_.inputs(account); }
  std::optional<LiveInput> input(std::string_view account, std::string_view uid) override {
    return store_.input(account, uid);
  }
  InsertResult<LiveInput> insert_input(const LiveInput& input,
                                       const std::optional<IdempotencyKey>& key) override {
    return store_.insert_input(input, key);
  }
  bool update_input(const LiveInput& input) override {
    if (races-- > 0) {
      LiveInput other = *store_.input(input.account, input.uid);
      other.default_creator += "x";
      store_.update_input(other);
    }
    return store_.update_input(input);
  }
  bool delete_input(std::string_view account, std::string_view uid) override {
    return store_.delete_input(account, uid);
  }
  std::vector<Output> outputs(std::string_view input) override { return store_.outputs(input); }
  std::optional<Output> output(std::string_view input, std::string_view uid) override {
    return store_.output(input, uid);
  }
  InsertResult<Output> insert_output(const Output& output, std::size_t limit,
                                     const std::optional<IdempotencyKey>& key) override {
    return store_.insert_output(output, limit, key);
  }
  bool update_output(const Output& output) override { return store_.update_output(output); }
  bool delete_output(std::string_view input, std::string_view uid) override {
    return store_.delete_output(input, uid);
  }
  void check_writable() override { store_.check_writable(); }

 private:
  Store& store_;
};

class RacingStoreTest : public RoutingTest {
 protected:
  Store& store() override { return racing_; }
  RacingStore racing_{sqlite_};
};

TEST_F(RacingStoreTest, LostRaceIsRunAgain) {
  const std::string uid = new_input();
  EXPECT_TRUE(call("PUT", input_path(uid), R"({"enabled": false})").ok());
  EXPECT_EQ(sqlite_.input(kAccount, uid)->default_creator, "x");
  EXPECT_EQ(sqlite_.input(kAccount, uid)->enabled, false);
}

TEST_F(RacingStoreTest, EndlessRaceIsGivenUp) {
  const std::string uid = new_input();
  racing_.races = 1000;
  EXPECT_TRUE(
      is_error(call("PUT", input_path(uid), R"({"enabled": false})"), 500, 10000, "", "Internal error"));
}

}  // namespace

}  // namespace simulcast::control::test
