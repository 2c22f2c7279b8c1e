// A peer that sends TLS records for their own sake: it gets its turn and no more, and is sent away. One that
// sends small records because it has small things to say is not.
#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <functional>
#include <thread>
#include <vector>

#include "net/tls.hpp"
#include "net/tls_records.hpp"
#include "net/tls_socket.hpp"
#include "tests/unit/net/certificate.hpp"

namespace simulcast::net {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using namespace std::chrono_literals;
using test::certificate_dir;

const TlsRecords::Clock::time_point kStart{1000s};

TEST(TlsRecords, OnesThatCarryNothingAreAFlood) {
  for (const std::size_t length : {0U, 17U, 18U, 24U}) {
    TlsRecords records;
    int count = 0;
    while (!records.flooded() && count < 100'000) {
      records.record(length, kStart + count * 6us);
      ++count;
    }
    EXPECT_TRUE(records.flooded()) << length;
    EXPECT_GT(count, 4000);
    EXPECT_LT(count, 10'000) << length;
  }
}

TEST(TlsRecords, SmallOnesThatComeNowAndThenAreNot) {
  TlsRecords records;
  for (int i = 0; i < 1'000'000; ++i) records.record(17, kStart + i * 1ms);
  EXPECT_FALSE(records.flooded());
}

TEST(TlsRecords, SmallOnesBetweenOthersAreNot) {
  // As ffmpeg sends a message in chunks of 128 bytes: their headers are records of their own.
  TlsRecords records;
  for (int i = 0; i < 1'000'000; ++i) {
    records.record(17 + 128, kStart + i * 1us);
    records.record(17 + 1, kStart + i * 1us);
  }
  EXPECT_FALSE(records.flooded());
}

TEST(TlsRecords, WhatWasSaidBeforePaysForNoMoreThanABurst) {
  TlsRecords records;
  for (int i = 0; i < 100'000; ++i) records.record(16 * 1024, kStart);
  int count = 0;
  while (!records.flooded() && count < 100'000) {
    records.record(17, kStart);
    ++count;
  }
  EXPECT_LT(count, 10'000);
}

TEST(TlsRecords, KeysAreChangedSeldom) {
  TlsRecords often;
  int count = 0;
  for (; !often.flooded() && count < 1000; ++count) often.key_update(kStart + count * 1ms);
  EXPECT_LE(count, 40);
  TlsRecords seldom;
  for (int i = 0; i < 1000; ++i) seldom.key_update(kStart + i * 1s);
  EXPECT_FALSE(seldom.flooded());
}

TEST(TlsSocket, GivesSoMuchInATurn) {
  for (const int piece : {1, 5, 16 * 1024}) {
    int sockets[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sockets), 0);
    TlsSocket socket(sockets[0]);
    BIO* const bio = socket.make_bio();
    const std::vector<char> sent(100'000, 'x');
    std::size_t waiting = 0;
    std::size_t total = 0;
    std::vector<char> buffer(static_cast<std::size_t>(piece));
    while (total < 1'000'000) {
      if (waiting == 0) waiting = static_cast<std::size_t>(::send(sockets[1], sent.data(), sent.size(), 0));
      std::size_t in_turn = 0;
      int reads = 0;
      int got = 0;
      while ((got = BIO_read(bio, buffer.data(), piece)) > 0) {
        in_turn += static_cast<std::size_t>(got);
        ++reads;
      }
      ASSERT_TRUE(BIO_should_retry(bio));
      EXPECT_LE(in_turn, TlsSocket::kTurnBytes);
      EXPECT_LE(reads, TlsSocket::kTurnReads);
      if (in_turn < waiting) {
        EXPECT_TRUE(socket.turn_is_over());
      } else {
        waiting = in_turn;
      }
      if (reads == 0) {
        EXPECT_FALSE(socket.turn_is_over());
      }
      waiting -= in_turn;
      total += in_turn;
      socket.begin_turn();
    }
    socket.refuse();
    EXPECT_EQ(BIO_read(bio, buffer.data(), piece), -1);
    EXPECT_FALSE(BIO_should_retry(bio));
    BIO_free(bio);
    ::close(sockets[0]);
    ::close(sockets[1]);
  }
}

TEST(TlsSocket, SaysWhenThePeerHasClosed) {
  int sockets[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sockets), 0);
  TlsSocket socket(sockets[0]);
  BIO* const bio = socket.make_bio();
  char byte = 0;
  EXPECT_EQ(BIO_read(bio, &byte, 1), -1);
  EXPECT_TRUE(BIO_should_retry(bio));
  EXPECT_FALSE(BIO_eof(bio));
  ::close(sockets[1]);
  EXPECT_EQ(BIO_read(bio, &byte, 1), 0);
  EXPECT_TRUE(BIO_eof(bio));
  EXPECT_EQ(BIO_write(bio, &byte, 1), -1) << "an error, not a signal";
  EXPECT_FALSE(BIO_should_retry(bio));
  BIO_free(bio);
  ::close(sockets[0]);
}

// A server of ours, and a client that does what it likes with OpenSSL, on a thread of its own.
class TlsFlood : public testing::Test {
 protected:
  struct Outcome {
    boost::system::error_code ec;
    std::string failure;
    std::size_t bytes = 0;
    // Bytes read between two turns of a neighbour: those of two turns where one ends by itself.
    std::size_t most_between = 0;
  };

  // `talk` is called once the handshake is done; writing fails when the server has closed.
  Outcome serve(const std::function<void(SSL*)>& talk) {
    std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes to sockets that were closed
    asio::io_context context{1};
    tcp::acceptor acceptor(context, {asio::ip::address_v4::loopback(), 0});
    const auto address = acceptor.local_endpoint();
    std::thread client([&] {
      asio::io_context own;
      tcp::socket socket(own);
      socket.connect(address);
      SSL_CTX* const settings = SSL_CTX_new(TLS_client_method());
      SSL* const ssl = SSL_new(settings);
      SSL_set_fd(ssl, socket.native_handle());
      if (SSL_connect(ssl) == 1) talk(ssl);
      // What lies unread when a socket is closed makes the close a reset.
      ::shutdown(socket.native_handle(), SHUT_WR);
      char rest[1024];
      while (::recv(socket.native_handle(), rest, sizeof rest, 0) > 0) {
      }
      SSL_free(ssl);
      SSL_CTX_free(settings);
    });
    auto server = make_tls_server(
        acceptor.accept(), TlsContext::server(certificate_dir() / "cert.pem", certificate_dir() / "key.pem"));
    Outcome outcome;
    bool done = false;
    std::size_t seen = 0;
    asio::co_spawn(
        context,
        [&]() -> asio::awaitable<void> {
          outcome.ec = co_await server->handshake();
          std::array<std::byte, 4096> buffer;
          while (!outcome.ec) {
            const IoResult got = co_await server->read(buffer);
            outcome.bytes += got.bytes;
            outcome.ec = got.ec;
          }
          outcome.failure = server->failure();
          server->abort();
          done = true;
        },
        asio::detached);
    asio::co_spawn(
        context,
        [&]() -> asio::awaitable<void> {
          while (!done) {
            outcome.most_between = std::max(outcome.most_between, outcome.bytes - seen);
            seen = outcome.bytes;
            co_await asio::post(asio::use_awaitable);
          }
        },
        asio::detached);
    context.run();
    client.join();
    return outcome;
  }
};

TEST_F(TlsFlood, OfKeyUpdatesIsEnded) {
  const auto outcome = serve([](SSL* ssl) {
    for (int i = 0; i < 1'000'000; ++i) {
      if (SSL_key_update(ssl, SSL_KEY_UPDATE_NOT_REQUESTED) != 1 || SSL_do_handshake(ssl) != 1) return;
    }
    ADD_FAILURE() << "a million KeyUpdates were taken";
  });
  EXPECT_EQ(outcome.ec, TlsError::flood) << outcome.ec.message();
  EXPECT_NE(outcome.failure.find("floods"), std::string::npos);
}

TEST_F(TlsFlood, OfRecordsOfOneByteIsEnded) {
  const auto outcome = serve([](SSL* ssl) {
    for (int i = 0; i < 1'000'000; ++i) {
      if (SSL_write(ssl, "x", 1) != 1) return;
    }
    ADD_FAILURE() << "a million records of one byte were taken";
  });
  EXPECT_EQ(outcome.ec, TlsError::flood) << outcome.ec.message();
  EXPECT_LE(outcome.most_between, 2 * TlsSocket::kTurnReads / 2);
}

TEST_F(TlsFlood, SmallPiecesOfALargeMessageAreNone) {
  constexpr std::size_t kChunks = 20'000;
  const auto outcome = serve([](SSL* ssl) {
    const std::array<char, 128> chunk{};
    for (std::size_t i = 0; i < kChunks; ++i) {
      if (SSL_write(ssl, chunk.data(), chunk.size()) <= 0 || SSL_write(ssl, "x", 1) != 1) return;
    }
    SSL_shutdown(ssl);
  });
  EXPECT_EQ(outcome.ec, asio::error::eof) << outcome.ec.message();
  EXPECT_EQ(outcome.bytes, kChunks * 129);
}

TEST_F(TlsFlood, AFastPeerLetsItsNeighbourHaveItsTurn) {
  constexpr std::size_t kRecords = 2000;
  const auto outcome = serve([](SSL* ssl) {
    const std::vector<char> record(16 * 1024);
    for (std::size_t i = 0; i < kRecords; ++i) {
      if (SSL_write(ssl, record.data(), static_cast<int>(record.size())) <= 0) return;
    }
    SSL_shutdown(ssl);
  });
  EXPECT_EQ(outcome.ec, asio::error::eof) << outcome.ec.message();
  EXPECT_EQ(outcome.bytes, kRecords * 16 * 1024);
  EXPECT_LE(outcome.most_between, 2 * TlsSocket::kTurnBytes);
}

}  // namespace
}  // namespace simulcast::net
