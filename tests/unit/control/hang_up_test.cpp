// Answers that take their time: given up when nobody waits for them any more.
#include "control/http/hang_up.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <stdexcept>

#include "http_fixture.hpp"

namespace simulcast::control::test {

namespace {

constexpr std::string_view kSlow = "GET /slow HTTP/1.1\r\nHost: h\r\n\r\n";
constexpr std::string_view kBroken = "GET /broken HTTP/1.1\r\nHost: h\r\n\r\n";

class HangUpTest : public HttpServerTest {
 protected:
  Response handle(const Request& request) override {
    if (request.target == "/x") return HttpServerTest::handle(request);
    Response response;
    response.later = [this, broken = request.target == "/broken"] { return wait(broken); };
    return response;
  }

  asio::awaitable<Response> wait(bool broken) {
    const End end{*this};
    ++begun_;
    asio::steady_timer timer(co_await asio::this_coro::executor);
    while (!released_) {
      timer.expires_after(std::chrono::milliseconds(1));
      co_await timer.async_wait(asio::use_awaitable);
    }
    if (broken) throw std::runtime_error("broken");
    Response response{.status = 200, .body = "slow", .headers = {}};
    co_return response;
  }

  struct End {
    HangUpTest& test;
    ~End() { ++test.ended_; }
  };

  static bool reaches(const std::atomic<int>& count, int wanted) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (count < wanted && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return count == wanted;
  }

  std::atomic<bool> released_ = false;
  std::atomic<int> begun_ = 0;
  std::atomic<int> ended_ = 0;
};

TEST_F(HangUpTest, AnAnswerThatNobodyWaitsForIsGivenUp) {
  start();
  for (int i = 0; i < 3; ++i) {
    RawClient client(port_);
    client.send(kSlow);
    ASSERT_TRUE(reaches(begun_, i + 1));
    EXPECT_EQ(ended_, i);
  }
  EXPECT_TRUE(reaches(ended_, 3));
  EXPECT_EQ(status_when_free(), 200);
}

// What is unread in front of the end hides it from whoever only reads.
TEST_F(HangUpTest, AlsoBehindAFurtherRequest) {
  start();
  {
    RawClient client(port_);
    client.send(std::string(kSlow));
    ASSERT_TRUE(reaches(begun_, 1));
    client.send(kGet);
  }
  EXPECT_TRUE(reaches(ended_, 1));
}

TEST_F(HangUpTest, AFurtherRequestIsNoHangUp) {
  RawClient client(start());
  client.send(std::string(kSlow) + std::string(kGet));
  ASSERT_TRUE(reaches(begun_, 1));
  client.send(kGet);
  released_ = true;
  EXPECT_EQ(client.read_answer().body, "slow");
  EXPECT_EQ(client.read_answer().status, 200);
  EXPECT_EQ(client.read_answer().status, 200);
}

TEST_F(HangUpTest, OneThatFailsEndsItsConnectionOnly) {
  RawClient client(start());
  client.send(kBroken);
  released_ = true;
  EXPECT_TRUE(client.at_end());
  EXPECT_EQ(status_when_free(), 200);
}

TEST_F(HangUpTest, AStopDoesNotWaitForIt) {
  RawClient client(start());
  client.send(kSlow);
  ASSERT_TRUE(reaches(begun_, 1));
  stop();
  EXPECT_EQ(ended_, 1);
}

}  // namespace

}  // namespace simulcast::control::test
