#include "ingest/srt_server.hpp"

#include <spdlog/spdlog.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <stdexcept>
#include <utility>

#include "ingest/srt_publisher.hpp"
#include "ingest/strangers.hpp"
#include "protocol/srt/stream_id.hpp"

namespace simulcast::ingest {

namespace asio = boost::asio;
using asio::ip::udp;
using Steady = std::chrono::steady_clock;

namespace {

// libsrt does not say when a handshake has failed; the sockets are asked this often.
constexpr std::chrono::milliseconds kLookAgain{200};
// The same refusal of the same host is logged once in this time, with how often it was repeated.
constexpr std::chrono::seconds kLogAgain{10};

constexpr const char* kBadPassphrase =
    "the passphrase is wrong or missing: copy the input's SRT passphrase again";

net::SrtOptions options_of(const config::SrtIngest& config) {
  net::SrtOptions options;
  options.latency = config.latency;
  return options;
}

}  // namespace

SrtServer::SrtServer(net::SrtRuntime& runtime, net::ShardPool& shards, Gate& gate,
                     const config::SrtIngest& config)
    : runtime_(runtime),
      shards_(shards),
      gate_(gate),
      config_(config),
      look_again_(shards[0].context()),
      listener_(runtime, shards[0].executor(), options_of(config),
                [this](const net::SrtListener::Request& request) { return admit(request); }) {}

SrtServer::~SrtServer() = default;

void SrtServer::open() {
  const auto& listen = config_.listen;
  const std::string wanted = listen.host + ":" + std::to_string(listen.port);
  std::string cause;
  try {
    udp::resolver resolver(shards_[0].context());
    const udp::endpoint local =
        *resolver.resolve(listen.host, std::to_string(listen.port), udp::resolver::passive).begin();
    cause = listener_.open(local);
  } catch (const boost::system::system_error& error) {
    cause = error.code().message();
  }
  if (!cause.empty()) throw std::runtime_error("cannot listen for srt on " + wanted + ": " + cause);
}

void SrtServer::start() {
  asio::co_spawn(shards_[0].context(), accept_loop(), asio::detached);
  asio::co_spawn(shards_[0].context(), report_failures(), asio::detached);
}

void SrtServer::stop() {
  stopped_ = true;
  look_again_.cancel();
  listener_.close();
}

// The log may have to wait for a disk, which libsrt's thread must not.
int SrtServer::refuse(const std::string& peer, std::string cause, int code) {
  asio::post(shards_[0].context(), [this, peer, cause = std::move(cause)] { log_refused(peer, cause); });
  return code;
}

void SrtServer::log_refused(const std::string& peer, std::string_view cause) {
  const std::string host = peer.substr(0, peer.rfind(':'));
  const auto now = Steady::now();
  if (host == last_host_ && cause == last_cause_ && now - last_logged_ < kLogAgain) {
    ++repeated_;
    return;
  }
  const unsigned repeated = std::exchange(repeated_, 0);
  if (repeated > 0) {
    spdlog::warn("publisher refused proto=srt host={} cause=\"{}\" repeated={}", last_host_, last_cause_,
                 repeated);
  }
  spdlog::warn("publisher refused proto=srt peer={} cause=\"{}\"", peer, cause);
  last_host_ = host;
  last_cause_ = cause;
  last_logged_ = now;
}

int SrtServer::admit(const net::SrtListener::Request& request) {
  const auto id = srt::parse_stream_id(request.stream_id);
  if (!id.publish) {
    return refuse(request.peer, "the stream id asks for something else than to publish (m=publish)",
                  kBadMode);
  }
  if (id.resource.empty()) {
    return refuse(request.peer, "the stream id is missing: it must be the input's uid", kBadRequest);
  }
  auto asked = gate_.srt_passphrase(id.resource);
  if (auto* refusal = std::get_if<Refusal>(&asked)) {
    const bool disabled = refusal->cause == Refusal::Cause::disabled;
    return refuse(request.peer, std::move(refusal->reason), disabled ? kForbidden : kNotFound);
  }
  const std::string& passphrase = std::get<SrtPassphrase>(asked).text;
  if (!net::set_srt_passphrase(request.handle, passphrase)) return kBadRequest;
  if (!handshakes_.begin(request.handle, this, request.peer, passphrase)) {
    return refuse(request.peer, "too many handshakes have failed", net::SrtHandshakes::kOverloaded);
  }
  return 0;
}

asio::awaitable<void> SrtServer::accept_loop() {
  while (!stopped_) {
    const auto handle = co_await listener_.accept();
    if (!handle) co_return;
    const auto handshake = handshakes_.end(*handle).value_or(net::SrtHandshakes::Handshake{});
    // Between the handshake and now the keys may have been changed or the input deleted.
    auto decision = gate_.authorize(handshake.note, media::IngestProtocol::srt);
    if (const auto* refusal = std::get_if<Refusal>(&decision)) {
      log_refused(handshake.peer, refusal->reason);
      runtime_.close(*handle);
      continue;
    }
    serve_srt_publisher(runtime_, *handle, std::move(std::get<Grant>(decision)), gate_);
  }
}

asio::awaitable<void> SrtServer::report_failures() {
  while (!stopped_) {
    look_again_.expires_after(kLookAgain);
    co_await look_again_.async_wait(asio::as_tuple(asio::use_awaitable));
    for (const std::string& peer : handshakes_.take_failed(this)) log_refused(peer, kBadPassphrase);
  }
}

}  // namespace simulcast::ingest
