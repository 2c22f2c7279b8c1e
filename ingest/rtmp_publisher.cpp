#include "ingest/rtmp_publisher.hpp"

#include <spdlog/spdlog.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ingest/flv_packets.hpp"
#include "ingest/loop.hpp"
#include "ingest/read_mark.hpp"
#include "ingest/silence_watch.hpp"
#include "ingest/strangers.hpp"
#include "media/payload_slab.hpp"
#include "net/activity.hpp"
#include "net/tls.hpp"
#include "net/transport.hpp"
#include "protocol/rtmp/server_session.hpp"
#include "protocol/rtmp/trail.hpp"

namespace simulcast::ingest {

namespace asio = boost::asio;
using namespace asio::experimental::awaitable_operators;
using boost::system::error_code;
using Steady = std::chrono::steady_clock;

namespace {

// From the accepted socket to a publish with a key: encoders need well under a second, a stranger gets no
// more than this.
constexpr std::chrono::seconds kPublishDeadline{10};
constexpr std::chrono::milliseconds kSilenceCheck{500};
// After a refusal the socket stays open for the encoder to read it; a reset could overtake the answer.
constexpr std::chrono::seconds kLinger{1};
// One read takes what a wake-up has brought: at least this much, 20 ms of a 6 Mbit/s stream.
constexpr std::size_t kLeastRead = 16 * 1024;
// Before a key was shown a connection gets no memory but for what it sends.
constexpr std::size_t kInbox = 4 * 1024;
// Answers that the peer does not read pile up here; no honest encoder lets them.
constexpr std::size_t kMaxUnread = 64 * 1024;
// How many reads may follow each other before others on the shard get their turn.
constexpr int kReadsInARow = 16;

class RtmpPublisher final : public Publisher,
                            private media::AudioWaiter,
                            public std::enable_shared_from_this<RtmpPublisher> {
 public:
  RtmpPublisher(asio::ip::tcp::socket socket, std::shared_ptr<net::TlsContext> tls, Gate& gate,
                Strangers& strangers)
      : gate_(gate),
        strangers_(strangers),
        protocol_(tls ? media::IngestProtocol::rtmps : media::IngestProtocol::rtmp) {
    error_code ignored;
    address_ = socket.remote_endpoint(ignored).address();
    if (tls) {
      auto secure = net::make_tls_server(std::move(socket), std::move(tls));
      tls_ = secure.get();
      transport_ = std::move(secure);
    } else {
      transport_ = net::make_plain_transport(std::move(socket));
    }
    peer_ = transport_->peer();
  }

  // The first part of the session, on the accepting shard; ends by starting the second part on the stream's
  // shard.
  asio::awaitable<void> greet(net::Shard& shard) {
    const auto leave_soon = [executor = shard.executor(), session = weak_from_this()] {
      asio::post(executor, [session] {
        if (const auto self = session.lock()) self->evict();
      });
    };
    place_ = strangers_.enter(address_, leave_soon);
    asio::steady_timer deadline(shard.context(), kPublishDeadline);
    const auto outcome = co_await (negotiate() || deadline.async_wait(asio::use_awaitable));
    if (outcome.index() == 1) {
      log_refused("no publish within " + std::to_string(kPublishDeadline.count()) + " s of connecting");
      co_return;
    }
    if (!std::get<0>(outcome)) {
      co_await linger();
      co_return;
    }
    place_.leave();
    transport_->move_to(grant_.shard->context());
    asio::co_spawn(
        grant_.shard->executor(),
        [self = shared_from_this()]() -> asio::awaitable<void> { co_await self->publish(); }, asio::detached);
  }

  void kick(std::string_view reason) override {
    if (kicked_) return;
    kicked_ = std::string(reason);
    session_.reject_publish("NetStream.Publish.Denied", reason);
    flush_answers();
    transport_->shutdown();
    transport_->cancel();
  }

  const media::Trail& trail() const override { return trail_; }

 private:
  // True once a grant was given. False: refused, and what was said about it has been sent as far as it goes.
  asio::awaitable<bool> negotiate() {
    if (tls_ != nullptr) {
      const error_code ec = co_await tls_->handshake();
      if (ec) {
        log_refused("TLS handshake failed: " + (tls_->failure().empty() ? ec.message() : tls_->failure()));
        co_return false;
      }
    }
    for (;;) {
      const auto read = co_await transport_->read_shared(inbox());
      if (read.ec) {
        if (read.ec != asio::error::eof) log_refused(read.ec.message());
        co_return false;
      }
      pending_ = inbox().first(read.bytes);
      for (;;) {
        auto event = session_.read(pending_);
        if (event.has_error()) {
          flush_answers();
          log_refused(event.error().message());
          co_return false;
        }
        if (!*event) break;
        if (const auto* request = std::get_if<rtmp::PublishRequest>(&**event)) {
          flush_answers();
          behind_request_.assign(pending_.begin(), pending_.end());
          pending_ = behind_request_;
          const bool granted = co_await authorize(*request);
          co_return granted;
        }
      }
      if (!flush_answers()) co_return false;
    }
  }

  asio::awaitable<bool> authorize(const rtmp::PublishRequest& request) {
    auto decision = gate_.authorize(request.key, protocol_);
    if (const auto* refusal = std::get_if<Refusal>(&decision)) {
      const auto delay = strangers_.failed(address_);
      if (delay.count() > 0) {
        asio::steady_timer wait(transport_->socket().get_executor(), delay);
        co_await wait.async_wait(asio::use_awaitable);
      }
      refuse(refusal->reason);
      co_return false;
    }
    auto& grant = std::get<Grant>(decision);
    if (const std::string loop = loop_problem(request.trail, grant.mark); !loop.empty()) {
      refuse(loop, rtmp::kLoopCode);
      co_return false;
    }
    grant_ = std::move(grant);
    encoder_ = request.flash_version;
    trail_ = request.trail;
    co_return true;
  }

  // On the accepting shard, while no key has been shown.
  void evict() {
    if (grant_.shard != nullptr) return;  // just in time
    log_refused("too many connections have shown no key, the oldest make room");
    transport_->close();
  }

  void refuse(const std::string& reason, std::string_view code = "NetStream.Publish.BadName") {
    session_.reject_publish(code, reason);
    flush_answers();
    log_refused(reason);
  }

  // The second part, on the stream's shard.
  asio::awaitable<void> publish() {
    silence_check_.emplace(grant_.shard->context());
    stream_ = gate_.publisher_arrived(grant_, *this);
    if (stream_ == nullptr) {
      refuse("this live input is disabled");
      co_await linger();
      co_return;
    }
    spdlog::info("publisher connected input={} proto={} peer={} encoder=\"{}\"", grant_.input_uid,
                 to_string(protocol_), peer_, encoder_);
    session_.accept_publish();
    last_read_ = Steady::now();
    silence_.begin(last_read_);
    if (auto* audio_wait = stream_->audio_wait()) read_mark_.emplace(audio_wait->longest());
    watch_silence();
    const std::string cause = co_await read_loop();
    silence_check_->cancel();
    stop_waiting();
    if (goodbye_) {
      if (auto last = packets_.take_end_of_sequence()) {
        stream_->publish(std::move(*last));
        stream_->flush();
      }
    }
    spdlog::info("publisher gone input={} proto={} peer={} goodbye={} cause=\"{}\"", grant_.input_uid,
                 to_string(protocol_), peer_, goodbye_, kicked_ ? *kicked_ : cause);
    gate_.publisher_left(grant_, *this, goodbye_);
    // One that said goodbye hangs up first: some clients take it for an error when we do.
    if (goodbye_) co_await wait_for_hangup();
    co_await linger();
  }

  // Ends with the cause.
  asio::awaitable<std::string> read_loop() {
    if (auto cause = take_pending(nullptr)) co_return *cause;  // what came behind the publish command
    for (;;) {
      for (int reads = 0; reads < kReadsInARow; ++reads) {
        if (kicked_) co_return *kicked_;  // between two reads
        const auto read = co_await transport_->read(slab_.room(kLeastRead));
        if (kicked_) co_return *kicked_;
        if (gone_) co_return "nothing more was heard of the encoder";
        if (read.ec == asio::error::eof)
          co_return "the encoder closed the connection without ending the stream";
        if (read.ec) co_return "connection lost: " + read.ec.message();
        last_read_ = Steady::now();
        silence_.heard(last_read_, media_seen_);
        if (std::exchange(away_, false)) gate_.publisher_heard(grant_, *this);
        const media::Payload bytes = slab_.take(read.bytes);
        pending_ = bytes.bytes();
        if (auto cause = take_pending(&bytes)) co_return *cause;
        if (read_mark_) set_read_mark(read_mark_->next(session_.missing()));
      }
      co_await asio::post(asio::use_awaitable);
    }
  }

  // Publishes everything that has been read as one batch. `whole`: the memory that it lies in, to be shared.
  std::optional<std::string> take_pending(const media::Payload* whole) {
    const net::Activity activity("media of an RTMP publisher");
    std::optional<std::string> cause;
    while (!cause) {
      auto event = session_.read(pending_, whole);
      if (event.has_error()) {
        cause = "not valid RTMP: " + event.error().message();
      } else if (!*event) {
        break;
      } else if (auto* message = std::get_if<rtmp::MediaMessage>(&**event)) {
        const std::uint32_t timestamp = message->timestamp;
        if (auto packet = packets_.packet_of(std::move(*message))) {
          media_seen_ = true;
          if (read_mark_) learn(*packet, timestamp);
          stream_->publish(std::move(*packet), last_read_);
        } else if (packets_.malformed() > 0 && !told_malformed_) {
          told_malformed_ = true;
          spdlog::warn("publisher sends malformed media, which is left out input={} peer={}",
                       grant_.input_uid, peer_);
        }
      } else if (std::holds_alternative<rtmp::PublishEnded>(**event)) {
        goodbye_ = true;
        cause = "the encoder ended the stream";
      }
    }
    if (std::exchange(waited_, false)) {
      stream_->flush_now();
    } else {
      stream_->flush();
    }
    if (!flush_answers() && !cause) cause = "the encoder does not read our answers";
    return cause;
  }

  void learn(const media::Packet& packet, std::uint32_t timestamp) {
    if (packet.kind != media::MediaKind::video || packet.role != media::PacketRole::frame) return;
    if (!read_mark_->video_frame(packet.payload.size(), timestamp)) return;
    if (const std::size_t segment = transport_->received_segment(); segment > 0)
      read_mark_->set_segment(segment);
  }

  void set_read_mark(std::size_t bytes) {
    if (bytes != mark_) {
      if (!transport_->set_read_mark(static_cast<int>(bytes))) return read_mark_.reset();
      mark_ = bytes;
    }
    // What is not enough to wake anybody must not lie there for long.
    if (mark_ > 1) {
      waiting_ = true;
      stream_->audio_wait()->begin(*this, last_read_);
    } else {
      stop_waiting();
    }
  }

  void stop_waiting() {
    if (std::exchange(waiting_, false)) stream_->audio_wait()->end(*this);
  }

  void audio_wait_over() override {
    waiting_ = false;
    waited_ = true;
    if (transport_->set_read_mark(1)) mark_ = 1;
  }

  // Beside read_loop(), which it ends; composing the two would cost every read.
  void watch_silence() {
    silence_check_->expires_after(kSilenceCheck);
    silence_check_->async_wait([self = shared_from_this()](error_code ec) {
      if (ec) return;
      self->check_silence();
      if (self->gone_) return self->transport_->cancel();
      self->watch_silence();
    });
  }

  void check_silence() {
    const auto verdict = silence_.look(Steady::now());
    if (verdict == SilenceWatch::Verdict::present) return;
    if (!away_) {
      away_ = true;
      may_stay_ = gate_.publisher_silent(grant_, *this);
    }
    gone_ = verdict == SilenceWatch::Verdict::gone && !may_stay_;
  }

  // Never waits: what the socket does not take now goes with the next call. False: too much has piled up, or
  // it failed.
  bool flush_answers() {
    auto& output = session_.output();
    if (output.empty() && !transport_->unsent()) return true;
    const asio::const_buffer piece(output.data(), output.size());
    const auto wrote = transport_->write_some(std::span(&piece, 1));
    output.erase(output.begin(), output.begin() + static_cast<std::ptrdiff_t>(wrote.bytes));
    return !wrote.ec && output.size() <= kMaxUnread;
  }

  // Hangs up in such a way that the peer can read what it was told last.
  asio::awaitable<void> linger() {
    transport_->shutdown();
    co_await wait_for_hangup();
    transport_->close();
  }

  asio::awaitable<void> wait_for_hangup() {
    asio::steady_timer deadline(transport_->socket().get_executor(), kLinger);
    co_await (discard_input() || deadline.async_wait(asio::use_awaitable));
  }

  // Of all connections of the thread that do not publish yet, or any more.
  static std::span<std::byte> inbox() {
    thread_local std::array<std::byte, kInbox> shared;
    return shared;
  }

  asio::awaitable<void> discard_input() {
    for (;;) {
      const auto read = co_await transport_->read_shared(inbox());
      if (read.ec) co_return;
    }
  }

  void log_refused(std::string_view cause) const {
    spdlog::warn("publisher refused proto={} peer={} cause=\"{}\"", to_string(protocol_), peer_, cause);
  }

  Gate& gate_;
  Strangers& strangers_;
  const media::IngestProtocol protocol_;
  std::unique_ptr<net::Transport> transport_;
  net::TlsTransport* tls_ = nullptr;  // transport_, when it is TLS
  asio::ip::address address_;
  Strangers::Place place_;  // until a key was accepted
  std::string peer_;
  std::string encoder_;  // what it calls itself
  media::Trail trail_;

  rtmp::ServerSession session_;
  FlvPackets packets_;
  media::PayloadSlab slab_;                // while it publishes
  std::vector<std::byte> behind_request_;  // what came with the publish command
  std::span<const std::byte> pending_;     // read, not yet parsed

  Grant grant_;
  media::Stream* stream_ = nullptr;
  std::optional<asio::steady_timer> silence_check_;  // on the stream's shard
  Steady::time_point last_read_{};
  std::optional<ReadMark> read_mark_;  // none: everything wakes
  std::size_t mark_ = 1;               // that the socket has
  bool waiting_ = false;               // by the stream's AudioWait
  bool waited_ = false;                // what is read next has waited for long enough
  std::optional<std::string> kicked_;
  SilenceWatch silence_;
  bool media_seen_ = false;
  bool away_ = false;      // nothing has been heard of it for a while
  bool may_stay_ = false;  // all the same, for the stream holds
  bool gone_ = false;
  bool goodbye_ = false;
  bool told_malformed_ = false;
};

}  // namespace

void serve_rtmp_publisher(net::Shard& shard, asio::ip::tcp::socket socket,
                          std::shared_ptr<net::TlsContext> tls, Gate& gate, Strangers& strangers) {
  auto session = std::make_shared<RtmpPublisher>(std::move(socket), std::move(tls), gate, strangers);
  asio::co_spawn(
      shard.executor(), [session, &shard]() -> asio::awaitable<void> { co_await session->greet(shard); },
      asio::detached);
}

}  // namespace simulcast::ingest
