#include "ingest/srt_publisher.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "ingest/loop.hpp"
#include "ingest/ts_packets.hpp"
#include "media/payload_slab.hpp"
#include "net/activity.hpp"
#include "net/shard.hpp"
#include "net/srt_socket.hpp"
#include "protocol/mpegts/trail_packet.hpp"

namespace simulcast::ingest {

namespace asio = boost::asio;
using namespace asio::experimental::awaitable_operators;
using Steady = std::chrono::steady_clock;

namespace {

// How many datagrams may follow each other before others on the shard get their turn.
constexpr int kReadsInARow = 64;
// An encoder that has connected sends within this; what it sends is handed out a latency later.
constexpr std::chrono::seconds kFirstDatagram{10};
// Encoders send without a pause, and what got lost on the way has been repaired or given up after the
// latency. One that does not is as good as gone, although it is let stay: libsrt takes more than 5 s to tell
// whether it lives.
constexpr std::chrono::milliseconds kSilence{900};
// libsrt does not tell a peer that has closed from one that has gone silent. The latter is noticed after more
// than this without a datagram, and an encoder that ends the show has sent media until then.
constexpr std::chrono::seconds kSilenceBeforeLoss{3};
constexpr std::chrono::milliseconds kRestTick{10};
constexpr std::chrono::milliseconds kRestPatience{500};
constexpr std::chrono::milliseconds kSampleInterval{500};

class SrtPublisher final : public Publisher, public std::enable_shared_from_this<SrtPublisher> {
 public:
  SrtPublisher(net::SrtRuntime& runtime, net::SrtHandle handle, Grant grant, Gate& gate)
      : gate_(gate), grant_(std::move(grant)), socket_(runtime, handle, grant_.shard->executor()) {}

  void kick(std::string_view reason) override {
    if (kicked_) return;
    kicked_ = std::string(reason);
    socket_.close();
  }

  const media::Trail& trail() const override { return trail_; }

  asio::awaitable<void> run() {
    const std::string peer = socket_.peer();
    latency_ = socket_.latency();
    if (const std::string problem = co_await begin(); !problem.empty()) {
      spdlog::warn("publisher refused proto=srt peer={} cause=\"{}\"", peer, problem);
      socket_.close();
      co_return;
    }
    stream_ = gate_.publisher_arrived(grant_, *this);
    if (stream_ == nullptr) {
      spdlog::warn("publisher refused proto=srt peer={} cause=\"{}\"", peer, "this live input is disabled");
      co_return;
    }
    spdlog::info("publisher connected input={} proto=srt peer={} latency_ms={}", grant_.input_uid, peer,
                 latency_.count());
    publish_first();
    while (read_batch()) {
      if (more_waits_) {
        co_await asio::post(asio::use_awaitable);
      } else {
        co_await socket_.wait_readable();
        sample_stats();
        if (received_ && !silent_ && Steady::now() - last_read_ >= kSilence) {
          silent_ = true;
          static_cast<void>(gate_.publisher_silent(grant_, *this));  // libsrt ends it by itself
        }
      }
    }
    const auto ended_at = Steady::now();
    if (!kicked_ && !silent_) co_await read_rest();
    const auto silence = ended_at - (last_read_ - latency_);  // since the last datagram came in
    const bool goodbye = !kicked_ && silence < kSilenceBeforeLoss;
    spdlog::info("publisher gone input={} proto=srt peer={} goodbye={} lost={} dropped={} cause=\"{}\"",
                 grant_.input_uid, peer, goodbye, stats_.received_lost, stats_.received_dropped,
                 kicked_   ? *kicked_
                 : goodbye ? "the encoder ended the stream"
                           : "nothing more was heard of the encoder");
    gate_.publisher_left(grant_, *this, goodbye);
    socket_.close();
  }

 private:
  // Ends with the first datagram, or with why there is to be none: a caller that sends nothing takes the
  // stream from nobody.
  asio::awaitable<std::string> begin() {
    asio::steady_timer deadline(grant_.shard->context(), latency_ + kFirstDatagram);
    const auto outcome = co_await (first_datagram() || deadline.async_wait(asio::use_awaitable));
    if (outcome.index() == 1) {
      co_return "nothing was sent within " + std::to_string(kFirstDatagram.count()) + " s of connecting";
    }
    if (!std::get<0>(outcome)) co_return "the encoder left before it sent anything";
    if (const auto trail = mpegts::read_trail_packet(std::span(first_).first(first_size_))) {
      first_size_ = 0;
      trail_ = *trail;
      co_return loop_problem(trail_, grant_.mark);
    }
    co_return std::string();
  }

