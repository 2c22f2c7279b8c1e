#include <gmock/gmock.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "http_fixture.hpp"

namespace simulcast::control::test {

using testing::HasSubstr;

namespace {

TEST_F(HttpServerTest, AnswersAndKeepsTheConnection) {
  RawClient client(start());
  for (int i = 0; i < 3; ++i) {
    client.send("POST /path?q=" + std::to_string(i) +
                " HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody");
    const RawAnswer answer = client.read_answer();
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.headers.at("content-type"), "application/json");
    EXPECT_EQ(answer.headers.at("content-length"), std::to_string(answer.body.size()));
    EXPECT_EQ(answer.headers.at("connection"), "keep-alive");
    EXPECT_EQ(answer.headers.at("cache-control"), "no-store");
    EXPECT_EQ(answer.headers.at("x-extra"), "yes");
    EXPECT_THAT(answer.headers.at("date"), testing::EndsWith(" GMT"));
    EXPECT_EQ(member(answer, "method"), "POST");
    EXPECT_EQ(member(answer, "target"), "/path?q=" + std::to_string(i));
    EXPECT_EQ(member(answer, "body"), "body");
  }
}

TEST_F(HttpServerTest, PipelinedRequestsAreAnsweredInOrder) {
  RawClient client(start());
  std::string all;
  for (int i = 0; i < 20; ++i) {
    all += "PUT /" + std::to_string(i) + " HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n" +
           std::to_string(i % 10);
  }
  client.send(all);
  for (int i = 0; i < 20; ++i) {
    const RawAnswer answer = client.read_answer();
    ASSERT_EQ(answer.status, 200);
    EXPECT_EQ(member(answer, "target"), "/" + std::to_string(i));
    EXPECT_EQ(member(answer, "body"), std::to_string(i % 10));
  }
}

TEST_F(HttpServerTest, RequestInSinglePieces) {
  RawClient client(start());
  for (const char c : std::string("PUT /x HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n bc")) {
    client.send({&c, 1});
  }
  EXPECT_EQ(member(client.read_answer(), "body"), " bc");
}

TEST_F(HttpServerTest, FoldedHeaderInSinglePieces) {
  RawClient client(start());
  for (const char c : std::string("GET /x HTTP/1.1\r\nHost: h\r\nX-A: 1\r\n ")) client.send({&c, 1});
  expect_refused(client, 400, 10005);
}

TEST_F(HttpServerTest, ChunkedBodyAndItsTrailer) {
  RawClient client(start());
  client.send(
      "POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3\r\nabc\r\n2;ext=1\r\nde\r\n0\r\nAuthorization: Bearer x\r\n\r\n");
  const RawAnswer answer = client.read_answer();
  EXPECT_EQ(member(answer, "body"), "abcde");
  EXPECT_THAT(member(answer, "headers"), testing::Not(HasSubstr("Authorization")));
  client.send(kGet);
  EXPECT_EQ(client.read_answer().status, 200);
}

TEST_F(HttpServerTest, HeadHasTheLengthButNoBody) {
  RawClient client(start());
  client.send("HEAD /x HTTP/1.1\r\nHost: h\r\n\r\n" + std::string(kGet));
  const RawAnswer head = client.read_answer(false);
  EXPECT_EQ(head.status, 200);
  EXPECT_GT(std::stoi(head.headers.at("content-length")), 10);
  EXPECT_EQ(member(client.read_answer(), "method"), "GET");  // so nothing came in between
}

TEST_F(HttpServerTest, ClosesWhenAsked) {
  start();
  for (const std::string request :
       {"GET /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", "GET /x HTTP/1.0\r\n\r\n"}) {
    RawClient client(port_);
    client.send(request);
    const RawAnswer answer = client.read_answer();
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.headers.at("connection"), "close");
    EXPECT_TRUE(client.at_end());
  }
  RawClient client(port_);
  client.send("GET /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(client.read_answer().headers.at("connection"), "keep-alive");
  client.send(kGet);
  EXPECT_EQ(client.read_answer().status, 200);
}

TEST_F(HttpServerTest, HalfClosedClientGetsItsAnswer) {
  RawClient client(start());
  client.send(kGet);
  client.finish_sending();
  EXPECT_EQ(client.read_answer().status, 200);
  EXPECT_TRUE(client.at_end());
}

TEST_F(HttpServerTest, ContinueIsSentWhenExpected) {
  RawClient client(start());
  client.send("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.read_answer(false).status, 100);
  client.send("ok");
  EXPECT_EQ(member(client.read_answer(), "body"), "ok");
}

TEST_F(HttpServerTest, NoContinueForABodyThatIsTooLarge) {
  start();
  expect_refusal("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 1048577\r\nExpect: 100-continue\r\n\r\n",
                 413, 10005);
}

TEST_F(HttpServerTest, BodyLimit) {
  start();
  const std::string head = "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: ";
  expect_refusal(head + "1048577\r\n\r\n" + std::string(1048577, 'x'), 413, 10005);
  expect_refusal(head + "18446744073709551615\r\n\r\nx", 413, 10005);
  expect_refusal("POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n80000\r\n" +
                     std::string(0x80000, 'x') + "\r\n80001\r\n" + std::string(0x80001, 'x') +
                     "\r\n0\r\n\r\n",
                 413, 10005);
  RawClient client(port_);
  client.send(head + "1048576\r\n\r\n" + std::string(1048576, 'x'));
  EXPECT_EQ(member(client.read_answer(), "body").size(), 1048576U);
}

TEST_F(HttpServerTest, HeaderLimit) {
  start();
  expect_refusal("GET /x HTTP/1.1\r\nHost: h\r\nX-Long: " + std::string(16 * 1024, 'x') + "\r\n\r\n", 431,
                 10005);
  expect_refusal("GET /" + std::string(16 * 1024, 'x') + " HTTP/1.1\r\nHost: h\r\n\r\n", 431, 10005);
  std::string many = "GET /x HTTP/1.1\r\nHost: h\r\n";
  for (int i = 0; i < 3000; ++i) many += "X-A: 1\r\n";
  expect_refusal(many + "\r\n", 431, 10005);
  RawClient client(port_);
  client.send("GET /x HTTP/1.1\r\nHost: h\r\nX-Long: " + std::string(15 * 1024, 'x') + "\r\n\r\n");
  EXPECT_EQ(client.read_answer().status, 200);
}

TEST_F(HttpServerTest, MalformedRequests) {
  start();
  for (const std::string_view bytes : {
           "nonsense\r\n\r\n",
           "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  // a TLS hello
           "GET /x\r\n\r\n",
           "GET /x HTTP/2.0\r\nHost: h\r\n\r\n",
           "GET /x HTTP/1.1\r\n\r\n",  // no Host
           "GET /x HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
           "GET /x HTTP/1.1\r\nHost : h\r\n\r\n",
           "GET /a b HTTP/1.1\r\nHost: h\r\n\r\n",
           "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n",
           "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
           "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
           "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 1, 1\r\n\r\nx",
           "GET /x HTTP/1.1\r\nHost: h\r\nX-A: 1\r\n 2\r\n\r\n",
           "GET /x HTTP/1.1\r\nHost: h\r\nX-A:\r\n\t2\r\n\r\n",
           "POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
           // What two servers may read differently
           "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
           "POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
           "POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\nxxxx",
           "POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
           "POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
           "POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
           "POST /x HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
       }) {
    SCOPED_TRACE(bytes);
    expect_refusal(bytes, 400, 10005);
  }
}

TEST_F(HttpServerTest, CutOffRequestIsToldSo) {
  start();
  RawClient client(port_);
  client.send("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc");
  client.finish_sending();
  expect_refused(client, 400, 10005);
}

TEST_F(HttpServerTest, SlowRequestsTimeOut) {
  limits_.request = std::chrono::milliseconds(100);
  start();
  for (const std::string_view begun : {"", "GET /x HT", "GET /x HTTP/1.1\r\nHost: h\r\n",
                                       "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc"}) {
    SCOPED_TRACE(begun);
    expect_refusal(begun, 408, 10005);
  }
}

TEST_F(HttpServerTest, SlowSecondRequestsTimeOut) {
  limits_.request = std::chrono::seconds(1);
  RawClient client(start());
  client.send(std::string(kGet) + "GET /y");
  EXPECT_EQ(client.read_answer().status, 200);
  expect_refused(client, 408, 10005);
}

TEST_F(HttpServerTest, TricklingDoesNotBuyTime) {
  limits_.request = std::chrono::milliseconds(200);
  RawClient client(start());
  client.send("GET /x HTTP/1.1\r\nHost: h\r\n");
  std::atomic<bool> done = false;
  std::thread trickle([&] {
    while (!done) {
      client.send("X-A: 1\r\n");
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  });
  const RawAnswer answer = client.read_answer();
  done = true;
  trickle.join();
  EXPECT_EQ(answer.status, 408);
}

TEST_F(HttpServerTest, IdleConnectionsEndSilently) {
  limits_.idle = std::chrono::seconds(1);
  RawClient client(start());
  client.send(kGet);
  EXPECT_EQ(client.read_answer().status, 200);
  EXPECT_TRUE(client.at_end());
}

TEST_F(HttpServerTest, TheOneThatWaitedLongestMakesRoom) {
  limits_.connections = 2;
  start();
  RawClient first(port_);
  RawClient second(port_);
  for (RawClient* client : {&second, &first, &second}) {
    client->send(kGet);
    EXPECT_EQ(client->read_answer().status, 200);
  }
  RawClient third(port_);
  third.send(kGet);
  EXPECT_EQ(third.read_answer().status, 200);
  EXPECT_TRUE(first.at_end());
  second.send(kGet);
  EXPECT_EQ(second.read_answer().status, 200);
}

TEST_F(HttpServerTest, ClientsThatGoAwayLeaveNothing) {
  start();
  for (const std::string_view begun :
       {"", "GET", "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc"}) {
    for (int i = 0; i < 20; ++i) RawClient(port_).send(begun);
  }
  RawClient client(port_);
  client.send(kGet);
  EXPECT_EQ(client.read_answer().status, 200);
}

TEST_F(HttpServerTest, StopEndsListenerAndConnections) {
  limits_.request = limits_.idle = std::chrono::minutes(10);
  start();
  RawClient idle(port_);
  idle.send(kGet);
  EXPECT_EQ(idle.read_answer().status, 200);
  RawClient begun(port_);
  begun.send("GET /x HT");
  RawClient silent(port_);
  stop();  // joins: the io_context had nothing more to do
  EXPECT_FALSE(server_->listening());
  EXPECT_TRUE(idle.at_end());
  EXPECT_THROW(RawClient late(port_), std::runtime_error);
}

TEST_F(HttpServerTest, PortInUseIsToldInWords) {
  start();
  HttpServer second(io_.get_executor(), [](const Request&) { return Response{}; });
  try {
    second.listen({"127.0.0.1", port_});
    FAIL() << "it listens twice";
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), HasSubstr("127.0.0.1:" + std::to_string(port_)));
    EXPECT_THAT(error.what(), HasSubstr("Address already in use"));
  }
  EXPECT_FALSE(second.listening());
}

class LargeAnswerTest : public HttpServerTest {
 protected:
  static constexpr std::size_t kSize = 64U << 20;
  const Text shared_ = std::make_shared<const std::string>(kSize, 'x');
  Response handle(const Request& request) override {
    ++handled_;
    if (request.target == "/shared") return {.status = 200, .body = {}, .headers = {}, .shared = shared_};
    return {200, request.target == "/large" ? std::string(kSize, 'x') : "{}", {}};
  }
};

TEST_F(LargeAnswerTest, NobodyMakesRoomWhoIsBeingAnswered) {
  limits_.connections = 1;
  RawClient stuck(start());
  stuck.send("GET /large HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(stuck.read_answer(false).status, 200);
  RawClient other(port_);
  other.send(kGet);
  const RawAnswer answer = other.read_answer();
  EXPECT_EQ(answer.status, 429);
  EXPECT_EQ(answer.headers.at("retry-after"), "1");
  EXPECT_EQ(json::parse(answer.body).at("errors").at(0).at("code"), 10016);
}

TEST_F(LargeAnswerTest, ClientThatDoesNotReadIsCutOff) {
  limits_.response = std::chrono::milliseconds(100);
  limits_.connections = 1;
  RawClient stuck(start());
  stuck.send("GET /large HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(status_when_free(), 200);
  EXPECT_LT(stuck.read_to_end(), kSize);
}

// Answers that nobody reads: of each of these the system's buffers take less than half.
TEST_F(LargeAnswerTest, AnswersThatNobodyReadHaveABoundTogether) {
  start();
  RawClient stuck(port_);
  stuck.send("GET /large HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(stuck.read_answer(false).status, 200);
  for (const char* request : {"GET /large HTTP/1.1\r\nHost: h\r\n\r\n",
                              "POST /large HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"}) {
    const int handled = handled_;
    RawClient other(port_);
    other.send(request);
    const RawAnswer answer = other.read_answer();
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(answer.headers.at("retry-after"), "1");
    const json::value error = json::parse(answer.body).at("errors").at(0);
    EXPECT_EQ(error.at("code"), 10016);
    EXPECT_THAT(std::string(error.at("message").as_string()), HasSubstr("slow to send or to read"));
    // What changes something is refused before it is done, or not at all.
    EXPECT_EQ(handled_ - handled, std::string_view(request).starts_with("GET") ? 1 : 0);
    // Small ones are answered, and the connection goes on.
    other.send(kGet);
    EXPECT_EQ(other.read_answer().status, 200);
  }
}

TEST_F(LargeAnswerTest, OneTextForManyCountsOnce) {
  start();
  std::vector<std::unique_ptr<RawClient>> stuck;
  for (int i = 0; i < 60; ++i) {
    stuck.push_back(std::make_unique<RawClient>(port_));
    stuck.back()->send("GET /shared HTTP/1.1\r\nHost: h\r\n\r\n");
    const RawAnswer answer = stuck.back()->read_answer(false);
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.headers.at("content-length"), std::to_string(kSize));
  }
}

// Without a token, too.
TEST_F(HttpServerTest, RequestsThatAreHalfSentHaveABoundTogether) {
  limits_.requests = 210'000;
  start();
  const std::string header = "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 200000\r\n\r\n";
  RawClient slow(port_);
  slow.send(header + std::string(40'000, 'x'));
  // When the server has read that is not seen from here.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  RawAnswer answer{.status = 200, .headers = {}, .body = {}};
  while (answer.status == 200 && std::chrono::steady_clock::now() < deadline) {
    RawClient other(port_);
    other.send(header + std::string(200'000, 'x'));
    answer = other.read_answer();
  }
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.headers.at("retry-after"), "1");
  RawClient small(port_);
  small.send(kGet);
  EXPECT_EQ(small.read_answer().status, 200);
  slow.send(std::string(160'000, 'x'));
  EXPECT_EQ(slow.read_answer().status, 200);
}

class ThrowingHandlerTest : public HttpServerTest {
 protected:
  Response handle(const Request& request) override {
    if (request.target == "/throw") throw std::runtime_error("the handler failed");
    return {200, "{}", {}};
  }
};

TEST_F(ThrowingHandlerTest, EndsItsConnectionOnly) {
  RawClient client(start());
  client.send("GET /throw HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_TRUE(client.at_end());
  RawClient other(port_);
  other.send(kGet);
  EXPECT_EQ(other.read_answer().status, 200);
}

}  // namespace

}  // namespace simulcast::control::test
