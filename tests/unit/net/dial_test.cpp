#include "net/dial.hpp"

#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <optional>
#include <vector>

namespace simulcast::net {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using Result = std::variant<tcp::socket, DialFailure>;

struct DialTest : testing::Test {
  std::optional<Result> dial_to(const std::string& host, std::uint16_t port, const AddressFilter& allowed) {
    std::optional<Result> result;
    asio::co_spawn(
        context,
        [&]() -> asio::awaitable<void> { result.emplace(co_await dial(resolver, host, port, allowed)); },
        [](const std::exception_ptr& error) {
          if (error) std::rethrow_exception(error);
        });
    context.restart();
    context.run();
    return result;
  }
  const DialFailure& failure(const std::optional<Result>& result) { return std::get<DialFailure>(*result); }

  asio::io_context context{1};
  Resolver resolver;
  const AddressFilter all = [](const asio::ip::address&) { return true; };
};

TEST_F(DialTest, ConnectsToALiteralAddressAndToAName) {
  tcp::acceptor acceptor(context, {asio::ip::address_v4::loopback(), 0});
  const auto port = acceptor.local_endpoint().port();
  for (const char* host : {"127.0.0.1", "localhost"}) {
    const auto result = dial_to(host, port, all);
    ASSERT_TRUE(std::holds_alternative<tcp::socket>(*result)) << failure(result).message;
    EXPECT_EQ(std::get<tcp::socket>(*result).remote_endpoint().port(), port);
  }
}

TEST_F(DialTest, RefusedPortNamesAddressPortAndCause) {
  tcp::acceptor acceptor(context, {asio::ip::address_v4::loopback(), 0});
  const auto port = acceptor.local_endpoint().port();
  acceptor.close();
  const auto result = dial_to("127.0.0.1", port, all);
  EXPECT_EQ(failure(result).step, DialFailure::Step::tcp);
  EXPECT_NE(failure(result).message.find("127.0.0.1:" + std::to_string(port)), std::string::npos);
  EXPECT_NE(failure(result).message.find("refused"), std::string::npos);
}

TEST_F(DialTest, UnknownNameIsADnsFailure) {
  const auto result = dial_to("no-such-host.invalid", 1935, all);
  EXPECT_EQ(failure(result).step, DialFailure::Step::dns);
}

TEST_F(DialTest, OneLookupAnswersAllWhoAsk) {
  constexpr std::uint16_t kPorts = 20;
  std::vector<std::vector<tcp::endpoint>> found(kPorts);
  for (std::uint16_t port = 0; port < kPorts; ++port) {
    asio::co_spawn(
        context,
        [this, port, &found]() -> asio::awaitable<void> {
          co_await resolver.resolve("localhost", port, found[port]);
        },
        asio::detached);
  }
  context.run();
  for (std::uint16_t port = 0; port < kPorts; ++port) {
    ASSERT_FALSE(found[port].empty());
    for (const auto& endpoint : found[port]) {
      EXPECT_TRUE(endpoint.address().is_loopback());
      EXPECT_EQ(endpoint.port(), port);
    }
  }
  EXPECT_FALSE(resolver.busy());
}

TEST_F(DialTest, WhoeverGivesUpIsNotWaitedFor) {
  asio::cancellation_signal enough;
  std::vector<tcp::endpoint> given_up, found;
  error_code ec;
  asio::co_spawn(
      context, [&]() -> asio::awaitable<void> { ec = co_await resolver.resolve("localhost", 1, given_up); },
      asio::bind_cancellation_slot(enough.slot(), asio::detached));
  asio::co_spawn(
      context, [&]() -> asio::awaitable<void> { co_await resolver.resolve("localhost", 2, found); },
      asio::detached);
  asio::post(context, [&] { enough.emit(asio::cancellation_type::terminal); });
  context.run();
  EXPECT_EQ(ec, asio::error::operation_aborted);
  EXPECT_TRUE(given_up.empty());
  EXPECT_FALSE(found.empty());
}

TEST_F(DialTest, DeniedAddressIsNeverConnectedTo) {
  tcp::acceptor acceptor(context, {asio::ip::address_v4::loopback(), 0});
  acceptor.non_blocking(true);
  const auto result = dial_to("localhost", acceptor.local_endpoint().port(),
                              [](const asio::ip::address& address) { return !address.is_loopback(); });
  EXPECT_EQ(failure(result).step, DialFailure::Step::denied);
  boost::system::error_code ec;
  acceptor.accept(ec);
  EXPECT_EQ(ec, asio::error::would_block);
}

}  // namespace
}  // namespace simulcast::net
