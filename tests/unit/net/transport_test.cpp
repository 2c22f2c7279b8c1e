#include "net/transport.hpp"

#include <gtest/gtest.h>

#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/write.hpp>
#include <functional>
#include <string>
#include <vector>

#include <linux/sockios.h>
#include <sys/ioctl.h>

#include "net/tls.hpp"
#include "tests/unit/net/certificate.hpp"

namespace simulcast::net {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using Bytes = std::vector<std::byte>;
using test::certificate_dir;

Bytes pattern(std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i * 13 + i / 253);
  return bytes;
}

struct TransportTest : testing::Test {
  std::pair<tcp::socket, tcp::socket> connected_pair() {
    tcp::acceptor acceptor(context, {asio::ip::address_v4::loopback(), 0});
    tcp::socket client(context);
    client.connect(acceptor.local_endpoint());
    return {std::move(client), acceptor.accept()};
  }

  void spawn(std::function<asio::awaitable<void>()> session) {
    asio::co_spawn(context, std::move(session), [](const std::exception_ptr& error) {
      if (error) std::rethrow_exception(error);
    });
  }

  static asio::awaitable<void> write_all(Transport& transport, const Bytes& bytes, std::size_t piece) {
    std::size_t at = 0;
    while (at < bytes.size() || transport.unsent()) {
      std::vector<asio::const_buffer> buffers;
      for (std::size_t from = at; from < bytes.size() && buffers.size() < 40; from += piece) {
        buffers.emplace_back(bytes.data() + from, std::min(piece, bytes.size() - from));
      }
      const IoResult wrote = transport.write_some(buffers);
      EXPECT_FALSE(wrote.ec) << wrote.ec.message();
      if (wrote.ec) co_return;
      at += wrote.bytes;
      if (wrote.blocked) co_await transport.wait_writable();
    }
  }

  static asio::awaitable<void> read_to_end(Transport& transport, Bytes& into) {
    std::array<std::byte, 5000> buffer;
    for (;;) {
      const IoResult got = co_await transport.read(buffer);
      if (got.ec) {
        EXPECT_EQ(got.ec, asio::error::eof) << got.ec.message();
        co_return;
      }
      into.insert(into.end(), buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(got.bytes));
      EXPECT_FALSE(got.blocked);
    }
  }

  void transfer(Transport& from, Transport& to, std::size_t size, std::size_t piece) {
    const Bytes sent = pattern(size);
    Bytes received;
    spawn([&]() -> asio::awaitable<void> {
      co_await write_all(from, sent, piece);
      from.shutdown();
    });
    spawn([&]() -> asio::awaitable<void> { co_await read_to_end(to, received); });
    context.restart();
    context.run();
    EXPECT_EQ(received, sent);
  }

  // Client and server handshake; gives their results.
  std::pair<boost::system::error_code, boost::system::error_code> shake_hands(TlsTransport& client,
                                                                              TlsTransport& server) {
    boost::system::error_code of_client, of_server;
    spawn([&]() -> asio::awaitable<void> {
      of_client = co_await client.handshake();
      if (of_client) client.close();
    });
    spawn([&]() -> asio::awaitable<void> { of_server = co_await server.handshake(); });
    context.restart();
    context.run();
    return {of_client, of_server};
  }

  std::shared_ptr<TlsContext> server_context() {
    return TlsContext::server(certificate_dir() / "cert.pem", certificate_dir() / "key.pem");
  }

  asio::io_context context{1};
};

