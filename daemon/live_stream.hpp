// One live input on its shard: the stream, the publisher that feeds it, and a worker per wanted output.
//
// It makes what is wanted so: want() says which outputs there should be, workers are started and stopped
// until there are exactly those. When the publisher leaves without a goodbye the stream holds for it, and is
// fed with filler meanwhile; when the show is over the workers drain and end. Owned by ShardStreams; every
// call on its shard.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "continuity/studio.hpp"
#include "daemon/input_meter.hpp"
#include "daemon/relay_events.hpp"
#include "daemon/stream_settings.hpp"
#include "egress/output_spec.hpp"
#include "egress/rtmp_fanout.hpp"
#include "egress/worker.hpp"
#include "ingest/publisher.hpp"
#include "media/audio_wait.hpp"
#include "media/stream.hpp"

namespace simulcast::daemon {

class LiveStream final : private egress::WorkerListener {
 public:
  LiveStream(std::string uid, net::Shard& shard, const egress::Environment& environment,
             media::AudioWait& audio_wait, net::GatherRing* ring, RelayEvents& events,
             continuity::Studio& studio, StreamSettings settings, std::function<void()> on_finished);
  ~LiveStream();

  // The newer publisher takes over.
  media::Stream& publisher_arrived(const ingest::Grant& grant, ingest::Publisher& publisher);
  // It is still connected but nothing is heard of it, and it is heard again. True: the stream holds for it.
  bool publisher_silent(ingest::Publisher& publisher);
  void publisher_heard(const ingest::Grant& grant, ingest::Publisher& publisher);
  void publisher_left(ingest::Publisher& publisher, bool goodbye);

  void want(std::vector<egress::OutputSpec> outputs, const StreamSettings& settings);
  // Cuts the publisher, the stream goes on (or holds).
  void kick_publisher(std::string_view reason);
  // The input may no longer be on the air: cuts the publisher and ends every output now.
  void end(std::string_view reason);
  // The daemon stops: everything hangs up without ending the broadcasts.
  void shut_down();
  void retry(const std::string& output_uid);

  // The show is over and nothing is left at work. on_finished is called whenever that has become true; a
  // publisher that comes at the last moment makes it false again.
  bool finished() const { return !on_air_ && publisher_ == nullptr && workers_.empty(); }

  void collect_stats(ShardReport& into);

 private:
  void reconcile();
  void end_show(egress::StopMode mode);
  void start_holding();
  void stop_holding();
  void await_hold_end();
  media::WallTime hold_ends_at() const;
  void begin_filling();
  void keep_filling();
  void finish_if_done();
  void tell_clock_jumps();
  void look_again_if_wanted();

  void output_changed(const egress::OutputSpec& spec, const media::OutputStatus& status,
                      const media::OutputStats& stats) override;
  void worker_ended(const egress::OutputSpec& spec) override;

  const std::string uid_;
  net::Shard& shard_;
  const egress::Environment& environment_;
  RelayEvents& events_;
  StreamSettings settings_;
  const std::function<void()> on_finished_;

  egress::RtmpFanout fanout_;
  continuity::SlateChoice slate_;
  media::Stream stream_;
  InputMeter meter_;
  std::shared_ptr<void> lease_;  // pins the input to this shard
  ingest::Publisher* publisher_ = nullptr;
  boost::asio::steady_timer hold_timer_;
  boost::asio::steady_timer fill_timer_;
  boost::asio::steady_timer look_timer_;
  bool holding_ = false;
  std::chrono::steady_clock::time_point holding_since_{};
  bool on_air_ = true;  // workers may run; false once the show is over
  egress::StopMode stop_mode_ = egress::StopMode::drain_then_end;  // how, once it is over

  std::uint64_t clock_jumps_ = 0;
  bool told_clock_jump_ = false;  // of this publisher

  std::map<std::string, egress::OutputSpec> wanted_;
  std::map<std::string, std::shared_ptr<egress::Worker>> workers_;
};

}  // namespace simulcast::daemon
