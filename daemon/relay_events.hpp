// What the shards tell the control thread. Called on a shard; the implementation posts and returns at once.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "media/status.hpp"
#include "net/shard.hpp"

namespace simulcast::daemon {

struct OutputStatsReport {
  std::string input_uid;
  std::string output_uid;
  media::OutputStats stats;
};

struct InputStatsReport {
  std::string input_uid;
  media::InputStats stats;
};

struct ShardReport {
  std::chrono::microseconds loop_lag{};  // at most since the last report
  std::vector<InputStatsReport> inputs;
  std::vector<OutputStatsReport> outputs;
};

class RelayEvents {
 public:
  // A publisher feeds the input; its wanted outputs are asked for with ShardStreams::want().
  virtual void input_connected(const std::string& uid, net::Shard& shard, media::IngestProtocol protocol) = 0;
  // The publisher has gone; while the stream waits for it to come back, until when.
  virtual void input_disconnected(const std::string& uid, media::InputReason reason,
                                  std::optional<media::WallTime> hold_ends_at) = 0;
  // Nothing of the input is left on the shard.
  virtual void stream_ended(const std::string& uid) = 0;

  virtual void output_changed(const std::string& input_uid, const std::string& output_uid,
                              const media::OutputStatus& status, const media::OutputStats& stats) = 0;
  // No worker is left for this output; whether that means idle or disabled is the control thread's to say.
  virtual void output_ended(const std::string& input_uid, const std::string& output_uid) = 0;

  // Once a second: a sign of life, and the figures of everything on the shard.
  virtual void shard_report(unsigned shard, ShardReport report) = 0;

 protected:
  ~RelayEvents() = default;
};

}  // namespace simulcast::daemon
