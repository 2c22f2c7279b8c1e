// SRT over loopback: two ends of ours, through libsrt.
#include "net/srt_socket.hpp"

#include <gtest/gtest.h>

#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <string>
#include <vector>

namespace simulcast::net {
namespace {

namespace asio = boost::asio;
using asio::ip::udp;

constexpr const char* kPassphrase = "a passphrase of the tests";

struct SrtSocketTest : testing::Test {
  template <class Work>
  void run(Work work) {
    asio::co_spawn(context, std::move(work), [this](const std::exception_ptr& error) {
      context.stop();
      if (error) std::rethrow_exception(error);
    });
    context.restart();
    context.run();
  }

  std::unique_ptr<SrtListener> listen(SrtListener::Admit admit) {
    auto listener =
        std::make_unique<SrtListener>(runtime, context.get_executor(), SrtOptions{}, std::move(admit));
    EXPECT_EQ(listener->open({asio::ip::address_v4::loopback(), 0}), "");
    return listener;
  }
  std::unique_ptr<SrtSocket> caller(const SrtOptions& options) {
    const SrtHandle handle = make_srt_handle(runtime, options);
    EXPECT_NE(handle, kNoSrtHandle);
    EXPECT_TRUE(runtime.bind_outgoing(handle, false)) << SrtRuntime::last_error_text();
    return std::make_unique<SrtSocket>(runtime, handle, context.get_executor());
  }
  std::optional<SrtRejection> rejection(const SrtListener& listener, const SrtOptions& options) {
    std::optional<SrtRejection> result;
    run([&]() -> asio::awaitable<void> {
      auto socket = caller(options);
      result = co_await connect_srt(*socket, listener.endpoint());
    });
    return result;
  }

  asio::io_context context{1};
  SrtRuntime runtime;
};

TEST_F(SrtSocketTest, MessagesArriveWholeAndInOrder) {
  std::string stream_id;
  auto listener = listen([&](const SrtListener::Request& request) {
    stream_id = request.stream_id;
    return set_srt_passphrase(request.handle, kPassphrase) ? 0 : 1500;
  });
  SrtOptions options;
  options.stream_id = "the stream";
  options.passphrase = kPassphrase;
  options.key_length = 32;
  std::vector<std::string> received;
  run([&]() -> asio::awaitable<void> {
    auto sender = caller(options);
    const auto rejected = co_await connect_srt(*sender, listener->endpoint());
    EXPECT_FALSE(rejected);
    const auto handle = co_await listener->accept();
    EXPECT_TRUE(handle);
    SrtSocket receiver(runtime, *handle, context.get_executor());
    for (int i = 0; i < 100; ++i) {
      const std::string text = std::to_string(i);
      EXPECT_EQ(sender->send(std::as_bytes(std::span(text))), SrtSocket::Sent::taken);
    }
    std::array<std::byte, kMaxSrtMessage> inbox{};
    while (received.size() < 100) {
      const auto got = receiver.receive(inbox);
      if (got.ended) break;
      if (got.blocked) {
        co_await receiver.wait_readable();
      } else {
        received.emplace_back(reinterpret_cast<const char*>(inbox.data()), got.bytes);
      }
    }
    EXPECT_EQ(sender->stats().dropped, 0U);
    EXPECT_EQ(receiver.latency(), std::chrono::milliseconds{120});
    // The other end notices that this one has closed.
    sender->close();
    while (receiver.connected()) co_await receiver.wait_readable();
  });
  EXPECT_EQ(stream_id, "the stream");
  ASSERT_EQ(received.size(), 100U);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(received[static_cast<std::size_t>(i)], std::to_string(i));
}

TEST_F(SrtSocketTest, RejectionsCarryTheirCode) {
  auto listener = listen([](const SrtListener::Request& request) {
    if (request.stream_id == "forbidden") return 1403;
    return set_srt_passphrase(request.handle, kPassphrase) ? 0 : 1500;
  });
  SrtOptions options;
  options.stream_id = "forbidden";
  EXPECT_EQ(rejection(*listener, options)->code, 1403);
  options.stream_id = "x";
  EXPECT_EQ(rejection(*listener, options)->code, kSrtUnsecure);
  options.passphrase = "another passphrase";
  EXPECT_EQ(rejection(*listener, options)->code, kSrtBadSecret);
  options.passphrase = kPassphrase;
  EXPECT_FALSE(rejection(*listener, options));
}

TEST_F(SrtSocketTest, ListenerLearnsThatAHandshakeFailed) {
  SrtHandle asked = kNoSrtHandle;
  auto listener = listen([&](const SrtListener::Request& request) {
    asked = request.handle;
    return set_srt_passphrase(request.handle, kPassphrase) ? 0 : 1500;
  });
  EXPECT_EQ(rejection(*listener, SrtOptions{})->code, kSrtUnsecure);
  EXPECT_TRUE(srt_handshake_failed(asked));
}

TEST_F(SrtSocketTest, NobodyThereIsATimeout) {
  // A port that takes what comes and never answers.
  udp::socket silent(context, {asio::ip::address_v4::loopback(), 0});
  const auto nobody = silent.local_endpoint();
  std::optional<SrtRejection> result;
  run([&]() -> asio::awaitable<void> {
    auto socket = caller(SrtOptions{});
    result = co_await connect_srt(*socket, nobody);
  });
  ASSERT_TRUE(result);
  EXPECT_TRUE(result->timed_out);
}

TEST_F(SrtSocketTest, ListenerOnATakenPortSaysSo) {
  auto listener = listen([](const SrtListener::Request&) { return 0; });
  SrtListener second(runtime, context.get_executor(), SrtOptions{},
                     [](const SrtListener::Request&) { return 0; });
  EXPECT_NE(second.open(listener->endpoint()), "");
}

TEST_F(SrtSocketTest, OptionsThatSrtRefusesGiveNoHandle) {
  SrtOptions options;
  options.passphrase = "short";
  EXPECT_EQ(make_srt_handle(runtime, options), kNoSrtHandle);
}

}  // namespace
}  // namespace simulcast::net
