#include "egress/rtmp_sink.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "config/denied_networks.hpp"
#include "net/activity.hpp"
#include "net/dial.hpp"
#include "net/tls.hpp"
#include "protocol/rtmp/trail.hpp"

namespace simulcast::egress {

namespace asio = boost::asio;
using namespace asio::experimental::awaitable_operators;
using boost::system::error_code;

namespace {

// After these many bytes beyond the commands the peer's kernel has certainly acknowledged media, and not only
// our own acknowledgements and pings, which stay far below it.
constexpr std::uint64_t kControlSlack = 512;

// Between hanging up and the peer doing so: long enough for a round trip around the world.
constexpr std::chrono::milliseconds kFarewell{500};

// A server that speaks TLS answers within a few round trips; one that does not would keep the user waiting
// for nothing.
constexpr std::chrono::seconds kTlsTimeout{8};

// From the connection to the accepted publish, TLS included: a server that is in earnest needs a few round
// trips, and one that is not is rid of within ten seconds.
constexpr std::chrono::seconds kAgreeTimeout{9};

// Acknowledgements and answers to pings that may wait for a destination that does not read.
constexpr std::size_t kMaxUnsentAnswers = 64 * 1024;

// How many reads may follow each other, and how many bytes be written, before others on the shard get their
// turn.
constexpr int kReadsInARow = 16;
constexpr std::size_t kMostInARow = std::size_t{4} << 20;

// What the kernel may hold unsent: enough to keep it sending between two wake-ups (at 100 Mbit/s 10 ms), and
// little of a backlog, which the mailbox can drop by GOP and the kernel cannot.
constexpr int kMaxUnsent = 128 * 1024;

rtmp::ClientOptions options_for(const rtmp::PublishUrl& url, const media::Trail& trail) {
  rtmp::ClientOptions options;
  options.tc_url = url.tc_url;
  options.app = url.app;
  options.stream_name = url.stream_name;
  options.trail = trail;
  return options;
}

std::string words(const rtmp::Rejected& rejected) {
  std::string text =
      rejected.at_connect ? "the destination refused the connection" : "the destination refused the stream";
  if (!rejected.description.empty()) {
    text += ": " + rejected.description;
    if (!rejected.code.empty()) text += " (" + rejected.code + ")";
  } else if (!rejected.code.empty()) {
    text += ": " + rejected.code;
  }
  if (!rejected.at_connect && rejected.code != rtmp::kLoopCode) text += "; check the stream key";
  return text;
}

}  // namespace

RtmpSink::RtmpSink(rtmp::PublishUrl url, bool verify_tls, const media::Trail& trail, Mailbox& mailbox,
                   RtmpFanout& fanout, const Environment& environment, const asio::any_io_executor& executor)
    : fanout_(fanout),
      session_(std::make_unique<rtmp::ClientSession>(options_for(url, trail))),
      writer_(session_->writer()),
      url_(std::move(url)),
      verify_tls_(verify_tls),
      mailbox_(mailbox),
      environment_(environment),
      wake_(executor) {}

RtmpSink::~RtmpSink() = default;

asio::awaitable<std::optional<Failure>> RtmpSink::open() {
  if (auto failure = co_await reach()) co_return failure;
  asio::steady_timer deadline(wake_.get_executor(), kAgreeTimeout);
  auto agreed = co_await (agree() || deadline.async_wait(asio::use_awaitable));
  if (agreed.index() == 0) co_return std::move(std::get<0>(agreed));
  co_return Failure{Failure::Kind::hung_up, "no answer within " + std::to_string(kAgreeTimeout.count()) +
                                                " s while waiting for " + std::string(waiting_for())};
}

asio::awaitable<std::optional<Failure>> RtmpSink::reach() {
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
  begin(OpenStep::tcp);
  auto dialled = co_await net::dial(std::get<net::Addresses>(std::move(found)));
  if (auto* failure = std::get_if<net::DialFailure>(&dialled)) {
    co_return Failure{Failure::Kind::lost, std::move(failure->message)};
  }
  auto socket = std::move(std::get<asio::ip::tcp::socket>(dialled));
  if (url_.tls) {
    tls_ = net::make_tls_client(std::move(socket), environment_.tls, url_.host, verify_tls_);
  } else {
    transport_ = net::make_plain_transport(std::move(socket));
  }
  co_return std::nullopt;
}

asio::awaitable<std::optional<Failure>> RtmpSink::agree() {
  if (tls_) {
    if (auto failure = co_await secure()) co_return failure;
  }
  transport_->limit_unsent(kMaxUnsent);
  co_return co_await publish();
}

asio::awaitable<std::optional<Failure>> RtmpSink::secure() {
  begin(OpenStep::tls);
  asio::steady_timer deadline(wake_.get_executor(), kTlsTimeout);
  const auto shaken = co_await (tls_->handshake() || deadline.async_wait(asio::use_awaitable));
  if (shaken.index() == 1) {
    co_return Failure{Failure::Kind::hung_up,
                      "no answer to the TLS handshake: is there an RTMPS server on port " +
                          std::to_string(url_.port) + " of " + url_.host + "?"};
  }
  if (const error_code ec = std::get<0>(shaken)) {
    const std::string why = tls_->failure().empty() ? ec.message() : tls_->failure();
    co_return Failure{Failure::Kind::hung_up, "TLS with " + url_.host + " failed: " + why};
  }
  transport_ = std::move(tls_);
  co_return std::nullopt;
}

asio::awaitable<std::optional<Failure>> RtmpSink::publish() {
  begin(OpenStep::rtmp_handshake);
  session_->start();
  while (!accepted_) {
    write_waiting();
    if (failure_) co_return failure_;
    if (blocked_) {
      const error_code ec = co_await transport_->wait_writable();
      if (ec) co_return lost(ec);
      blocked_ = false;
      continue;
    }
    const net::IoResult got = co_await transport_->read(inbox_);
    if (got.ec) co_return lost(got.ec);
    if (auto failure = handle(std::span<const std::byte>(inbox_).first(got.bytes))) co_return failure;
    co_await asio::post(
        asio::use_awaitable);  // a server that talks without end is not to keep others waiting
  }
  writer_.set_stream_id(session_->stream_id());
  chunk_size_ = session_->writer().chunk_size();  // it does not change while media flows
  plain_socket_ = transport_->plain_socket();
  acked_before_media_ = transport_->stats().bytes_acked;
  co_return std::nullopt;
}

void RtmpSink::follow_session() {
  if (session_->wants_connect()) {
    begin(OpenStep::connect);
  } else if (session_->wants_publish()) {
    begin(OpenStep::publish);
  }
}

std::optional<Failure> RtmpSink::handle(std::span<const std::byte> bytes) {
  for (;;) {
    const auto event = session_->read(bytes);
    if (!accepted_) follow_session();
    if (event.has_error()) {
      return Failure{accepted_ ? Failure::Kind::lost : Failure::Kind::hung_up,
                     "the destination does not speak RTMP as expected: " + event.error().message()};
    }
    if (!*event) return std::nullopt;
    if (std::holds_alternative<rtmp::PublishAccepted>(**event)) {
      accepted_ = true;
    } else if (const auto* rejected = std::get_if<rtmp::Rejected>(&**event)) {
      return Failure{Failure::Kind::rejected, words(*rejected)};
    } else if (std::holds_alternative<rtmp::Acknowledged>(**event)) {
      // The peer counts from the handshake on; media is what lies beyond the handshake and the commands.
      peer_acknowledged_media_ = writer_.media_bytes() > 0 && std::get<rtmp::Acknowledged>(**event).total >
                                                                  acked_before_media_ + kControlSlack;
    }
  }
}

void RtmpSink::write_waiting() {
  const net::Activity activity("writing to an RTMP destination");
  if (auto& control = session_->output(); !control.empty()) {
    writer_.add_control(std::move(control));
    control.clear();
  }
  for (std::size_t written = 0;;) {
    const auto pieces = writer_.pieces(mailbox_);
    if (pieces.empty() && !transport_->unsent()) return;
    const net::IoResult wrote = transport_->write_some(pieces);
    writer_.consume(wrote.bytes);
    if (wrote.ec) return fail(lost(wrote.ec));
    written += wrote.bytes;
    if (wrote.blocked || written >= kMostInARow) {
      blocked_ = true;
      return;
    }
  }
}

bool RtmpSink::write(const media::Batch& batch) {
  // Who is not blocked has nothing left to send but what the writer knows of.
  if (!accepted_ || blocked_) return false;
  const ChunkedBatch* chunks = fanout_.chunks_of(batch, chunk_size_);
  if (chunks == nullptr || !writer_.can_share(*chunks)) return false;
  if (plain_socket_ < 0 || !fanout_.send_together(*chunks, plain_socket_, *this)) {
    sent(*chunks, transport_->write_some(chunks->pieces));
  }
  return true;
}

void RtmpSink::sent(const ChunkedBatch& batch, const net::IoResult& result) {
  writer_.take_over(batch, result.bytes);
  if (result.ec) {
    fail(lost(result.ec));
  } else if (result.blocked) {
    blocked_ = true;
  } else if (result.bytes < batch.size) {
    write_waiting();
  }
  if (blocked_) wake_.cancel();
}

void RtmpSink::flush() {
  if (!accepted_ || blocked_) return;
  write_waiting();
  if (blocked_) wake_.cancel();
}

void RtmpSink::fail(Failure failure) {
  if (!failure_) failure_ = std::move(failure);
  blocked_ = true;
}

Failure RtmpSink::lost(const error_code& ec) const {
  std::string message;
  if (ec == asio::error::eof || ec == asio::error::connection_reset || ec == asio::error::broken_pipe) {
    message =
        accepted_
            ? "the destination closed the connection"
            : "the destination closed the connection before it accepted the stream: a wrong stream key or "
              "application is the usual cause";
  } else {
    message = "the connection was lost: " + ec.message();
  }
  return {accepted_ ? Failure::Kind::lost : Failure::Kind::hung_up, std::move(message)};
}

asio::awaitable<Failure> RtmpSink::serve() {
  auto ended = co_await (read_loop() || write_loop());
  co_return std::visit([](Failure& failure) { return std::move(failure); }, ended);
}

asio::awaitable<Failure> RtmpSink::read_loop() {
  for (;;) {
    for (int reads = 0; reads < kReadsInARow; ++reads) {
      const net::IoResult got = co_await transport_->read(inbox_);
      if (got.ec) co_return lost(got.ec);
      if (auto failure = handle(std::span<const std::byte>(inbox_).first(got.bytes))) co_return *failure;
      if (!session_->output().empty()) flush();
      if (session_->output().size() > kMaxUnsentAnswers) {
        co_return Failure{Failure::Kind::lost,
                          "the destination asks without end and does not take the answers"};
      }
    }
    co_await asio::post(asio::use_awaitable);
  }
}

asio::awaitable<Failure> RtmpSink::write_loop() {
  for (;;) {
    while (!blocked_) {
      wake_.expires_at(asio::steady_timer::time_point::max());
      co_await wake_.async_wait(asio::as_tuple(asio::use_awaitable));
    }
    if (failure_) co_return *failure_;
    const error_code ec = co_await transport_->wait_writable();
    if (ec) co_return lost(ec);
    blocked_ = false;
    write_waiting();
  }
}

// Completes the message that was begun and what the session has queued.
asio::awaitable<void> RtmpSink::send_rest() {
  for (;;) {
    blocked_ = false;
    write_waiting();
    if (failure_ || !blocked_) co_return;
    const error_code ec = co_await transport_->wait_writable();
    if (ec) co_return;
  }
}

asio::awaitable<void> RtmpSink::drain_input() {
  for (;;) {
    const net::IoResult got = co_await transport_->read(inbox_);
    if (got.ec) co_return;
  }
}

asio::awaitable<void> RtmpSink::finish() {
  if (!transport_ || !accepted_ || failure_) co_return close();
  writer_.stop_taking();
  asio::steady_timer deadline(wake_.get_executor());
  deadline.expires_after(kFarewell);
  co_await (send_rest() || deadline.async_wait(asio::use_awaitable));
  if (!failure_ && writer_.at_message_end()) {
    session_->finish();
    deadline.expires_after(kFarewell);
    co_await (send_rest() || deadline.async_wait(asio::use_awaitable));
  }
  transport_->shutdown();
  deadline.expires_after(kFarewell);
  co_await (drain_input() || deadline.async_wait(asio::use_awaitable));
  close();
}

void RtmpSink::close() {
  plain_socket_ = -1;  // soon it may be somebody else's
  if (transport_) transport_->close();
}

SinkStats RtmpSink::stats() const {
  SinkStats stats;
  if (!transport_ || !transport_->socket().is_open()) return stats;
  const auto tcp = transport_->stats();
  stats.bytes_sent = writer_.media_bytes();
  stats.frames_sent = writer_.frames_sent();
  stats.idle = writer_.at_message_end() && !transport_->unsent();
  stats.bytes_acked = tcp.bytes_acked;
  stats.media_acknowledged =
      peer_acknowledged_media_ ||
      (accepted_ && writer_.media_bytes() > 0 && tcp.bytes_acked > acked_before_media_ + kControlSlack);
  stats.retransmits = tcp.retransmits;
  stats.rtt = tcp.rtt;
  return stats;
}

}  // namespace simulcast::egress
