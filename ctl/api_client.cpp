#include "ctl/api_client.hpp"

#include <openssl/ssl.h>
#include <spdlog/fmt/fmt.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <optional>

#include "ctl/errors.hpp"

namespace simulcast::ctl {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace json = boost::json;
using boost::system::error_code;

namespace {

// Trying an output out takes up to half a minute.
constexpr std::chrono::seconds kTimeout{60};
constexpr std::size_t kMaxAnswer = std::size_t{256} << 20;

std::string where(const ConnectionSettings& settings) {
  const bool v6 = settings.host.find(':') != std::string::npos;
  return fmt::format("{}://{}:{}", settings.tls ? "https" : "http",
                     v6 ? "[" + settings.host + "]" : settings.host, settings.port);
}

[[noreturn]] void unreachable(const ConnectionSettings& settings, const std::string& cause) {
  throw CommandError(
      ExitCode::unreachable,
      fmt::format("no daemon can be reached at {}: {}; is it running (systemctl status simulcastd)?",
                  where(settings), cause));
}

using Message = http::request<http::string_body>;
using Answer = http::response<http::string_body>;

}  // namespace

// Plain or TLS; the deadlines of tcp_stream work on asynchronous calls only, so those are run to their end
// here.
struct ApiClient::Connection {
  explicit Connection(const ConnectionSettings& settings)
      : settings_(settings), tls_(asio::ssl::context::tls_client) {
    if (settings.tls) {
      error_code ignored;
      tls_.set_default_verify_paths(ignored);
      if (!settings.ca_file.empty()) {
        error_code error;
        tls_.load_verify_file(settings.ca_file.string(), error);
        if (error) throw CommandError(ExitCode::usage, "--ca-file cannot be used: " + error.message());
      }
      tls_.set_verify_mode(settings.verify ? asio::ssl::verify_peer : asio::ssl::verify_none);
    }
    stream_.emplace(io_, tls_);
  }

  void connect() {
    asio::ip::tcp::resolver resolver(io_);
    error_code error;
    const auto found = resolver.resolve(settings_.host, settings_.port, error);
    if (error) unreachable(settings_, error.message());
    wait([&](auto done) { tcp().async_connect(found, [done](error_code ec, const auto&) { done(ec); }); });
    if (!settings_.tls) return;
    ::SSL_set_tlsext_host_name(stream_->native_handle(), settings_.host.c_str());
    if (settings_.verify) stream_->set_verify_callback(asio::ssl::host_name_verification(settings_.host));
    wait([&](auto done) { stream_->async_handshake(asio::ssl::stream_base::client, done); });
  }

  Answer exchange(Message& message) {
    http::response_parser<http::string_body> parser;
    parser.body_limit(kMaxAnswer);
    if (settings_.tls) {
      transfer(*stream_, message, parser);
    } else {
      transfer(tcp(), message, parser);
    }
    return parser.release();
  }

 private:
  beast::tcp_stream& tcp() { return stream_->next_layer(); }

  template <class Stream>
  void transfer(Stream& stream, Message& message, http::response_parser<http::string_body>& parser) {
    wait([&](auto done) {
      http::async_write(stream, message, [done](error_code ec, std::size_t) { done(ec); });
    });
    wait([&](auto done) {
      http::async_read(stream, buffer_, parser, [done](error_code ec, std::size_t) { done(ec); });
    });
  }

  template <class Start>
  void wait(Start start) {
    error_code result;
    tcp().expires_after(kTimeout);
    start([&result](error_code ec) { result = ec; });
    io_.restart();
    io_.run();
    if (result) unreachable(settings_, result.message());
  }

  const ConnectionSettings& settings_;
  asio::io_context io_;
  asio::ssl::context tls_;
  std::optional<beast::ssl_stream<beast::tcp_stream>> stream_;
  beast::flat_buffer buffer_;
};

ApiClient::ApiClient(ConnectionSettings settings) : settings_(std::move(settings)) {}
ApiClient::~ApiClient() = default;

json::value ApiClient::request(std::string_view method, std::string_view path, const json::value& body) {
  Message message(http::string_to_verb(method),
                  fmt::format("/client/v4/accounts/{}/stream{}", settings_.account, path), 11);
  message.set(http::field::host, settings_.host + ":" + settings_.port);
  message.set(http::field::user_agent, "simulcastctl/" SIMULCASTD_VERSION);
  message.set(http::field::authorization, "Bearer " + settings_.token);
  if (!body.is_null()) {
    message.set(http::field::content_type, "application/json");
    message.body() = json::serialize(body);
  }
  message.prepare_payload();

  // Put back when it can be used again, so not when anything goes wrong.
  auto connection = std::move(connection_);
  if (!connection) {
    connection = std::make_unique<Connection>(settings_);
    connection->connect();
  }
  const Answer answer = connection->exchange(message);
  if (answer.keep_alive()) connection_ = std::move(connection);

  error_code error;
  const json::value envelope = json::parse(answer.body(), error);
  const auto* object = error ? nullptr : envelope.if_object();
  if (object == nullptr || !object->contains("success")) {
    unreachable(settings_,
                fmt::format("what answers there (status {}) is not simulcastd", answer.result_int()));
  }
  if (object->at("success") == json::value(true)) return object->at("result");
  std::string sentence;
  for (const auto& fault : object->at("errors").as_array()) {
    if (!sentence.empty()) sentence += "\n";
    sentence += fault.at("message").as_string();
    if (const auto* source = fault.as_object().if_contains("source")) {
      sentence += fmt::format(" ({})", std::string_view(source->at("pointer").as_string()));
    }
  }
  throw CommandError(ExitCode::refused, sentence);
}

}  // namespace simulcast::ctl
