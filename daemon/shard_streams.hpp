// The live inputs of one shard. Owned by daemon::Relay; every call on the shard.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/live_stream.hpp"
#include "daemon/stream_settings.hpp"
#include "egress/probe.hpp"
#include "media/audio_wait.hpp"
#include "net/gather_ring.hpp"

namespace simulcast::daemon {

class ShardStreams {
 public:
  static constexpr std::chrono::seconds kReportInterval{1};
  // How often it is looked whether the event loop is late.
  static constexpr std::chrono::milliseconds kLagInterval{100};

  ShardStreams(net::Shard& shard, const egress::Environment& environment, RelayEvents& events,
               continuity::Studio& studio, StreamSettings settings);

  // Begins the reports.
  void start();
  media::Stream& publisher_arrived(const ingest::Grant& grant, ingest::Publisher& publisher);
  void publisher_left(const ingest::Grant& grant, ingest::Publisher& publisher, bool goodbye);

  // Null when the input is not live here.
  LiveStream* find(const std::string& uid);
  // Tries a destination out; to be run on executor().
  boost::asio::awaitable<media::OutputTest> probe(egress::OutputSpec spec) const {
    return egress::probe(std::move(spec), environment_);
  }
  boost::asio::any_io_executor executor() const { return shard_.executor(); }

  // Hangs up everything; calls `done` once nothing is left.
  void shut_down(std::function<void()> done);

 private:
  void report();
  void watch_lag();
  void remove_finished(const std::string& uid);

  net::Shard& shard_;
  const egress::Environment& environment_;
  RelayEvents& events_;
  continuity::Studio& studio_;
  const StreamSettings settings_;  // until an input's own are known
  boost::asio::steady_timer report_timer_;
  boost::asio::steady_timer lag_timer_;
  std::chrono::microseconds loop_lag_{};
  media::AudioWait audio_wait_;
  const std::unique_ptr<net::GatherRing> ring_;  // null where the kernel has none
  std::map<std::string, std::unique_ptr<LiveStream>> streams_;
  std::function<void()> on_empty_;  // while shutting down
};

}  // namespace simulcast::daemon
