// A stranger behind a TLS handshake, who then sends what records he likes: KeyUpdates, small ones, large
// ones, and at last what are none. No step of the relay takes more than a turn's worth, and whoever sends for
// the sake of sending is sent away.
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <vector>

#include "net/tls.hpp"
#include "net/tls_records.hpp"
#include "net/tls_socket.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/fuzz/scratch_directory.hpp"

using namespace simulcast;
namespace asio = boost::asio;

namespace {

constexpr std::size_t kMostSteps = 2000;

// A certificate of its own, made when first needed.
std::shared_ptr<net::TlsContext> server_context() {
  static const auto made = [] {
    const fuzz::ScratchDirectory scratch;
    const auto certificate_file = scratch.path() / "cert.pem";
    const auto key_file = scratch.path() / "key.pem";
    EVP_PKEY* const key = EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256");
    X509* const certificate = X509_new();
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 86'400);
    X509_set_pubkey(certificate, key);
    X509_sign(certificate, key, EVP_sha256());
    std::FILE* file = std::fopen(certificate_file.c_str(), "w");
    fuzz::check(file != nullptr && PEM_write_X509(file, certificate) == 1);
    std::fclose(file);
    file = std::fopen(key_file.c_str(), "w");
    fuzz::check(file != nullptr &&
                PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr) == 1);
    std::fclose(file);
    X509_free(certificate);
    EVP_PKEY_free(key);
    return net::TlsContext::server(certificate_file, key_file);
  }();
  return made;
}

SSL_CTX* client_context() {
  static SSL_CTX* const made = SSL_CTX_new(TLS_client_method());
  return made;
}

struct Server {
  std::unique_ptr<net::TlsTransport> transport;
  boost::system::error_code ec;
  std::size_t bytes = 0;
  bool ready = false;
  bool ended = false;

  asio::awaitable<void> serve() {
    ec = co_await transport->handshake();
    ready = !ec;
    std::array<std::byte, 4096> buffer;
    while (!ec) {
      const net::IoResult got = co_await transport->read(buffer);
      bytes += got.bytes;
      ec = got.ec;
    }
    ended = true;
    transport->close();
  }
};

// Step by step: what one step reads is bounded.
void let_work(asio::io_context& context, const Server& server) {
  for (;;) {
    const std::size_t before = server.bytes;
    if (context.poll_one() == 0) return;
    fuzz::check(server.bytes - before <= net::TlsSocket::kTurnBytes);
  }
}

}  // namespace

void fuzz::run(const std::uint8_t* data, std::size_t size) {
  std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes to sockets that were closed
  int sockets[2];
  fuzz::check(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sockets) == 0);
  asio::io_context context{1};
  Server server;
  {
    asio::ip::tcp::socket socket(context);
    socket.assign(asio::ip::tcp::v4(), sockets[0]);
    server.transport = net::make_tls_server(std::move(socket), server_context());
  }
  asio::co_spawn(context, server.serve(), asio::detached);
  SSL* const client = SSL_new(client_context());
  SSL_set_fd(client, sockets[1]);
  for (int i = 0; i < 100 && !server.ready && !server.ended; ++i) {
    SSL_connect(client);
    let_work(context, server);
  }
  fuzz::check(server.ready);

  std::size_t sent = 0;
  std::size_t key_updates = 0;
  bool garbage = false;
  const std::vector<char> content(16 * 1024, 'x');
  std::size_t steps = 0;
  // Two bytes a step: what, and how much or how often.
  for (std::size_t at = 0; at + 2 <= size && steps < kMostSteps && !server.ended; at += 2) {
    const unsigned amount = data[at + 1];
    switch (data[at] & 3) {
      case 0:
        for (unsigned i = 0; i <= amount % 64 && !server.ended; ++i, ++steps) {
          const int kind = (data[at] & 4) != 0 ? SSL_KEY_UPDATE_REQUESTED : SSL_KEY_UPDATE_NOT_REQUESTED;
          if (SSL_key_update(client, kind) == 1 && SSL_do_handshake(client) == 1) ++key_updates;
        }
        break;
      case 1:
        for (unsigned i = 0; i <= amount && !server.ended; ++i, ++steps) {
          const int wrote = SSL_write(client, content.data(), 1 + static_cast<int>(data[at] >> 2));
          if (wrote > 0) sent += static_cast<std::size_t>(wrote);
        }
        break;
      case 2: {
        const int wrote = SSL_write(client, content.data(), 1 + static_cast<int>(amount) * 64);
        if (wrote > 0) sent += static_cast<std::size_t>(wrote);
        ++steps;
        break;
      }
      default:
        garbage = ::send(sockets[1], data + at, 2, MSG_NOSIGNAL) > 0 || garbage;
        ++steps;
    }
    let_work(context, server);
    char answers[4096];
    while (SSL_read(client, answers, sizeof answers) > 0) {
    }
  }
  let_work(context, server);
  fuzz::check(server.bytes <= sent);
  if (!server.ended && !garbage) fuzz::check(server.bytes == sent);
  if (key_updates > static_cast<std::size_t>(2 * net::TlsRecords::kMostKeyUpdates)) fuzz::check(server.ended);
  if (server.ended) fuzz::check(server.ec.failed() && !server.ec.message().empty());
  SSL_free(client);
  ::close(sockets[1]);
  let_work(context, server);
  fuzz::check(server.ended);
}