  asio::awaitable<bool> first_datagram() {
    for (;;) {
      const auto got = socket_.receive(first_);
      first_size_ = got.bytes;
      if (got.bytes > 0) co_return true;
      if (got.ended) co_return false;
      co_await socket_.wait_readable();
    }
  }

  void publish_first() {
    last_read_ = Steady::now();
    if (first_size_ == 0) return;
    received_ = true;
    const auto room = slab_.room(first_size_);
    std::ranges::copy(std::span(first_).first(first_size_), room.begin());
    publish(room.first(first_size_));
  }

  // libsrt tells nothing of a connection that has ended.
  void sample_stats() {
    const auto now = Steady::now();
    if (now - sampled_at_ < kSampleInterval) return;
    sampled_at_ = now;
    if (socket_.connected()) stats_ = socket_.stats();
  }

  // What arrived before the connection ended and is not yet due is still handed out, each datagram in its
  // time. That is the encoder's time, which may be somewhat behind ours.
  asio::awaitable<void> read_rest() {
    asio::steady_timer tick(grant_.shard->context());
    const auto begin = Steady::now();
    const auto is_over = [&] {
      const auto passed = Steady::now() - begin;
      return kicked_ || passed >= latency_ + (socket_.unread() > 0 ? kRestPatience : kRestTick);
    };
    while (!is_over()) {
      tick.expires_after(kRestTick);
      co_await tick.async_wait(asio::use_awaitable);
      static_cast<void>(read_batch());
    }
  }

  // Publishes what has arrived. False once the connection has ended.
  bool read_batch() {
    const net::Activity activity("media of an SRT publisher");
    more_waits_ = false;
    bool ended = false;
    const auto now = Steady::now();
    for (int reads = 0; !ended && !kicked_; ++reads) {
      if (reads == kReadsInARow) {
        more_waits_ = true;
        break;
      }
      const auto room = slab_.room(net::kMaxSrtMessage);
      const auto got = socket_.receive(room);
      if (got.blocked) break;
      ended = got.ended;
      if (got.bytes == 0) continue;
      last_read_ = now;
      received_ = true;
      if (std::exchange(silent_, false)) gate_.publisher_heard(grant_, *this);
      publish(room.first(got.bytes), got.after_hole);
    }
    if (kicked_) return false;  // the stream is another's now
    stream_->flush();
    return !ended;
  }

  // `datagram`: in the slab's room.
  void publish(std::span<std::byte> datagram, bool after_hole = false) {
    stream_->join(datagram, last_read_);
    auto packets = packets_.packets_of(slab_.take(datagram.size()));
    if (!packets) {
      left_out_ = true;
      if (!std::exchange(told_malformed_, true)) {
        spdlog::warn("publisher sends what is no MPEG-TS, which is left out input={}", grant_.input_uid);
      }
      return;
    }
    if (packets->join_header) stream_->publish(std::move(*packets->join_header), last_read_);
    packets->datagram.after_hole = after_hole || std::exchange(left_out_, false);
    stream_->publish(std::move(packets->datagram), last_read_);
  }

  Gate& gate_;
  const Grant grant_;
  net::SrtSocket socket_;
  media::Stream* stream_ = nullptr;
  media::Trail trail_;
  std::array<std::byte, net::kMaxSrtMessage> first_;
  std::size_t first_size_ = 0;
  TsPackets packets_;
  media::PayloadSlab slab_;
  net::SrtStats stats_;  // the last sample
  Steady::time_point sampled_at_{};
  std::chrono::milliseconds latency_{};
  Steady::time_point last_read_{};
  std::optional<std::string> kicked_;
  bool more_waits_ = false;
  bool received_ = false;  // the first datagram, which is handed out when the latency has passed
  bool silent_ = false;
  bool told_malformed_ = false;
  bool left_out_ = false;  // the last datagram
};

}  // namespace

void serve_srt_publisher(net::SrtRuntime& runtime, net::SrtHandle handle, Grant grant, Gate& gate) {
  net::Shard& shard = *grant.shard;
  auto session = std::make_shared<SrtPublisher>(runtime, handle, std::move(grant), gate);
  asio::co_spawn(
      shard.executor(), [session]() -> asio::awaitable<void> { co_await session->run(); }, asio::detached);
}

}  // namespace simulcast::ingest
