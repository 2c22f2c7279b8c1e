// TLS by OpenSSL, straight on the socket (no memory BIO in between), so that a write is one copy into the
// record and readiness is the socket's own.
//
// Contexts are made once and shared by all threads; a transport belongs to one session.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <filesystem>
#include <memory>
#include <string>

#include "net/transport.hpp"

struct ssl_ctx_st;

namespace simulcast::net {

// The server's certificate, or the authorities a client trusts. Constructors throw std::runtime_error that
// names the file and what is wrong with it.
class TlsContext {
 public:
  // `certificate` is a PEM chain, leaf first.
  static std::shared_ptr<TlsContext> server(const std::filesystem::path& certificate,
                                            const std::filesystem::path& key);
  // Trusts the system's authorities and those in `ca_file` (may be empty).
  static std::shared_ptr<TlsContext> client(const std::filesystem::path& ca_file);

  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  ssl_ctx_st* native() const { return context_; }

 private:
  explicit TlsContext(ssl_ctx_st* context) : context_(context) {}
  ssl_ctx_st* context_;
};

class TlsTransport : public Transport {
 public:
  using Transport::Transport;
  // Ends with an error when the handshake fails or the certificate is not good; failure() then says why in
  // words.
  virtual boost::asio::awaitable<boost::system::error_code> handshake() = 0;
  virtual std::string failure() const = 0;
};

std::unique_ptr<TlsTransport> make_tls_server(Transport::Socket socket, std::shared_ptr<TlsContext> context);
// `host` goes into SNI and is checked against the certificate, unless `verify` is false.
std::unique_ptr<TlsTransport> make_tls_client(Transport::Socket socket, std::shared_ptr<TlsContext> context,
                                              const std::string& host, bool verify);

}  // namespace simulcast::net
