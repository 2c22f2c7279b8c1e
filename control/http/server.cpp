#include "control/http/server.hpp"

#include <openssl/ssl.h>
#include <spdlog/spdlog.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <stdexcept>

#include "control/http/session.hpp"
#include "net/descriptors.hpp"
#include "net/tls.hpp"

namespace simulcast::control {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr auto kResult = asio::as_tuple(asio::use_awaitable);

// When the system has no descriptor or memory for one more connection, asking again at once would only burn
// the core.
constexpr std::chrono::milliseconds kAcceptBackoff{100};
// Connections beyond the limit that may be on their way out with a word of refusal; more are closed without
// one.
constexpr std::size_t kMaxRefusals = 64;

std::shared_ptr<asio::ssl::context> server_context(const config::Certificate& certificate) {
  const auto loaded = net::TlsContext::server(certificate.certificate, certificate.key);
  ::SSL_CTX_up_ref(loaded->native());  // the context takes ownership
  return std::make_shared<asio::ssl::context>(loaded->native());
}

void end_of_session(const std::exception_ptr& error) {
  if (!error) return;
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& reason) {
    spdlog::error("http session failed error=\"{}\"", reason.what());
  }
}

}  // namespace

struct HttpServer::Impl : std::enable_shared_from_this<Impl> {
  Impl(const asio::any_io_executor& executor, Handler handler, HttpLimits limits)
      : service(std::make_shared<HttpService>(limits)), acceptor(executor), backoff(executor) {
    service->handler = std::move(handler);
  }

  static asio::awaitable<void> accept(std::shared_ptr<Impl> self) {
    while (self->acceptor.is_open()) {
      auto [error, socket] = co_await self->acceptor.async_accept(kResult);
      if (!self->acceptor.is_open()) co_return;
      if (error == asio::error::connection_aborted) continue;  // gone before it was taken
      if (error) {
        spdlog::warn("http accept failed error=\"{}\"", error.message());
        self->backoff.expires_after(kAcceptBackoff);
        co_await self->backoff.async_wait(kResult);
        continue;
      }
      if (self->is_too_many(socket.native_handle())) {
        spdlog::warn("api connections are turned away: too few file descriptors are left");
        socket.close(error);
        self->backoff.expires_after(kAcceptBackoff);
        co_await self->backoff.async_wait(kResult);
        continue;
      }
      self->admit(std::move(socket));
    }
  }

  // When outputs and encoders have taken nearly all descriptors, some are left for connections of ours: for
  // so many, of which the one that has waited longest for a request makes room.
  bool is_too_many(int descriptor) {
    if (!net::is_reserved(descriptor, net::DescriptorUse::api)) return false;
    if (service->sessions.size() >= net::api_share()) return !make_room();
    return net::is_reserved(descriptor, net::DescriptorUse::api_share);
  }

  void admit(tcp::socket socket) {
    const bool refuse =
        service->sessions.size() - service->refusals >= service->limits.connections && !make_room();
    if (refuse && service->refusals >= kMaxRefusals) return;
    const auto executor = socket.get_executor();
    asio::co_spawn(executor, run_http_session(service, std::move(socket), refuse), end_of_session);
  }

  // Whoever has been waiting for longest goes, so that a thousand idle connections lock nobody out.
  bool make_room() {
    HttpSession* oldest = nullptr;
    for (HttpSession* session : service->sessions) {
      const auto since = session->waiting_since();
      if (since && (oldest == nullptr || *since < *oldest->waiting_since())) oldest = session;
    }
    if (oldest == nullptr) return false;
    oldest->stop();
    return true;
  }

  void stop() {
    service->stopping = true;
    error_code ignored;
    acceptor.close(ignored);
    backoff.cancel();
    for (HttpSession* session : service->sessions) session->stop();
  }

  std::shared_ptr<HttpService> service;
  tcp::acceptor acceptor;
  asio::steady_timer backoff;
};

HttpServer::HttpServer(const asio::any_io_executor& executor, Handler handler, HttpLimits limits)
    : impl_(std::make_shared<Impl>(executor, std::move(handler), limits)) {}

HttpServer::~HttpServer() {
  impl_->stop();
}

std::uint16_t HttpServer::listen(const config::Listen& address,
                                 const std::optional<config::Certificate>& tls) {
  if (tls) impl_->service->tls = server_context(*tls);
  try {
    tcp::resolver resolver(impl_->acceptor.get_executor());
    const auto found = resolver.resolve(address.host, std::to_string(address.port), tcp::resolver::passive);
    const tcp::endpoint endpoint = found.begin()->endpoint();
    impl_->acceptor.open(endpoint.protocol());
    impl_->acceptor.set_option(tcp::acceptor::reuse_address(true));
    impl_->acceptor.bind(endpoint);
    impl_->acceptor.listen();
  } catch (const boost::system::system_error& error) {
    impl_->acceptor = tcp::acceptor(impl_->acceptor.get_executor());
    throw std::runtime_error(fmt::format("cannot listen on {}:{} for the control API: {}", address.host,
                                         address.port, error.code().message()));
  }
  asio::co_spawn(impl_->acceptor.get_executor(), Impl::accept(impl_), end_of_session);
  return impl_->acceptor.local_endpoint().port();
}

void HttpServer::renew(const config::Certificate& tls) {
  if (impl_->service->tls) impl_->service->tls = server_context(tls);
}

bool HttpServer::listening() const {
  return impl_->acceptor.is_open();
}

void HttpServer::stop() {
  impl_->stop();
}

}  // namespace simulcast::control