TEST_F(TransportTest, PlainCarriesEveryByteThroughAFullSocket) {
  auto [a, b] = connected_pair();
  const auto from = make_plain_transport(std::move(a));
  const auto to = make_plain_transport(std::move(b));
  transfer(*from, *to, 20'000'000, 70'001);
}

TEST_F(TransportTest, ManySmallPiecesInOneWrite) {
  auto [a, b] = connected_pair();
  const auto from = make_plain_transport(std::move(a));
  const auto to = make_plain_transport(std::move(b));
  transfer(*from, *to, 10'000, 3);
}

TEST_F(TransportTest, ALimitKeepsTheKernelFromHoardingForAPeerThatDoesNotRead) {
  auto [a, b] = connected_pair();
  boost::system::error_code ignored;
  b.set_option(asio::socket_base::receive_buffer_size(64 * 1024), ignored);
  const auto transport = make_plain_transport(std::move(a));
  transport->limit_unsent(128 * 1024);
  const Bytes bytes = pattern(1'000'000);
  const asio::const_buffer piece(bytes.data(), bytes.size());
  int unsent = 0;
  while (!transport->write_some(std::span(&piece, 1)).blocked) {
  }
  ASSERT_EQ(ioctl(transport->socket().native_handle(), SIOCOUTQNSD, &unsent), 0);
  EXPECT_LT(unsent, 512 * 1024);
}

TEST_F(TransportTest, WritingToAClosedPeerIsAnErrorNotASignal) {
  auto [a, b] = connected_pair();
  const auto transport = make_plain_transport(std::move(a));
  b.set_option(asio::socket_base::linger(true, 0));
  b.close();
  const Bytes bytes = pattern(1000);
  const asio::const_buffer piece(bytes.data(), bytes.size());
  boost::system::error_code ec;
  for (int i = 0; i < 100 && !ec; ++i) ec = transport->write_some(std::span(&piece, 1)).ec;
  EXPECT_TRUE(ec);
}

TEST_F(TransportTest, MovesToAnotherContextWithItsConnection) {
  auto [a, b] = connected_pair();
  asio::io_context other{1};
  const auto transport = make_plain_transport(std::move(a));
  transport->move_to(other);
  const Bytes bytes = pattern(100);
  const asio::const_buffer piece(bytes.data(), bytes.size());
  EXPECT_EQ(transport->write_some(std::span(&piece, 1)).bytes, 100U);
  std::size_t read = 0;
  asio::co_spawn(
      other,
      [&]() -> asio::awaitable<void> {
        std::array<std::byte, 16> buffer;
        read = (co_await transport->read(buffer)).bytes;
      },
      asio::detached);
  asio::write(b, asio::buffer("x", 1));
  other.run();
  EXPECT_EQ(read, 1U);
}

TEST_F(TransportTest, AcknowledgedBytesAreCounted) {
  auto [a, b] = connected_pair();
  const auto from = make_plain_transport(std::move(a));
  const auto before = from->stats().bytes_acked;
  const auto to = make_plain_transport(std::move(b));
  transfer(*from, *to, 100'000, 50'000);
  EXPECT_GE(from->stats().bytes_acked - before, 100'000U);
}

TEST_F(TransportTest, TlsCarriesEveryByteThroughAFullSocket) {
  for (const std::size_t piece : {17UL, 5000UL, 16'384UL, 1'000'000UL}) {
    auto [a, b] = connected_pair();
    const auto client =
        make_tls_client(std::move(a), TlsContext::client(certificate_dir() / "cert.pem"), "localhost", true);
    const auto server = make_tls_server(std::move(b), server_context());
    const auto [client_ec, server_ec] = shake_hands(*client, *server);
    ASSERT_FALSE(client_ec) << client->failure();
    ASSERT_FALSE(server_ec) << server->failure();
    transfer(*client, *server, piece < 100 ? 200'000 : 8'000'000, piece);
  }
}

TEST_F(TransportTest, TlsRefusesACertificateOfAnotherHost) {
  auto [a, b] = connected_pair();
  const auto client =
      make_tls_client(std::move(a), TlsContext::client(certificate_dir() / "cert.pem"), "example.org", true);
  const auto server = make_tls_server(std::move(b), server_context());
  const auto [client_ec, server_ec] = shake_hands(*client, *server);
  EXPECT_TRUE(client_ec);
  EXPECT_NE(client->failure().find("hostname"), std::string::npos) << client->failure();
}

TEST_F(TransportTest, TlsRefusesAnUnknownAuthorityUnlessToldNotToVerify) {
  for (const bool verify : {true, false}) {
    auto [a, b] = connected_pair();
    const auto client = make_tls_client(std::move(a), TlsContext::client({}), "localhost", verify);
    const auto server = make_tls_server(std::move(b), server_context());
    const auto [client_ec, server_ec] = shake_hands(*client, *server);
    EXPECT_EQ(static_cast<bool>(client_ec), verify) << client->failure();
    if (verify) {
      EXPECT_NE(client->failure().find("certificate not accepted"), std::string::npos);
    }
  }
}

TEST_F(TransportTest, BadCertificateFilesAreNamed) {
  try {
    TlsContext::server("/nowhere/cert.pem", "/nowhere/key.pem");
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find("/nowhere/cert.pem"), std::string::npos);
  }
}

}  // namespace
}  // namespace simulcast::net
