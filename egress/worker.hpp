// One output at work: the state machine that keeps one destination fed for as long as its input is live.
//
// connecting -> live -> (holding while the publisher is away) -> retrying -> connecting ... -> stopping ->
// ended. It owns the mailbox and the sink of the current try, attaches to the stream once the destination has
// accepted the publish, and never gives up by itself. Made by the daemon for an output that is enabled while
// its input is live; lives on the stream's shard. The coroutine of start() keeps it alive until it has ended.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "egress/mailbox.hpp"
#include "egress/output_spec.hpp"
#include "egress/rtmp_fanout.hpp"
#include "egress/sink.hpp"
#include "media/output.hpp"
#include "media/status.hpp"
#include "media/stream.hpp"
#include "net/backoff.hpp"

namespace simulcast::egress {

// Hears about a worker, on its shard.
class WorkerListener {
 public:
  virtual void output_changed(const OutputSpec& spec, const media::OutputStatus& status,
                              const media::OutputStats& stats) = 0;
  // Nothing more comes from this worker.
  virtual void worker_ended(const OutputSpec& spec) = 0;

 protected:
  ~WorkerListener() = default;
};

enum class StopMode {
  end_now,         // the user's wish: what waits is dropped, the broadcast is ended properly
  drain_then_end,  // the show is over: what waits is sent first
  hang_up,         // the daemon stops: the destination's own grace applies
};

// Begins a line of cache: see RtmpWriter.
class alignas(64) Worker final : public media::Output, public std::enable_shared_from_this<Worker> {
 public:
  // A connection that stays good for this long starts the back-off anew.
  static constexpr std::chrono::seconds kHealthy{30};
  // Packets wait and the peer acknowledges nothing: the connection is dead.
  static constexpr std::chrono::seconds kStallTimeout{10};
  // How long drain_then_end may take.
  static constexpr std::chrono::seconds kDrainTimeout{5};

  // `fanout` is what the outputs of the stream share.
  Worker(OutputSpec spec, media::Stream& stream, RtmpFanout& fanout, const Environment& environment,
         WorkerListener& listener, boost::asio::any_io_executor executor);
  ~Worker();

  void start();
  // May be called again with a harder mode. The stream may go as soon as a worker has ended.
  void stop(StopMode mode);
  // Ends the wait between two tries.
  void retry_now();
  // The publisher has gone for the moment, and is waited for until then; or is back.
  void hold(media::WallTime until);
  void end_hold();

  const OutputSpec& spec() const { return spec_; }
  bool stopping() const { return stop_mode_.has_value(); }
  media::OutputStats stats() const;
  // The same; call once a second: the bitrate is that since the last call.
  media::OutputStats report();

  void take(const media::Batch& batch) override;
  void left_out(const std::string& sentence) override;

 private:
  boost::asio::awaitable<void> run();
  std::chrono::milliseconds wait_after(Failure::Kind kind);
  boost::asio::awaitable<Failure> one_try();
  boost::asio::awaitable<std::optional<Failure>> open_with_deadline();
  boost::asio::awaitable<Failure> watch();
  boost::asio::awaitable<void> stop_requested();
  boost::asio::awaitable<void> drained();
  boost::asio::awaitable<void> wait_before_retry(std::chrono::milliseconds delay);

  void attach();
  void detach();
  void close_sink();
  void set_live();
  void set_state(media::OutputState state, std::string message = {});

  // First what take() looks at.
  std::unique_ptr<Sink> sink_;  // of the current try
  Mailbox mailbox_;

  const OutputSpec spec_;
  media::Stream& stream_;
  RtmpFanout& fanout_;
  const Environment& environment_;
  WorkerListener& listener_;
  boost::asio::any_io_executor executor_;

  bool attached_ = false;
  std::optional<media::WallTime> holding_until_;
  std::string left_out_;  // of the stream, because the destination's protocol cannot carry it
  std::optional<StopMode> stop_mode_;
  boost::asio::steady_timer stop_timer_;   // cancelled by stop()
  boost::asio::steady_timer retry_timer_;  // cancelled by retry_now()
  net::Backoff backoff_;
  media::OutputStatus status_;

  // Totals of the connections before the current one.
  std::uint64_t bytes_before_ = 0;
  std::uint64_t frames_before_ = 0;
  std::uint64_t retransmits_before_ = 0;
  std::uint64_t lost_before_ = 0;
  std::uint64_t dropped_before_ = 0;
  std::uint64_t connections_ = 0;
  std::optional<media::WallTime> connected_at_;
  std::chrono::steady_clock::time_point connected_since_{};
  std::uint64_t bitrate_ = 0;
  std::uint64_t measured_bytes_ = 0;
  std::chrono::steady_clock::time_point measured_at_{};
};

}  // namespace simulcast::egress
