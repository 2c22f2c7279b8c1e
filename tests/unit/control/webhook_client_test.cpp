#include "control/notifications/webhook_client.hpp"

#include <gmock/gmock.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/write.hpp>
#include <optional>
#include <thread>

#include "config/values.hpp"
#include "control/notifications/webhook_url.hpp"

namespace simulcast::control::test {

namespace asio = boost::asio;
using asio::ip::tcp;
using testing::HasSubstr;
using testing::StartsWith;

namespace {

// A client, and a receiver that says exactly what the test says.
class WebhookClientTest : public testing::Test {
 protected:
  std::string url(const std::string& scheme = "http", const std::string& path = "/path?query=1") {
    return scheme + "://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port()) + path;
  }

  // Takes one request and answers. With `close` false it hangs up only after the client has.
  void answer_with(std::string answer, bool close = true) {
    receiver_ = std::jthread([this, answer = std::move(answer), close] {
      boost::system::error_code ignored;
      tcp::socket socket = acceptor_.accept(ignored);
      theirs_ = socket.native_handle();
      std::array<char, 4096> more;
      while (!whole_request()) {
        const std::size_t size = socket.read_some(asio::buffer(more), ignored);
        if (ignored) return;
        received_.append(more.data(), size);
      }
      asio::write(socket, asio::buffer(answer), ignored);
      if (!close) socket.read_some(asio::buffer(more), ignored);
    });
  }
  bool whole_request() const {
    const auto header = received_.find("\r\n\r\n");
    const auto length = received_.find("Content-Length: ");
    return header != std::string::npos && length != std::string::npos &&
           received_.size() >= header + 4 + std::stoul(received_.substr(length + 16));
  }

  WebhookAnswer post(WebhookRequest request, std::chrono::milliseconds timeout = std::chrono::seconds(30),
                     std::vector<config::Network> denied = {}) {
    WebhookClient client(resolver_, *tls_, std::move(denied), timeout);
    std::optional<WebhookAnswer> answer;
    asio::co_spawn(
        io_, [&]() -> asio::awaitable<void> { answer = co_await client.post(std::move(request)); },
        asio::detached);
    io_.restart();
    io_.run_for(kPatience);
    if (!answer) ::shutdown(theirs_, SHUT_RDWR);
    if (receiver_.joinable()) receiver_.join();
    return answer.value_or(WebhookAnswer{.status = 0, .failure = "the client is stuck"});
  }
  WebhookAnswer post_and_get(const std::string& answer) {
    received_.clear();
    answer_with(answer);
    return post({url(), {}, "{}", 1});
  }

