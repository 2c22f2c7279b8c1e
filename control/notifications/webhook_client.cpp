#include "control/notifications/webhook_client.hpp"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <spdlog/fmt/fmt.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <optional>
#include <utility>
#include <variant>

#include "config/denied_networks.hpp"
#include "control/notifications/webhook_url.hpp"

namespace simulcast::control {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr auto kResult = asio::as_tuple(asio::use_awaitable);

constexpr std::uint32_t kMaxHeader = 16 * 1024;
constexpr std::size_t kReadBuffer = 32 * 1024;
constexpr int kMaxInterim = 8;  // answers of the kind 1xx before the real one

std::shared_ptr<asio::ssl::context> shared_context(const net::TlsContext& tls) {
  ::SSL_CTX_up_ref(tls.native());  // the context takes ownership
  return std::make_shared<asio::ssl::context>(tls.native());
}

// What becomes of one request. Lives in the coroutine of post().
class Exchange {
 public:
  Exchange(WebhookUrl url, WebhookRequest request, net::Resolver& resolver, const net::AddressFilter& allowed,
           std::shared_ptr<asio::ssl::context> tls)
      : url_(std::move(url)),
        request_(std::move(request)),
        resolver_(resolver),
        allowed_(allowed),
        tls_(std::move(tls)) {}

  // Comes back whatever happens.
  asio::awaitable<void> run() {
    try {
      co_await converse();
    } catch (const std::exception& error) {
      failure_ = error.what();
    }
  }

  WebhookAnswer answer(bool in_time, std::chrono::milliseconds timeout) {
    WebhookAnswer answer{.status = status_, .failure = std::move(failure_)};
    if (status_ >= 200 && status_ < 300) {
      answer.failure.clear();
    } else if (status_ >= 300 && status_ < 400) {
      answer.failure = fmt::format("it answered {}; redirects are not followed", status_);
    } else if (status_ != 0) {
      answer.failure = fmt::format("it answered {}", status_);
    } else if (!in_time) {
      answer.failure = fmt::format("no answer within {} ms while {}", timeout.count(), step_);
    } else if (answer.failure.empty()) {
      answer.failure = "there was no answer";
    }
    return answer;
  }

 private:
  asio::awaitable<void> converse() {
    auto dialled = co_await net::dial(resolver_, url_.host, url_.port, allowed_);
    if (auto* failure = std::get_if<net::DialFailure>(&dialled)) {
      failure_ = std::move(failure->message);
      co_return;
    }
    tcp::socket socket = std::move(std::get<tcp::socket>(dialled));
    if (!url_.tls) {
      co_await talk(socket);
      co_return;
    }
    asio::ssl::stream<tcp::socket> stream(std::move(socket), *tls_);
    expect_certificate(stream.native_handle());
    step_ = "shaking hands for TLS";
    const auto [error] = co_await stream.async_handshake(asio::ssl::stream_base::client, kResult);
    if (error) {
      const long verdict = ::SSL_get_verify_result(stream.native_handle());
      failure_ = verdict == X509_V_OK ? "TLS failed: " + error.message()
                                      : fmt::format("TLS failed: certificate not accepted: {}",
                                                    ::X509_verify_cert_error_string(verdict));
      co_return;
    }
    co_await talk(stream);
  }

  void expect_certificate(SSL* ssl) const {
    ::SSL_set_verify(ssl, SSL_VERIFY_PEER, nullptr);
    error_code not_an_address;
    asio::ip::make_address(url_.host, not_an_address);
    if (!not_an_address) {
      ::X509_VERIFY_PARAM_set1_ip_asc(::SSL_get0_param(ssl), url_.host.c_str());
      return;
    }
    SSL_set_tlsext_host_name(ssl, url_.host.c_str());
    ::SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    ::SSL_set1_host(ssl, url_.host.c_str());
  }

  template <class Stream>
  asio::awaitable<void> talk(Stream& stream) {
    step_ = "sending the request";
    http::request<http::string_body> message(http::verb::post, url_.target, 11);
    message.set(http::field::host, url_.host_header);
    message.set(http::field::user_agent, "simulcastd/" SIMULCASTD_VERSION);
    message.set(http::field::content_type, "application/json");
    message.set("Simulcastd-Delivery", std::to_string(request_.delivery));
    if (!request_.secret.empty()) message.set("cf-webhook-auth", request_.secret);
    message.keep_alive(false);
    message.body() = request_.body;
    message.prepare_payload();
    const auto [write_error, written] = co_await http::async_write(stream, message, kResult);
    if (write_error) {
      failure_ = "the connection was lost: " + write_error.message();
      co_return;
    }
    step_ = "waiting for its answer";
    beast::flat_buffer buffer(kReadBuffer);
    for (int i = 0; i <= kMaxInterim && status_ == 0; ++i) co_await read_answer(stream, buffer);
  }

  template <class Stream>
  asio::awaitable<void> read_answer(Stream& stream, beast::flat_buffer& buffer) {
    http::response_parser<http::buffer_body> parser;
    parser.header_limit(kMaxHeader);
    parser.body_limit(boost::none);  // it is this loop that ends
    const auto [error, bytes] = co_await http::async_read_header(stream, buffer, parser, kResult);
    if (error) throw std::runtime_error("no proper answer: " + error.message());
    const unsigned status = parser.get().result_int();
    if (status < 200) co_return;
    status_ = status;
    // Hanging up with bytes unread would reset the connection under the receiver's hands.
    std::array<char, 4096> unread;
    std::size_t seen = 0;
    while (!parser.is_done() && seen < WebhookClient::kMaxBody) {
      auto& body = parser.get().body();
      body.data = unread.data();
      body.size = unread.size();
      const auto [body_error, body_bytes] = co_await http::async_read(stream, buffer, parser, kResult);
      if (body_error && body_error != http::error::need_buffer) co_return;
      seen += unread.size() - parser.get().body().size;
    }
  }

  const WebhookUrl url_;
  const WebhookRequest request_;
  net::Resolver& resolver_;
  const net::AddressFilter& allowed_;
  const std::shared_ptr<asio::ssl::context> tls_;
  std::string_view step_ = "connecting";
  unsigned status_ = 0;
  std::string failure_;
};

}  // namespace

WebhookClient::WebhookClient(net::Resolver& resolver, const net::TlsContext& tls,
                             std::vector<config::Network> denied, std::chrono::milliseconds timeout)
    : resolver_(resolver),
      tls_(shared_context(tls)),
      allowed_([denied = std::move(denied)](const asio::ip::address& address) {
        return config::denying_network(address, denied) == nullptr;
      }),
      timeout_(timeout) {}

asio::awaitable<WebhookAnswer> WebhookClient::post(WebhookRequest request) {
  using namespace asio::experimental::awaitable_operators;
  auto url = parse_webhook_url(request.url);
  if (!url) co_return WebhookAnswer{.status = 0, .failure = "its URL cannot be used"};
  Exchange exchange(*std::move(url), std::move(request), resolver_, allowed_, tls_);
  asio::steady_timer deadline(co_await asio::this_coro::executor, timeout_);
  const auto ended = co_await (exchange.run() || deadline.async_wait(kResult));
  co_return exchange.answer(ended.index() == 0, timeout_);
}

}  // namespace simulcast::control
