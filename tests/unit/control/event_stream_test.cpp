#include "control/api/event_stream.hpp"

#include <gmock/gmock.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>
#include <vector>

#include "api_fixture.hpp"

namespace simulcast::control::test {

namespace asio = boost::asio;
using testing::HasSubstr;
using testing::Not;

namespace {

class EventStreamTest : public ApiTest {
 protected:
  EventStreamTest() { parts_.events = &events_; }

  static inline const std::string kEvents = "/client/v4/accounts/" + kAccount + "/stream/events";

  // Reads one piece after the other.
  struct Reader {
    std::shared_ptr<BodySource> source;
    std::string all;
    bool ended = false;

    // The event that said why it has ended; empty: it has not.
    std::string last_words() const {
      if (!ended) return "";
      const auto at = all.find("event: end\n");
      return at == std::string::npos ? "none" : all.substr(at);
    }
  };
  std::shared_ptr<Reader> read(const Response& response) {
    auto reader = std::make_shared<Reader>(Reader{response.source, "", false});
    asio::co_spawn(io_, read_on(reader), asio::detached);
    settle();
    return reader;
  }
  static asio::awaitable<void> read_on(std::shared_ptr<Reader> reader) {
    while (const Text piece = co_await reader->source->next()) reader->all += *piece;
    reader->ended = true;
  }
  void settle() {
    io_.restart();
    io_.poll();
  }
  // What waits for a client that has not read before; empty: the stream has ended.
  std::string waiting(const Response& response) {
    auto piece = std::make_shared<std::string>("nothing came");
    asio::co_spawn(io_, response.source->next(),
                   [piece](const std::exception_ptr&, const Text& text) { *piece = text ? *text : ""; });
    settle();
    return *piece;
  }
  Response subscribe(const std::string& token, Headers headers = {}, const std::string& query = "") {
    ApiSettings settings;
    settings.account = kAccount;
    Api api(settings, store(), engine_, tokens_, parts_);
    Request request{.method = "GET", .target = kEvents + query, .headers = std::move(headers), .body = ""};
    if (!token.empty()) request.headers.emplace_back("Authorization", "Bearer " + token);
    Response response = api.handle(request);
    EXPECT_TRUE(response.source) << response.text();
    return response;
  }
  void output_says(const std::string& message) {
    media::OutputStatus status;
    status.message = message;
    events_.output_changed("i", "o", status);
  }

  asio::io_context io_{1};
  EventStream events_{io_.get_executor(), engine_};
};

constexpr const char* kToken2 = "another-token";

TEST_F(EventStreamTest, ARevokedTokenEndsItsStreams) {
  tokens_.replace({{kToken, "", false}, {kToken2, "", true}});
  const auto gone = read(subscribe(kToken));
  const auto by_key = read(subscribe("", {{"X-Auth-Email", "a@b"}, {"X-Auth-Key", kToken}}));
  const Response slow = subscribe(kToken);
  const auto stays = read(subscribe(kToken2));
  events_.tokens_changed();  // none has
  output_says("while all may read it");
  settle();
  for (const auto& reader : {gone, by_key, stays}) {
    EXPECT_FALSE(reader->ended);
    EXPECT_THAT(reader->all, HasSubstr("while all may read it"));
  }

  tokens_.replace({{kToken2, "", true}});
  events_.tokens_changed();
  output_says("for those who may read it");
  settle();
  for (const auto& reader : {gone, by_key, read(slow)}) {
    EXPECT_THAT(reader->last_words(), HasSubstr("not valid any more"));
    EXPECT_THAT(reader->all, Not(HasSubstr("for those")));
  }
  EXPECT_FALSE(stays->ended);
  EXPECT_THAT(stays->all, HasSubstr("for those who may read it"));
}

TEST_F(EventStreamTest, ATokenThatIsForAnotherAccountNowIsAsGoodAsNone) {
  const auto stream = read(subscribe(kToken));
  tokens_.replace({{kToken, kAccount, true}});  // it still may read
  events_.tokens_changed();
  settle();
  EXPECT_FALSE(stream->ended);
  tokens_.replace({{kToken, "0123456789abcdef0123456789abcdef", false}});
  events_.tokens_changed();
  settle();
  EXPECT_THAT(stream->last_words(), HasSubstr("not valid any more"));
}

TEST_F(EventStreamTest, OneOfTwoTokensIsEnough) {
  tokens_.replace({{kToken, "", false}, {kToken2, "", true}});
  const auto stream = read(subscribe(kToken, {{"Authorization", std::string("Bearer ") + kToken2}}));
  tokens_.replace({{kToken2, "", true}});
  events_.tokens_changed();
  settle();
  EXPECT_FALSE(stream->ended);
}

// The figures of thousands of outputs have megabytes: they must not be there once for each who is slow.
TEST_F(EventStreamTest, AnEventIsOneTextHoweverManyWait) {
  const Response one = subscribe(kToken);
  const Response two = subscribe(kToken);
  output_says("the first");
  waiting(one);
  waiting(two);
  output_says(std::string(100'000, 'x'));
  std::vector<Text> texts;
  for (const Response* stream : {&one, &two}) {
    asio::co_spawn(io_, stream->source->next(),
                   [&](const std::exception_ptr&, const Text& text) { texts.push_back(text); });
  }
  settle();
  ASSERT_EQ(texts.size(), 2U);
  EXPECT_EQ(texts[0], texts[1]);
  // And so is the state of all, for those who come while it is sent to another.
  const Response three = subscribe(kToken);
  EXPECT_EQ(subscribe(kToken).shared, three.shared);
  output_says("something new");
  EXPECT_NE(subscribe(kToken).shared, three.shared);
}

TEST_F(EventStreamTest, WhoDoesNotReadIsLetGo) {
  const Response stream = subscribe(kToken);
  const std::string words(1 << 20, 'x');
  for (std::size_t i = 0; i < EventStream::kMaxBacklog / words.size() + 1; ++i) output_says(words);
  EXPECT_EQ(waiting(stream), "");
}

// Each is within its own bound, and each waits for events of its own.
TEST_F(EventStreamTest, WhereAllTogetherHaveTooMuchTheSlowestGo) {
  constexpr std::size_t kClients = 32;
  std::vector<Response> streams;
  for (std::size_t i = 0; i < kClients; ++i) {
    streams.push_back(*events_.subscribe("input" + std::to_string(i)));
  }
  media::OutputStatus status;
  status.message = std::string(1 << 20, 'x');
  for (std::size_t i = 0; i < kClients; ++i) {
    events_.output_changed("input" + std::to_string(i), "o", status);
  }
  std::size_t left = 0;
  std::size_t bytes = 0;
  for (const Response& stream : streams) {
    const auto reader = read(stream);
    left += reader->ended ? 0 : 1;
    bytes += reader->all.size();
  }
  EXPECT_GT(left, 0U);
  EXPECT_LT(left, kClients);
  EXPECT_GE(bytes, left << 20);
  EXPECT_LE(bytes, EventStream::kMaxBacklogOfAll);
}

TEST_F(EventStreamTest, SmallEventsGoOutTogetherInTheirOrder) {
  const Response stream = subscribe(kToken);
  for (const char* words : {"one", "two", "three"}) output_says(words);
  const std::string piece = waiting(stream);
  EXPECT_LT(piece.find("\"one\""), piece.find("\"two\""));
  EXPECT_LT(piece.find("\"two\""), piece.find("\"three\""));
  EXPECT_NE(piece.find("\"three\""), std::string::npos);
}

}  // namespace

}  // namespace simulcast::control::test
