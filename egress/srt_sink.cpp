#include "egress/srt_sink.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "config/denied_networks.hpp"
#include "net/activity.hpp"
#include "net/descriptors.hpp"
#include "net/dial.hpp"
#include "net/endpoint_text.hpp"
#include "protocol/mpegts/trail_packet.hpp"
#include "protocol/srt/stream_id.hpp"

namespace simulcast::egress {

namespace asio = boost::asio;
using namespace asio::experimental::awaitable_operators;
using Steady = std::chrono::steady_clock;

namespace {

// Seven packets of MPEG-TS: what every SRT receiver has room for.
constexpr std::size_t kMessage = 1316;
// More media than this in the mailbox is a backlog, and sent at its pace times kCatchUp.
constexpr std::chrono::milliseconds kBacklog{500};
constexpr double kCatchUp = 3;
constexpr double kLeastPace = 1'000'000;  // bytes a second
constexpr std::chrono::milliseconds kPaceTick{5};
// libsrt gives up what has waited for longer, in the middle of a GOP. The mailbox does that better.
constexpr std::chrono::seconds kSendDropDelay{10};
// An ending connection waits this long for the peer to have played what was sent.
constexpr std::chrono::seconds kFarewell{3};
constexpr std::chrono::milliseconds kFarewellPoll{10};
// Beyond the latency: a peer that is busy takes what has come a little late.
constexpr std::chrono::milliseconds kPlayed{300};
// Below these a code is libsrt's own, from there on the peer chose it (access-control.md).
constexpr int kPeerCodes = 1000;

// libsrt does not say when a handshake has failed; the sockets are asked this often.
constexpr std::chrono::milliseconds kLookAgain{200};

constexpr int kRefusedByPeer = 2;
constexpr int kTooOld = 8;

std::string peer_words(int code) {
  switch (code) {
    case 1400:
      return "it does not understand the stream id";
    case 1401:
      return "it wants authorisation: check the stream id and the passphrase";
    case 1402:
    case 1503:
      return "it is overloaded or down";
    case 1403:
      return "access is forbidden: check the stream id";
    case 1404:
      return "it does not know this stream id";
    case 1405:
      return "it does not take a publisher there: check the mode in the stream id";
    case 1409:
      return "somebody is publishing there already";
    default:
      return "it gave the reason " + std::to_string(code);
  }
}

// Of these the next try may find nothing left.
bool passes(int code) {
  return code == 1402 || code == 1409 || code == 1500 || code == 1503;
}

Failure failure_of(const net::SrtRejection& rejection, const std::string& where) {
  using Kind = Failure::Kind;
  if (rejection.code == net::kSrtBadSecret) {
    return {Kind::rejected, "the destination refused the connection: the passphrase is wrong"};
  }
  if (rejection.code == net::kSrtUnsecure) {
    return {Kind::rejected,
            "the destination refused the connection: it encrypts and this output does not, or the other way "
            "round; check the passphrase"};
  }
  if (rejection.code == kTooOld) {
    return {Kind::rejected, "the destination's SRT version is too old"};
  }
  if (rejection.code >= kPeerCodes) {
    return {passes(rejection.code) ? Kind::lost : Kind::rejected,
            "the destination refused the connection: " + peer_words(rejection.code)};
  }
  if (rejection.code == kRefusedByPeer) {
    return {Kind::rejected, "the destination refused the connection without a reason: check the stream id"};
  }
  if (rejection.timed_out) {
    return {Kind::lost, "no answer from " + where + ": is an SRT server listening there (UDP)?"};
  }
  return {Kind::lost,
          "the SRT handshake with " + where + " failed (reason " + std::to_string(rejection.code) + ")"};
}

}  // namespace

SrtSink::SrtSink(net::SrtUrl url, media::Trail trail, Mailbox& mailbox, const Environment& environment,
                 const asio::any_io_executor& executor)
    : url_(std::move(url)),
      trail_(std::move(trail)),
      mailbox_(mailbox),
      environment_(environment),
      executor_(executor),
      pace_(executor) {}

SrtSink::~SrtSink() = default;

std::string_view SrtSink::waiting_for() const {
  return url_.mode == net::SrtUrl::Mode::rendezvous ? "the peer of the SRT rendezvous" : Sink::waiting_for();
}

std::optional<std::chrono::seconds> SrtSink::open_timeout() const {
  if (url_.mode == net::SrtUrl::Mode::listener) return std::nullopt;
  return kOpenTimeout;
}

net::SrtOptions SrtSink::options() const {
  net::SrtOptions options;
  if (url_.latency) options.latency = *url_.latency;
  // A listener's stream id is what the caller must show; it has none of its own.
  if (url_.mode == net::SrtUrl::Mode::caller) options.stream_id = url_.stream_id.value_or("");
  options.passphrase = url_.passphrase;
  options.key_length = url_.key_length;
  options.rendezvous = url_.mode == net::SrtUrl::Mode::rendezvous;
  options.send_drop_delay = kSendDropDelay;
  return options;
}

asio::awaitable<std::optional<Failure>> SrtSink::open() {
  std::optional<Failure> failure;
  if (url_.mode == net::SrtUrl::Mode::listener) {
    failure = co_await wait_for_call();
  } else {
    failure = co_await call();
  }
  open_ = !failure;
  // Nobody else has use for it.
  if (open_ && srt::may_name_live_input(url_.stream_id.value_or("")))
    static_cast<void>(socket_->send(mpegts::trail_packet(trail_)));
  co_return failure;
}

asio::awaitable<std::optional<Failure>> SrtSink::call() {
  const net::AddressFilter allowed = [this](const asio::ip::address& address) {
    return config::denying_network(address, environment_.config.deny) == nullptr;
  };
  begin(OpenStep::dns);
  auto found = co_await net::find_addresses(environment_.resolver, url_.host, url_.port, allowed);
  if (auto* failure = std::get_if<net::DialFailure>(&found)) {
    const auto kind =
        failure->step == net::DialFailure::Step::denied ? Failure::Kind::rejected : Failure::Kind::lost;
    co_return Failure{kind, std::move(failure->message)};
  }
  begin(OpenStep::srt_handshake);
  std::optional<Failure> failure;
  for (const auto& address : std::get<net::Addresses>(found)) {
    const Endpoint remote(address.address(), address.port());
    failure = co_await call(remote);
    if (!failure || failure->kind == Failure::Kind::rejected) break;
  }
  co_return failure;
}

asio::awaitable<std::optional<Failure>> SrtSink::call(const Endpoint& remote) {
  const auto impossible = [] {
    return Failure{Failure::Kind::lost, "SRT cannot open a socket: " + net::SrtRuntime::last_error_text()};
  };
  if (!net::has_descriptor(net::DescriptorUse::output)) {
    co_return Failure{Failure::Kind::lost, net::kTooFewDescriptors};
  }
  const net::SrtHandle handle = net::make_srt_handle(environment_.srt, options());
  if (handle == net::kNoSrtHandle) co_return impossible();
  socket_ = std::make_unique<net::SrtSocket>(environment_.srt, handle, executor_);
  const bool v6 = remote.address().is_v6();
  if (url_.mode == net::SrtUrl::Mode::rendezvous) {
    // Both ends use the same port number, each on its own address: ours is the one that leads to the peer.
    if (!net::bind_srt(handle, {address_towards(remote), url_.port})) co_return impossible();
  } else if (!environment_.srt.bind_outgoing(handle, v6)) {
    co_return impossible();
  }
  const auto rejection = co_await net::connect_srt(*socket_, remote);
  if (rejection) co_return failure_of(*rejection, net::endpoint_text(remote));
  co_return std::nullopt;
}

// No packet is sent for this: connecting a UDP socket only asks for the route.
asio::ip::address SrtSink::address_towards(const Endpoint& remote) const {
  asio::ip::udp::socket probe(executor_);
  boost::system::error_code ec;
  probe.connect(remote, ec);
  const Endpoint local = probe.local_endpoint(ec);
  return ec ? Endpoint(remote.protocol(), 0).address() : local.address();
}

asio::awaitable<std::optional<Failure>> SrtSink::wait_for_call() {
  constexpr int kNotFound = 1404;
  const auto admit = [this, wanted = url_.stream_id.value_or("")](const net::SrtListener::Request& request) {
    if (!wanted.empty() && request.stream_id != wanted) return kNotFound;
    const bool free = environment_.srt_handshakes.begin(request.handle, this, request.peer);
    return free ? 0 : net::SrtHandshakes::kOverloaded;
  };
  const net::AddressFilter any = [](const asio::ip::address&) { return true; };
  auto found = co_await net::find_addresses(environment_.resolver, url_.host, url_.port, any);
  if (auto* failure = std::get_if<net::DialFailure>(&found)) {
    co_return Failure{Failure::Kind::lost, std::move(failure->message)};
  }
  if (!net::has_descriptor(net::DescriptorUse::output)) {
    co_return Failure{Failure::Kind::lost, net::kTooFewDescriptors};
  }
  const auto& address = std::get<net::Addresses>(found).front();
  const Endpoint local(address.address(), address.port());
  listener_ = std::make_unique<net::SrtListener>(environment_.srt, executor_, options(), admit);
  if (const std::string cause = listener_->open(local); !cause.empty()) {
    co_return Failure{Failure::Kind::lost, "cannot listen on " + net::endpoint_text(local) + ": " + cause};
  }
  const auto called = co_await (listener_->accept() || watch_handshakes());
  const auto* handle = std::get_if<0>(&called);
  if (handle == nullptr || !*handle) co_return Failure{Failure::Kind::lost, "the listener was closed"};
  environment_.srt_handshakes.end(**handle);
  socket_ = std::make_unique<net::SrtSocket>(environment_.srt, **handle, executor_);
  listener_->close();  // one destination an output: who calls next is refused until this one has gone
  co_return std::nullopt;
}

// Those that fail make room for others.
asio::awaitable<void> SrtSink::watch_handshakes() const {
  asio::steady_timer look_again(executor_);
  for (;;) {
    look_again.expires_after(kLookAgain);
    co_await look_again.async_wait(asio::use_awaitable);
    environment_.srt_handshakes.take_failed(this);
  }
}

asio::awaitable<Failure> SrtSink::serve() {
  auto ended = co_await (watch_connection() || keep_pace());
  co_return std::move(std::get<0>(ended));
}

asio::awaitable<Failure> SrtSink::watch_connection() {
  for (;;) {
    const bool connected = co_await socket_->wait_writable();
    if (!connected) break;
    blocked_ = false;
    write_waiting();
  }
  co_return Failure{Failure::Kind::lost,
                    "the destination closed the connection, or nothing more was heard of it"};
}

asio::awaitable<void> SrtSink::keep_pace() {
  for (;;) {
    if (pacing_) {
      pace_.expires_after(kPaceTick);
    } else {
      pace_.expires_at(Steady::time_point::max());
    }
    co_await pace_.async_wait(asio::as_tuple(asio::use_awaitable));
    if (pacing_ && !blocked_) write_waiting();
  }
}

void SrtSink::flush() {
  if (!open_ || blocked_ || pacing_) return;
  write_waiting();
  if (pacing_) pace_.cancel();
}

bool SrtSink::may_send(std::size_t bytes) {
  const auto waiting = std::chrono::duration<double>(mailbox_.span()).count();
  if (waiting < std::chrono::duration<double>(kBacklog).count()) return true;
  const auto now = Steady::now();
  const double pace = std::max(kLeastPace, kCatchUp * static_cast<double>(mailbox_.bytes()) / waiting);
  const double passed = std::chrono::duration<double>(now - budget_at_).count();
  const double most = pace * std::chrono::duration<double>(4 * kPaceTick).count();
  budget_ = std::min(most, budget_ + pace * passed);
  budget_at_ = now;
  if (budget_ < static_cast<double>(bytes)) return false;
  budget_ -= static_cast<double>(bytes);
  return true;
}

void SrtSink::write_waiting() {
  const net::Activity activity("writing to an SRT destination");
  pacing_ = false;
  while (!mailbox_.empty()) {
    const media::Packet& packet = mailbox_.front();
    const auto bytes = packet.payload.bytes();
    while (offset_ < bytes.size()) {
      // A datagram goes as it came; only what is too long for one message is cut, between two TS packets.
      const std::size_t rest = bytes.size() - offset_;
      const std::size_t length = rest <= net::kMaxSrtMessage ? rest : kMessage;
      if (!may_send(length)) {
        pacing_ = true;
        return;
      }
      switch (socket_->send(bytes.subspan(offset_, length))) {
        case net::SrtSocket::Sent::taken:
          break;
        case net::SrtSocket::Sent::blocked:
        case net::SrtSocket::Sent::ended:  // watch_connection() tells which
          blocked_ = true;
          return;
      }
      offset_ += length;
      ++messages_sent_;
    }
    bytes_sent_ += bytes.size();
    if (packet.role == media::PacketRole::frame) frames_sent_ += packet.frames;
    offset_ = 0;
    mailbox_.pop();
  }
}

asio::awaitable<void> SrtSink::finish() {
  if (!open_) co_return close();
  open_ = false;
  // Closing throws away what has not been acknowledged, and what the peer has not played yet.
  asio::steady_timer tick(executor_);
  const auto deadline = Steady::now() + kFarewell;
  auto stats = socket_->stats();
  while (stats.unacknowledged_packets > 0 && socket_->connected() && Steady::now() < deadline) {
    tick.expires_after(kFarewellPoll);
    co_await tick.async_wait(asio::use_awaitable);
    stats = socket_->stats();
  }
  if (socket_->connected()) {
    tick.expires_after(std::min<Steady::duration>(stats.latency + stats.rtt + kPlayed, kFarewell));
    co_await tick.async_wait(asio::use_awaitable);
  }
  close();
}

void SrtSink::close() {
  open_ = false;
  if (listener_) listener_->close();
  if (socket_) socket_->close();
}

SinkStats SrtSink::stats() const {
  SinkStats stats;
  if (!socket_) return stats;
  const auto srt = socket_->stats();
  stats.bytes_sent = bytes_sent_;
  stats.frames_sent = frames_sent_;
  stats.idle = srt.unacknowledged_packets == 0;
  // Messages, really; all that matters is that it grows when the peer takes something.
  stats.bytes_acked = messages_sent_ - std::min(messages_sent_, srt.unacknowledged_packets);
  stats.media_acknowledged = stats.bytes_acked > 0;
  stats.retransmits = srt.retransmitted;
  stats.rtt = srt.rtt;
  stats.packets_lost = srt.lost;
  stats.packets_dropped = srt.dropped;
  stats.send_buffer = srt.send_buffer;
  return stats;
}

}  // namespace simulcast::egress
