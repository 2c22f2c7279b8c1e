#include "ctl/http_connection.hpp"

#include <openssl/ssl.h>
#include <spdlog/fmt/fmt.h>

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <chrono>
#include <optional>

#include "ctl/errors.hpp"

namespace simulcast::ctl {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;

namespace {

// Trying an output out takes up to half a minute; something comes each second of what goes on and on.
constexpr std::chrono::seconds kTimeout{60};
constexpr std::uint64_t kMaxAnswer = std::uint64_t{256} << 20;
constexpr std::size_t kPiece = std::size_t{16} << 10;

}  // namespace

// The deadlines of tcp_stream work on asynchronous calls only, so those are run to their end here.
struct HttpConnection::Impl {
  explicit Impl(const ConnectionSettings& the_settings)
      : settings(the_settings), tls(asio::ssl::context::tls_client) {
    if (settings.tls) {
      error_code ignored;
      tls.set_default_verify_paths(ignored);
      if (!settings.ca_file.empty()) {
        error_code error;
        tls.load_verify_file(settings.ca_file.string(), error);
        if (error) throw CommandError(ExitCode::usage, "--ca-file cannot be used: " + error.message());
      }
      tls.set_verify_mode(settings.verify ? asio::ssl::verify_peer : asio::ssl::verify_none);
    }
    stream.emplace(io, tls);
    connect();
  }

  void connect() {
    asio::ip::tcp::resolver resolver(io);
    error_code error;
    const auto found = resolver.resolve(settings.host, settings.port, error);
    if (error) unreachable(settings, error.message());
    wait([&](auto done) { tcp().async_connect(found, [done](error_code ec, const auto&) { done(ec); }); });
    if (!settings.tls) return;
    ::SSL_set_tlsext_host_name(stream->native_handle(), settings.host.c_str());
    if (settings.verify) stream->set_verify_callback(asio::ssl::host_name_verification(settings.host));
    wait([&](auto done) { stream->async_handshake(asio::ssl::stream_base::client, done); });
  }

  beast::tcp_stream& tcp() { return stream->next_layer(); }

  // Calls `use` with the stream that requests go over.
  template <class Use>
  void with_stream(Use use) {
    if (settings.tls) {
      use(*stream);
    } else {
      use(tcp());
    }
  }

  void send(Request& request) {
    with_stream([&](auto& to) {
      wait([&](auto done) {
        http::async_write(to, request, [done](error_code ec, std::size_t) { done(ec); });
      });
    });
  }

  Answer read(http::response_parser<http::string_body>& parser) {
    parser.body_limit(kMaxAnswer);
    with_stream([&](auto& from) {
      wait([&](auto done) {
        http::async_read(from, buffer, parser, [done](error_code ec, std::size_t) { done(ec); });
      });
    });
    return parser.release();
  }

  void read_header(http::response_parser<http::empty_body>& parser) {
    with_stream([&](auto& from) {
      wait([&](auto done) {
        http::async_read_header(from, buffer, parser, [done](error_code ec, std::size_t) { done(ec); });
      });
    });
  }

  void read_pieces(http::response_parser<http::buffer_body>& parser,
                   const std::function<void(std::string_view)>& take) {
    parser.body_limit(boost::none);
    std::array<char, kPiece> piece;
    while (!parser.is_done()) {
      parser.get().body().data = piece.data();
      parser.get().body().size = piece.size();
      with_stream([&](auto& from) {
        wait([&](auto done) {
          http::async_read_some(from, buffer, parser, [done](error_code ec, std::size_t) {
            done(ec == http::error::need_buffer ? error_code() : ec);
          });
        });
      });
      take({piece.data(), piece.size() - parser.get().body().size});
    }
  }

  template <class Start>
  void wait(Start start) {
    error_code result;
    tcp().expires_after(kTimeout);
    start([&result](error_code ec) { result = ec; });
    io.restart();
    io.run();
    if (result) unreachable(settings, result.message());
  }

  const ConnectionSettings settings;
  asio::io_context io;
  asio::ssl::context tls;
  std::optional<beast::ssl_stream<beast::tcp_stream>> stream;
  beast::flat_buffer buffer;
};

HttpConnection::HttpConnection(const ConnectionSettings& settings)
    : impl_(std::make_unique<Impl>(settings)) {}
HttpConnection::~HttpConnection() = default;

HttpConnection::Answer HttpConnection::exchange(Request& request) {
  impl_->send(request);
  http::response_parser<http::string_body> parser;
  return impl_->read(parser);
}

HttpConnection::Answer HttpConnection::follow(Request& request, const std::function<void()>& begun,
                                              const std::function<void(std::string_view)>& take) {
  impl_->send(request);
  http::response_parser<http::empty_body> header;
  impl_->read_header(header);
  if (header.get().result() != http::status::ok) {
    http::response_parser<http::string_body> parser(std::move(header));
    return impl_->read(parser);
  }
  begun();
  http::response_parser<http::buffer_body> parser(std::move(header));
  impl_->read_pieces(parser, take);
  return {};
}

std::string authority_of(const ConnectionSettings& settings) {
  const bool v6 = settings.host.find(':') != std::string::npos;
  return fmt::format("{}:{}", v6 ? "[" + settings.host + "]" : settings.host, settings.port);
}

std::string address_of(const ConnectionSettings& settings) {
  return (settings.tls ? "https://" : "http://") + authority_of(settings);
}

void unreachable(const ConnectionSettings& settings, const std::string& cause) {
  throw CommandError(
      ExitCode::unreachable,
      fmt::format("no daemon can be reached at {}: {}; is it running (systemctl status simulcastd)?",
                  address_of(settings), cause));
}

}  // namespace simulcast::ctl
