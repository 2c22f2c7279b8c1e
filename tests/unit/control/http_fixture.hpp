// A server on a real loopback socket, on its own thread. Its handler answers with what it was asked.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/json.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "control/http/server.hpp"
#include "raw_client.hpp"

namespace simulcast::control::test {

namespace asio = boost::asio;
namespace json = boost::json;

inline constexpr std::string_view kGet = "GET /x HTTP/1.1\r\nHost: h\r\n\r\n";

class HttpServerTest : public testing::Test {
 protected:
  void TearDown() override { stop(); }

  std::uint16_t start(const std::optional<config::Certificate>& tls = std::nullopt) {
    server_ = std::make_unique<HttpServer>(
        io_.get_executor(), [this](const Request& request) { return handle(request); }, limits_);
    port_ = server_->listen({"127.0.0.1", 0}, tls);
    thread_ = std::thread([this] { io_.run(); });
    return port_;
  }

  // Afterwards the io_context has run dry: nothing of the server is left.
  void stop() {
    if (!thread_.joinable()) return;
    asio::post(io_, [this] { server_->stop(); });
    thread_.join();
  }

  virtual Response handle(const Request& request) {
    ++handled_;
    std::string headers;
    for (const auto& [name, value] : request.headers)
      headers.append(name).append("=").append(value).append(";");
    return {200,
            json::serialize(json::object{{"method", request.method},
                                         {"target", request.target},
                                         {"headers", headers},
                                         {"body", request.body}}),
            {{"X-Extra", "yes"}}};
  }

  static std::string member(const RawAnswer& answer, const char* name) {
    return std::string(json::parse(answer.body).at(name).as_string());
  }

  // The answer to `bytes` is this fault, in the envelope, and the connection is closed; the handler saw
  // nothing.
  void expect_refusal(std::string_view bytes, int status, int code) {
    RawClient client(port_);
    client.send(bytes);
    expect_refused(client, status, code);
    EXPECT_EQ(handled_, 0) << bytes.substr(0, 200);
  }
  static void expect_refused(RawClient& client, int status, int code) {
    const RawAnswer answer = client.read_answer();
    ASSERT_EQ(answer.status, status);
    EXPECT_EQ(answer.headers.at("content-type"), "application/json");
    EXPECT_EQ(answer.headers.at("connection"), "close");
    const json::value body = json::parse(answer.body);
    EXPECT_EQ(body.at("success"), false);
    EXPECT_EQ(body.at("errors").at(0).at("code"), code);
    client.finish_sending();
    EXPECT_TRUE(client.at_end());
  }

  // Tries until the server has a place for one more connection again.
  int status_when_free() const {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    int status = 429;
    while (status != 200 && std::chrono::steady_clock::now() < deadline) {
      RawClient next(port_);
      next.send(kGet);
      status = next.read_answer().status;
    }
    return status;
  }

  asio::io_context io_{1};
  HttpLimits limits_;
  std::unique_ptr<HttpServer> server_;
  std::uint16_t port_ = 0;
  std::thread thread_;
  std::atomic<int> handled_ = 0;
};

}  // namespace simulcast::control::test
