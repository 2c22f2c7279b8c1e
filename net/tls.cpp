#include "net/tls.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "net/activity.hpp"
#include "net/tls_records.hpp"
#include "net/tls_socket.hpp"

namespace simulcast::net {

namespace asio = boost::asio;

namespace {

std::string openssl_reason() {
  const unsigned long code = ERR_peek_last_error();
  const char* reason = code != 0 ? ERR_reason_error_string(code) : nullptr;
  ERR_clear_error();
  return reason != nullptr ? reason : "unknown TLS error";
}

ssl_ctx_st* new_context(const SSL_METHOD* method) {
  SSL_CTX* context = SSL_CTX_new(method);
  if (context == nullptr) throw std::runtime_error("TLS cannot be set up: " + openssl_reason());
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  // A record that was not taken may be offered again from another address; a partly taken write is reported
  // as such.
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  // Encoders and ingests commonly close without close_notify: that is an end of stream, not an error.
  SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_RENEGOTIATION);
  return context;
}

}  // namespace

std::shared_ptr<TlsContext> TlsContext::server(const std::filesystem::path& certificate,
                                               const std::filesystem::path& key) {
  std::shared_ptr<TlsContext> made(new TlsContext(new_context(TLS_server_method())));
  if (SSL_CTX_use_certificate_chain_file(made->native(), certificate.c_str()) != 1) {
    throw std::runtime_error("certificate " + certificate.string() + " cannot be used: " + openssl_reason());
  }
  if (SSL_CTX_use_PrivateKey_file(made->native(), key.c_str(), SSL_FILETYPE_PEM) != 1) {
    throw std::runtime_error("key " + key.string() + " cannot be used: " + openssl_reason());
  }
  if (SSL_CTX_check_private_key(made->native()) != 1) {
    throw std::runtime_error("key " + key.string() + " does not belong to certificate " +
                             certificate.string());
  }
  return made;
}

std::shared_ptr<TlsContext> TlsContext::client(const std::filesystem::path& ca_file) {
  std::shared_ptr<TlsContext> made(new TlsContext(new_context(TLS_client_method())));
  SSL_CTX_set_default_verify_paths(made->native());
  if (!ca_file.empty() && SSL_CTX_load_verify_locations(made->native(), ca_file.c_str(), nullptr) != 1) {
    throw std::runtime_error("CA file " + ca_file.string() + " cannot be used: " + openssl_reason());
  }
  ERR_clear_error();
  return made;
}

TlsContext::~TlsContext() {
  SSL_CTX_free(context_);
}

namespace {

struct SslDeleter {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};

// The largest TLS record; small pieces (chunk headers) are gathered up to it.
constexpr std::size_t kRecord = 16 * 1024;

class OpenSslTransport final : public TlsTransport {
 public:
  OpenSslTransport(Socket socket, std::shared_ptr<TlsContext> context)
      : TlsTransport(std::move(socket)),
        context_(std::move(context)),
        input_(static_cast<int>(socket_.native_handle())),
        ssl_(SSL_new(context_->native())) {
    if (!ssl_) throw std::bad_alloc();
    // A record that brings nothing for us ends a read, so that how many follow each other shows. Not for the
    // whole context: the streams of Asio, which the API and webhooks use, take such an end for a wish for
    // more bytes, and lose the answer behind a session ticket.
    SSL_clear_mode(ssl_.get(), SSL_MODE_AUTO_RETRY);
    BIO* const bio = input_.make_bio();
    SSL_set_bio(ssl_.get(), bio, bio);
    SSL_set_msg_callback(ssl_.get(), note_message);
    SSL_set_msg_callback_arg(ssl_.get(), this);
  }

  void be_server() { SSL_set_accept_state(ssl_.get()); }

  void be_client(const std::string& host, bool verify) {
    SSL_set_connect_state(ssl_.get());
    boost::system::error_code not_an_address;
    asio::ip::make_address(host, not_an_address);
    const bool is_name = static_cast<bool>(not_an_address);
    if (is_name) SSL_set_tlsext_host_name(ssl_.get(), host.c_str());
    if (!verify) {
      SSL_set_verify(ssl_.get(), SSL_VERIFY_NONE, nullptr);
      return;
    }
    SSL_set_verify(ssl_.get(), SSL_VERIFY_PEER, nullptr);
    if (is_name) {
      SSL_set_hostflags(ssl_.get(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
      SSL_set1_host(ssl_.get(), host.c_str());
    } else {
      X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_.get()), host.c_str());
    }
  }

