#include "egress/worker.hpp"

#include <spdlog/spdlog.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <random>
#include <utility>

namespace simulcast::egress {

namespace asio = boost::asio;
using namespace asio::experimental::awaitable_operators;
using media::OutputState;
using Steady = std::chrono::steady_clock;

namespace {

// How often the connection is looked at: closely until the first acknowledged media byte, for `live` is a
// promise to the user, then just often enough to notice a stall: every look costs a system call.
constexpr std::chrono::milliseconds kWatchConnecting{10};
constexpr std::chrono::milliseconds kWatchLive{1000};
constexpr std::chrono::milliseconds kDrainPoll{10};
// A destination that is ready but gets nothing for this long deserves an explanation.
constexpr std::chrono::seconds kPatience{2};

Mailbox::Limits limits_of(const config::Egress& config) {
  return {std::chrono::duration_cast<media::Time>(config.queue_duration),
          static_cast<std::size_t>(config.queue_bytes)};
}

}  // namespace

Worker::Worker(OutputSpec spec, media::Stream& stream, RtmpFanout& fanout, const Environment& environment,
               WorkerListener& listener, asio::any_io_executor executor)
    : mailbox_(limits_of(environment.config)),
      spec_(std::move(spec)),
      stream_(stream),
      fanout_(fanout),
      environment_(environment),
      listener_(listener),
      executor_(std::move(executor)),
      stop_timer_(executor_, Steady::time_point::max()),
      retry_timer_(executor_),
      backoff_(std::random_device{}()) {}

Worker::~Worker() = default;

void Worker::start() {
  set_state(OutputState::connecting);
  asio::co_spawn(
      executor_,
      [self = shared_from_this()]() -> asio::awaitable<void> {
        try {
          co_await self->run();
        } catch (const std::exception& error) {
          spdlog::error("output failed inside input={} output={} error=\"{}\"", self->spec_.input_uid,
                        self->spec_.uid, error.what());
        }
        self->detach();
        self->close_sink();
        self->listener_.worker_ended(self->spec_);
      },
      asio::detached);
}

void Worker::stop(StopMode mode) {
  if (stop_mode_ && mode != StopMode::hang_up) return;
  stop_mode_ = mode;
  stop_timer_.cancel();
  if (mode == StopMode::end_now) {
    // From here on nothing more is sent but the end of what was begun.
    detach();
    mailbox_.clear();
  }
}

void Worker::retry_now() {
  retry_timer_.cancel();
}

void Worker::hold(media::WallTime until) {
  holding_until_ = until;
  if (status_.state == OutputState::live || status_.state == OutputState::holding) set_live();
}

void Worker::end_hold() {
  holding_until_.reset();
  if (status_.state == OutputState::holding) set_live();
}

// Or holding: the destination sees no difference.
void Worker::set_live() {
  if (!holding_until_) return set_state(OutputState::live, left_out_);
  set_state(
      OutputState::holding,
      "the encoder is away; the connection is kept for when it returns, with a still picture and silence "
      "where they can be made");
}

void Worker::left_out(const std::string& sentence) {
  if (sentence == left_out_) return;
  left_out_ = sentence;
  if (status_.state == OutputState::live) set_state(OutputState::live, left_out_);
}

void Worker::take(const media::Batch& batch) {
  if (mailbox_.idle() && sink_->write(batch)) return;
  for (const media::Packet& packet : batch.packets) mailbox_.push(packet);
  sink_->flush();
}

asio::awaitable<void> Worker::run() {
  while (!stop_mode_) {
    auto outcome = co_await (one_try() || stop_requested());
    if (outcome.index() == 1) break;
    const Failure failure = std::move(std::get<0>(outcome));
    detach();
    close_sink();
    if (connected_at_ && Steady::now() - connected_since_ >= kHealthy) {
      backoff_.reset();
      status_.attempt = 0;
    }
    connected_at_.reset();
    ++status_.attempt;
    const auto delay = wait_after(failure.kind);
    status_.next_retry_at = std::chrono::system_clock::now() + delay;
    set_state(OutputState::retrying, failure.message);
    co_await (wait_before_retry(delay) || stop_requested());
    status_.next_retry_at.reset();
    if (!stop_mode_) set_state(OutputState::connecting, "last try: " + failure.message);
  }
  detach();
  if (*stop_mode_ == StopMode::hang_up || !sink_) co_return;
  set_state(OutputState::stopping);
  co_await sink_->finish();
}

std::chrono::milliseconds Worker::wait_after(Failure::Kind kind) {
  switch (kind) {
    case Failure::Kind::rejected:
      return backoff_.next_after_rejection();
    case Failure::Kind::hung_up:
      return backoff_.next_after_hang_up();
    case Failure::Kind::lost:
      break;
  }
  return backoff_.next();
}

asio::awaitable<Failure> Worker::one_try() {
  mailbox_.clear();
  sink_ = make_sink(spec_, stream_.trail(), mailbox_, fanout_, environment_, executor_);
  try {
    if (auto failure = co_await open_with_deadline()) co_return std::move(*failure);
    ++connections_;
    connected_since_ = Steady::now();
    connected_at_ = std::chrono::system_clock::now();
    attach();
    auto ended = co_await (sink_->serve() || watch());
    co_return std::visit([](Failure& failure) { return std::move(failure); }, ended);
  } catch (const std::exception& error) {
    // Whatever went wrong in here (out of memory, say) is this try's failure and nothing more.
    co_return Failure{Failure::Kind::lost, std::string("internal error: ") + error.what()};
  }
}

asio::awaitable<std::optional<Failure>> Worker::open_with_deadline() {
  const auto timeout = sink_->open_timeout();
  if (!timeout) co_return co_await sink_->open();
  asio::steady_timer deadline(executor_, *timeout);
  auto opened = co_await (sink_->open() || deadline.async_wait(asio::use_awaitable));
  if (opened.index() == 0) co_return std::move(std::get<0>(opened));
  co_return Failure{Failure::Kind::lost, "no answer within " + std::to_string(timeout->count()) +
                                             " s while waiting for " + std::string(sink_->waiting_for())};
}

// Says when the output is live, and when it no longer is although the connection still stands.
asio::awaitable<Failure> Worker::watch() {
  asio::steady_timer tick(executor_);
  const auto opened_at = Steady::now();
  std::uint64_t acked = 0;
  auto progress_at = opened_at;
  bool told = false;
  for (;;) {
    tick.expires_after(status_.state == OutputState::connecting ? kWatchConnecting : kWatchLive);
    co_await tick.async_wait(asio::use_awaitable);
    const SinkStats stats = sink_->stats();
    const bool waiting = !mailbox_.empty() || !stats.idle;
    if (!waiting || stats.bytes_acked != acked) {
      acked = stats.bytes_acked;
      progress_at = Steady::now();
    } else if (Steady::now() - progress_at >= kStallTimeout) {
      co_return Failure{Failure::Kind::lost,
                        "the destination took no data for " + std::to_string(kStallTimeout.count()) + " s"};
    }
    if (status_.state != OutputState::connecting) continue;
    if (stats.media_acknowledged) {
      set_live();
    } else if (!told && stats.bytes_sent == 0 && Steady::now() - opened_at > kPatience) {
      told = true;
      set_state(OutputState::connecting, "the destination is ready; waiting for the input's next keyframe");
    }
  }
}

asio::awaitable<void> Worker::stop_requested() {
  while (!stop_mode_) co_await stop_timer_.async_wait(asio::as_tuple(asio::use_awaitable));
  if (*stop_mode_ == StopMode::drain_then_end) co_await drained();
}

asio::awaitable<void> Worker::drained() {
  asio::steady_timer tick(executor_);
  const auto deadline = Steady::now() + kDrainTimeout;
  // Nothing can drain before the destination has accepted the stream.
  while (attached_ && *stop_mode_ == StopMode::drain_then_end && Steady::now() < deadline) {
    if (mailbox_.empty() && sink_->stats().idle) co_return;
    tick.expires_after(kDrainPoll);
    co_await tick.async_wait(asio::use_awaitable);
  }
}

asio::awaitable<void> Worker::wait_before_retry(std::chrono::milliseconds delay) {
  retry_timer_.expires_after(delay);
  co_await retry_timer_.async_wait(asio::as_tuple(asio::use_awaitable));
}

void Worker::attach() {
  if (stop_mode_ == StopMode::end_now) return;
  attached_ = true;
  mailbox_.begin_start();
  stream_.attach(*this, spec_.form());
  mailbox_.end_start();
}

void Worker::detach() {
  if (!attached_) return;
  attached_ = false;
  stream_.detach(*this);
}

void Worker::close_sink() {
  if (!sink_) return;
  const SinkStats last = sink_->stats();
  bytes_before_ += last.bytes_sent;
  frames_before_ += last.frames_sent;
  retransmits_before_ += last.retransmits;
  lost_before_ += last.packets_lost;
  dropped_before_ += last.packets_dropped;
  sink_->close();
  sink_.reset();
}

void Worker::set_state(OutputState state, std::string message) {
  if (std::exchange(status_.state, state) != state) {
    status_.since = std::chrono::system_clock::now();
  }
  status_.message = std::move(message);
  status_.hold_ends_at.reset();
  if (state == OutputState::holding) status_.hold_ends_at = holding_until_;
  if (state == OutputState::retrying) {
    const auto wait =
        std::chrono::duration_cast<std::chrono::milliseconds>(*status_.next_retry_at - status_.since);
    spdlog::warn("output state={} input={} output={} attempt={} retry_in_ms={} cause=\"{}\"",
                 to_string(state), spec_.input_uid, spec_.uid, status_.attempt, wait.count(),
                 status_.message);
  } else {
    spdlog::info("output state={} input={} output={}{}", to_string(state), spec_.input_uid, spec_.uid,
                 status_.message.empty() ? "" : " cause=\"" + status_.message + "\"");
  }
  listener_.output_changed(spec_, status_, stats());
}

media::OutputStats Worker::stats() const {
  media::OutputStats stats;
  const SinkStats now = sink_ ? sink_->stats() : SinkStats{};
  stats.bytes_sent = bytes_before_ + now.bytes_sent;
  stats.bitrate = bitrate_;
  stats.frames_sent = frames_before_ + now.frames_sent;
  stats.frames_dropped = mailbox_.frames_dropped();
  stats.queue = std::chrono::duration_cast<std::chrono::milliseconds>(mailbox_.span());
  if (connected_at_) stats.rtt = now.rtt;
  stats.retransmits = retransmits_before_ + now.retransmits;
  stats.packets_lost = lost_before_ + now.packets_lost;
  stats.packets_dropped = dropped_before_ + now.packets_dropped;
  stats.send_buffer = now.send_buffer;
  stats.reconnects = connections_ > 0 ? connections_ - 1 : 0;
  stats.connected_at = connected_at_;
  return stats;
}

media::OutputStats Worker::report() {
  media::OutputStats now = stats();
  const auto time = Steady::now();
  const std::chrono::duration<double> passed = time - measured_at_;
  if (measured_at_ != Steady::time_point{} && passed.count() > 0) {
    const auto bits = static_cast<double>(now.bytes_sent - measured_bytes_) * 8;
    now.bitrate = bitrate_ = static_cast<std::uint64_t>(bits / passed.count());
  }
  measured_at_ = time;
  measured_bytes_ = now.bytes_sent;
  return now;
}

}  // namespace simulcast::egress