  asio::io_context io_{1};
  net::Resolver resolver_;
  std::shared_ptr<net::TlsContext> tls_ = net::TlsContext::client({});
  tcp::acceptor acceptor_{io_, {asio::ip::address_v4::loopback(), 0}};
  static constexpr std::chrono::seconds kPatience{60};
  std::string received_;
  std::atomic<int> theirs_ = -1;  // the receiver's socket
  std::jthread receiver_;
};

TEST_F(WebhookClientTest, TheRequest) {
  answer_with("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  const WebhookAnswer answer = post({url(), "the secret", R"({"a": 1})", 42});
  EXPECT_EQ(answer.status, 200U);
  EXPECT_TRUE(answer.accepted());
  EXPECT_THAT(received_, StartsWith("POST /path?query=1 HTTP/1.1\r\n"));
  EXPECT_THAT(received_, HasSubstr("\r\nHost: " + url().substr(7, url().find('/', 7) - 7) + "\r\n"));
  EXPECT_THAT(received_, HasSubstr("\r\nContent-Type: application/json\r\n"));
  EXPECT_THAT(received_, HasSubstr("\r\ncf-webhook-auth: the secret\r\n"));
  EXPECT_THAT(received_, HasSubstr("\r\nSimulcastd-Delivery: 42\r\n"));
  EXPECT_THAT(received_, HasSubstr("\r\nContent-Length: 8\r\n"));
  EXPECT_THAT(received_, testing::EndsWith("\r\n\r\n{\"a\": 1}"));
}

TEST_F(WebhookClientTest, NoSecretNoHeader) {
  answer_with("HTTP/1.1 204 No Content\r\n\r\n");
  EXPECT_TRUE(post({url(), {}, "{}", 1}).accepted());
  EXPECT_EQ(received_.find("cf-webhook-auth"), std::string::npos);
}

TEST_F(WebhookClientTest, OnlyTwoHundredsAreSuccess) {
  EXPECT_TRUE(post_and_get("HTTP/1.1 299 Fine\r\n\r\n").accepted());
  EXPECT_EQ(post_and_get("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n").failure, "it answered 500");
  EXPECT_EQ(post_and_get("HTTP/1.1 404 No\r\n\r\nwords").failure, "it answered 404");
  EXPECT_EQ(post_and_get("HTTP/1.1 307 There\r\nLocation: /\r\n\r\n").failure,
            "it answered 307; redirects are not followed");
}

TEST_F(WebhookClientTest, InterimAnswersArePassedOver) {
  EXPECT_TRUE(
      post_and_get("HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\nHTTP/1.1 200 OK\r\n\r\n").accepted());
  std::string endless;
  for (int i = 0; i < 100; ++i) endless += "HTTP/1.1 100 Continue\r\n\r\n";
  EXPECT_EQ(post_and_get(endless).failure, "there was no answer");
}

TEST_F(WebhookClientTest, WhatIsNoAnswer) {
  EXPECT_THAT(post_and_get("").failure, StartsWith("no proper answer"));
  EXPECT_THAT(post_and_get("220 smtp.example.com\r\n\r\n").failure, StartsWith("no proper answer"));
  EXPECT_THAT(post_and_get("HTTP/1.1 200 OK\r\nX: " + std::string(64 * 1024, 'x') + "\r\n\r\n").failure,
              StartsWith("no proper answer"));
}

// The receiver stays connected and would send more; nobody waits for it.
TEST_F(WebhookClientTest, ALongBodyIsNotReadToItsEnd) {
  answer_with("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n" +
                  std::string(WebhookClient::kMaxBody + 4096, 'x'),
              false);
  EXPECT_EQ(post({url(), {}, "{}", 1}, std::chrono::hours(1)).failure, "");
}

TEST_F(WebhookClientTest, ABodyThatNeverEndsDoesNotChangeTheAnswer) {
  answer_with("HTTP/1.1 202 Accepted\r\nContent-Length: 10\r\n\r\nhalf", false);
  EXPECT_TRUE(post({url(), {}, "{}", 1}, std::chrono::milliseconds(100)).accepted());
}

TEST_F(WebhookClientTest, SilenceEndsWithTheTime) {
  answer_with("", false);
  EXPECT_EQ(post({url(), {}, "{}", 1}, std::chrono::milliseconds(100)).failure,
            "no answer within 100 ms while waiting for its answer");
  received_.clear();
  answer_with("", false);
  EXPECT_EQ(post({url("https"), {}, "{}", 1}, std::chrono::milliseconds(100)).failure,
            "no answer within 100 ms while shaking hands for TLS");
}

TEST_F(WebhookClientTest, WhoDoesNotSpeakTlsIsToldInWords) {
  received_ = "Content-Length: 0\r\n\r\n";  // it talks first
  answer_with("220 smtp.example.com\r\n");
  EXPECT_THAT(post({url("https"), {}, "{}", 1}).failure, StartsWith("TLS failed"));
}

TEST_F(WebhookClientTest, NobodyThere) {
  const std::string target = url();
  acceptor_.close();
  const std::string failure = post({target, {}, "{}", 1}).failure;
  EXPECT_THAT(failure, StartsWith("cannot connect to 127.0.0.1:"));
  EXPECT_EQ(failure.find("path"), std::string::npos);
}

TEST_F(WebhookClientTest, DeniedAddressesAreNotConnectedTo) {
  const auto answer = post(
      {"http://localhost:" + std::to_string(acceptor_.local_endpoint().port()), {}, "{}", 1},
      std::chrono::seconds(30), {config::parse_network("127.0.0.0/8"), config::parse_network("::1/128")});
  EXPECT_EQ(answer.failure, "the host's address is in a network that outputs may not go to");
}

TEST_F(WebhookClientTest, AnUnusableUrlIsAFailureLikeAnyOther) {
  EXPECT_EQ(post({"gopher://x", {}, "{}", 1}).failure, "its URL cannot be used");
}

TEST(WebhookUrlTest, Parts) {
  const auto plain = parse_webhook_url("http://example.com");
  ASSERT_TRUE(plain);
  EXPECT_FALSE(plain->tls);
  EXPECT_EQ(plain->host, "example.com");
  EXPECT_EQ(plain->port, 80);
  EXPECT_EQ(plain->host_header, "example.com");
  EXPECT_EQ(plain->target, "/");
  EXPECT_EQ(plain->shown, "http://example.com");
  const auto full = parse_webhook_url("HTTPS://[::1]:8443/a%20b/c?d=e&f");
  ASSERT_TRUE(full);
  EXPECT_TRUE(full->tls);
  EXPECT_EQ(full->host, "::1");
  EXPECT_EQ(full->port, 8443);
  EXPECT_EQ(full->host_header, "[::1]:8443");
  EXPECT_EQ(full->target, "/a%20b/c?d=e&f");
  EXPECT_EQ(full->shown, "https://[::1]");
  EXPECT_EQ(parse_webhook_url("https://example.com?x")->target, "/?x");
  EXPECT_EQ(parse_webhook_url("https://example.com/")->port, 443);
}

TEST(WebhookUrlTest, Problems) {
  const std::vector<config::Network> denied{config::parse_network("169.254.0.0/16"),
                                            config::parse_network("fe80::/10")};
  const auto problem = [&](const std::string& url) { return webhook_url_problem(url, denied); };
  for (const char* good :
       {"https://example.com", "http://127.0.0.1:1/", "https://a.b-c.example.com:443/x?y=z"}) {
    EXPECT_EQ(problem(good), "") << good;
  }
  EXPECT_THAT(problem("ftp://example.com"), HasSubstr("must begin with https://"));
  EXPECT_THAT(problem("https:example.com"), HasSubstr("no host"));
  EXPECT_THAT(problem("https:///path"), HasSubstr("no host"));
  EXPECT_THAT(problem("example.com/path"), HasSubstr("malformed"));
  EXPECT_THAT(problem("https://example.com:1k"), HasSubstr("malformed"));
  EXPECT_THAT(problem("https://example.com/a b"), HasSubstr("malformed"));
  EXPECT_THAT(problem("https://example.com/\r\nX: y"), HasSubstr("malformed"));
  EXPECT_THAT(problem("https://user:password@example.com/"), HasSubstr("user name"));
  EXPECT_THAT(problem("https://example.com/#x"), HasSubstr("#"));
  EXPECT_THAT(problem("https://example.com:0/"), HasSubstr("port"));
  EXPECT_THAT(problem("https://example.com:65536/"), HasSubstr("port"));
  EXPECT_THAT(problem("https://example.com:/"), HasSubstr("port"));
  EXPECT_THAT(problem("https://exa_mple..com/"), HasSubstr("host name"));
  EXPECT_THAT(problem("http://169.254.169.254/"), HasSubstr("169.254.0.0/16"));
  EXPECT_THAT(problem("http://[::ffff:169.254.169.254]/"), HasSubstr("169.254.0.0/16"));
  EXPECT_THAT(problem("http://[fe80::1]/"), HasSubstr("fe80::/10"));
  EXPECT_THAT(problem("https://example.com/" + std::string(kMaxWebhookUrl, 'x')), HasSubstr("long"));
}

}  // namespace

}  // namespace simulcast::control::test