  asio::awaitable<boost::system::error_code> handshake() override {
    for (;;) {
      const int done = shake_hands();
      if (done == 1) co_return boost::system::error_code{};
      const int why = SSL_get_error(ssl_.get(), done);
      boost::system::error_code ec;
      if (records_.flooded()) {
        ec = TlsError::flood;
        failure_ = ec.message();
      } else if (why == SSL_ERROR_WANT_READ) {
        ec = co_await wait_for_input();
      } else if (why == SSL_ERROR_WANT_WRITE) {
        ec = co_await wait_writable();
      } else {
        const long verdict = SSL_get_verify_result(ssl_.get());
        if (verdict != X509_V_OK) {
          failure_ = std::string("certificate not accepted: ") + X509_verify_cert_error_string(verdict);
        } else if (why == SSL_ERROR_ZERO_RETURN || (why == SSL_ERROR_SYSCALL && ERR_peek_error() == 0)) {
          failure_ = "the peer closed the connection during the TLS handshake";
        } else {
          failure_ = openssl_reason();
        }
        ec = asio::ssl::error::stream_truncated;
      }
      if (ec) co_return ec;
    }
  }

  std::string failure() const override { return failure_; }

  // read() writes to it when it has something, and ends then.
  asio::awaitable<IoResult> read_shared(std::span<std::byte> into) override { return read(into); }

  asio::awaitable<IoResult> read(std::span<std::byte> into) override {
    for (;;) {
      IoResult result = read_some(into);
      if (!result.blocked) co_return result;
      result.blocked = false;
      result.ec = co_await wait_for_input();
      if (result.ec) co_return result;
    }
  }

  IoResult write_some(std::span<const asio::const_buffer> buffers) override {
    // Of all connections of the thread: what one record is gathered in stays in the cache for the next.
    thread_local std::array<std::byte, kRecord> gathered;
    IoResult result;
    if (!flush_record(result)) return result;
    std::size_t offset = 0;  // in buffers.front()
    while (!buffers.empty()) {
      const auto* from = static_cast<const std::byte*>(buffers.front().data()) + offset;
      std::size_t size = kRecord;
      // Whole records go straight from the payload; what is smaller is gathered with its neighbours first.
      if (buffers.front().size() - offset < kRecord) {
        size = 0;
        for (std::size_t i = 0, skip = offset; i < buffers.size() && size < kRecord; ++i, skip = 0) {
          const std::size_t piece = std::min(buffers[i].size() - skip, kRecord - size);
          std::memcpy(gathered.data() + size, static_cast<const std::byte*>(buffers[i].data()) + skip, piece);
          size += piece;
        }
        if (size == 0) return result;
        from = gathered.data();
      }
      ERR_clear_error();
      const int sent = SSL_write(ssl_.get(), from, static_cast<int>(size));
      if (sent <= 0) {
        fail(sent, result);
        if (!result.blocked) return result;
        hold({from, size});
        result.bytes += size;
        return result;
      }
      result.bytes += static_cast<std::size_t>(sent);
      offset += static_cast<std::size_t>(sent);
      while (!buffers.empty() && offset >= buffers.front().size()) {
        offset -= buffers.front().size();
        buffers = buffers.subspan(1);
      }
    }
    return result;
  }

  bool unsent() const override { return held_ > written_; }

  void shutdown() override {
    if (SSL_is_init_finished(ssl_.get()) == 1) {
      ERR_clear_error();
      SSL_shutdown(ssl_.get());
      ERR_clear_error();
    }
    boost::system::error_code ignored;
    socket_.shutdown(Socket::shutdown_send, ignored);
  }

 private:
  int shake_hands() {
    const Activity activity("a TLS handshake");
    ERR_clear_error();
    return SSL_do_handshake(ssl_.get());
  }

