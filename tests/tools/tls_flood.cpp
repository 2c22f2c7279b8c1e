// TLS records for their own sake (fault line S13), from either end of a connection.
//
//   tls_flood client PORT KIND RECORDS [FILE]       to 127.0.0.1:PORT; what is in FILE is said first
//   tls_flood server PORT CERT KEY KIND RECORDS     of whoever connects to 127.0.0.1:PORT, one after another
//
// KIND: key-updates, key-updates-asked-back (each wants one in return) or one-byte. Sends them as fast as
// they are taken and prints a line of JSON for each connection: how many went out, for how many ms, and
// whether the peer ended it.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void fail(const char* what) {
  std::fprintf(stderr, "tls_flood: %s\n", what);
  std::exit(1);
}

sockaddr_in loopback(const char* port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(std::atoi(port)));
  return address;
}

bool send_one(SSL* ssl, std::string_view kind) {
  if (kind == "one-byte") return SSL_write(ssl, "x", 1) == 1;
  const int wish = kind == "key-updates" ? SSL_KEY_UPDATE_NOT_REQUESTED : SSL_KEY_UPDATE_REQUESTED;
  return SSL_key_update(ssl, wish) == 1 && SSL_do_handshake(ssl) == 1;
}

void flood(SSL* ssl, std::string_view kind, long records) {
  const auto began = Clock::now();
  long sent = 0;
  while (sent < records && send_one(ssl, kind)) ++sent;
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - began).count();
  std::printf("{\"sent\": %ld, \"ms\": %lld, \"cut\": %s}\n", sent, static_cast<long long>(ms),
              sent < records ? "true" : "false");
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  const std::string_view end = argc > 1 ? argv[1] : "";
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  if (end == "client" && (argc == 5 || argc == 6)) {
    const sockaddr_in address = loopback(argv[2]);
    if (::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
      fail("cannot connect");
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    SSL* const ssl = SSL_new(SSL_CTX_new(TLS_client_method()));
    SSL_set_fd(ssl, socket);
    if (SSL_connect(ssl) != 1) fail("no TLS");
    if (argc == 6) {
      std::ifstream file(argv[5], std::ios::binary);
      const std::string first{std::istreambuf_iterator<char>(file), {}};
      if (SSL_write(ssl, first.data(), static_cast<int>(first.size())) <= 0)
        fail("cannot say what is to come first");
    }
    flood(ssl, argv[3], std::atol(argv[4]));
    return 0;
  }
  if (end == "server" && argc == 7) {
    const sockaddr_in address = loopback(argv[2]);
    ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(socket, 16) != 0)
      fail("cannot listen");
    SSL_CTX* const context = SSL_CTX_new(TLS_server_method());
    if (SSL_CTX_use_certificate_chain_file(context, argv[3]) != 1 ||
        SSL_CTX_use_PrivateKey_file(context, argv[4], SSL_FILETYPE_PEM) != 1) {
      fail("no certificate");
    }
    std::puts("listening");
    std::fflush(stdout);
    for (;;) {
      const int peer = ::accept4(socket, nullptr, nullptr, SOCK_CLOEXEC);
      if (peer < 0) continue;
      ::setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      SSL* const ssl = SSL_new(context);
      SSL_set_fd(ssl, peer);
      if (SSL_accept(ssl) == 1) flood(ssl, argv[5], std::atol(argv[6]));
      SSL_free(ssl);
      ::close(peer);
    }
  }
  fail("usage: tls_flood client PORT KIND RECORDS [FILE] | tls_flood server PORT CERT KEY KIND RECORDS");
}