  // Until there is something to read, or until the others on the thread have had their turn.
  asio::awaitable<boost::system::error_code> wait_for_input() {
    boost::system::error_code ec;
    if (input_.turn_is_over()) {
      co_await asio::post(asio::use_awaitable);
    } else {
      ec = co_await wait_readable();
    }
    input_.begin_turn();
    co_return ec;
  }

  // OpenSSL shows each record's header, and each handshake message.
  static void note_message(int written, int, int type, const void* bytes, std::size_t size, SSL*,
                           void* self) {
    if (written == 1 || size == 0) return;
    auto& transport = *static_cast<OpenSslTransport*>(self);
    const auto* at = static_cast<const unsigned char*>(bytes);
    if (type == SSL3_RT_HEADER && size >= SSL3_RT_HEADER_LENGTH) {
      transport.records_.record(std::size_t{at[3]} << 8 | at[4], TlsRecords::Clock::now());
    } else if (type == SSL3_RT_HANDSHAKE && at[0] == SSL3_MT_KEY_UPDATE) {
      transport.records_.key_update(TlsRecords::Clock::now());
    }
    if (transport.records_.flooded()) transport.input_.refuse();
  }

  // OpenSSL insists on the same bytes at the retry, so they are kept here and count as taken.
  void hold(std::span<const std::byte> bytes) {
    if (!record_) record_ = std::make_unique<std::array<std::byte, kRecord>>();
    std::ranges::copy(bytes, record_->begin());
    held_ = bytes.size();
    written_ = 0;
  }

  IoResult read_some(std::span<std::byte> into) {
    IoResult result;
    ERR_clear_error();
    const int got =
        SSL_read(ssl_.get(), into.data(), static_cast<int>(std::min<std::size_t>(into.size(), 1 << 30)));
    if (got > 0) {
      result.bytes = static_cast<std::size_t>(got);
    } else {
      fail(got, result);
    }
    return result;
  }

  // False when the record did not go out whole.
  bool flush_record(IoResult& result) {
    while (written_ < held_) {
      ERR_clear_error();
      const int sent = SSL_write(ssl_.get(), record_->data() + written_, static_cast<int>(held_ - written_));
      if (sent <= 0) {
        fail(sent, result);
        return false;
      }
      written_ += static_cast<std::size_t>(sent);
    }
    held_ = written_ = 0;
    return true;
  }

  void fail(int returned, IoResult& result) {
    const int saved_errno = errno;
    if (records_.flooded()) {
      result.ec = TlsError::flood;
      failure_ = result.ec.message();
      ERR_clear_error();
      return;
    }
    switch (SSL_get_error(ssl_.get(), returned)) {
      case SSL_ERROR_WANT_READ:
      case SSL_ERROR_WANT_WRITE:
        result.blocked = true;
        break;
      case SSL_ERROR_ZERO_RETURN:
        result.ec = asio::error::eof;
        break;
      case SSL_ERROR_SYSCALL:
        if (saved_errno != 0) {
          result.ec.assign(saved_errno, boost::system::system_category());
        } else {
          result.ec = asio::error::eof;
        }
        break;
      default:
        failure_ = openssl_reason();
        result.ec = asio::ssl::error::stream_truncated;
    }
    ERR_clear_error();
  }

  std::shared_ptr<TlsContext> context_;
  TlsRecords records_;
  TlsSocket input_;
  std::unique_ptr<SSL, SslDeleter> ssl_;
  std::unique_ptr<std::array<std::byte, kRecord>> record_;  // not taken by the socket; made when first needed
  std::size_t held_ = 0;
  std::size_t written_ = 0;
  std::string failure_;
};

}  // namespace

std::unique_ptr<TlsTransport> make_tls_server(Transport::Socket socket, std::shared_ptr<TlsContext> context) {
  auto transport = std::make_unique<OpenSslTransport>(std::move(socket), std::move(context));
  transport->be_server();
  return transport;
}

std::unique_ptr<TlsTransport> make_tls_client(Transport::Socket socket, std::shared_ptr<TlsContext> context,
                                              const std::string& host, bool verify) {
  auto transport = std::make_unique<OpenSslTransport>(std::move(socket), std::move(context));
  transport->be_client(host, verify);
  return transport;
}

}  // namespace simulcast::net
