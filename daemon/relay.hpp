// The reconciler: makes what the store wants so, and knows what is.
//
// Lives on the control thread. It is poked when the store has changed and when an input goes live or ends;
// each time it reads the wanted state of that one input and sends it to the input's shard, which starts and
// stops workers until there are exactly those. Start-up is the same with nothing running. Owned by
// Application; outlives the shards' threads.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/engine.hpp"
#include "control/store/store.hpp"
#include "daemon/input_directory.hpp"
#include "daemon/relay_events.hpp"
#include "daemon/shard_streams.hpp"
#include "daemon/stream_settings.hpp"
#include "daemon/warning_log.hpp"
#include "inspect/platform_rules.hpp"

namespace simulcast::daemon {

class Relay final : public control::Engine, public RelayEvents {
 public:
  // A shard that has not reported for this long is stalled.
  static constexpr std::chrono::seconds kShardStalled{5};

  // `defaults` are those of inputs that ask for nothing else, `rules` those that warnings are made of.
  Relay(boost::asio::io_context& control, control::Store& store, std::string account,
        InputDirectory& directory, std::size_t shards, StreamSettings defaults, inspect::PlatformRules rules);

  // Before any shard runs: where the streams of each shard are.
  void set_streams(const std::vector<std::unique_ptr<ShardStreams>>& streams) { streams_ = &streams; }
  // Lets encoders in for everything that the store holds.
  void load();

  void wanted_changed(std::string_view input_uid) override;
  std::optional<control::InputReport> input_status(std::string_view input_uid) const override;
  std::uint64_t input_changes() const override { return input_changes_; }
  media::OutputStatus output_status(std::string_view input_uid, std::string_view output_uid) const override;
  media::OutputStats output_stats(std::string_view input_uid, std::string_view output_uid) const override;
  std::optional<media::InputStats> input_stats(std::string_view input_uid) const override;
  std::vector<media::Warning> warnings_of(std::string_view input_uid,
                                          std::string_view output_uid) const override;
  std::vector<control::InputSnapshot> snapshot(Which which) const override;
  std::optional<control::InputSnapshot> snapshot_of(std::string_view input_uid) const override;
  std::vector<control::ShardSnapshot> shards() const override { return shards_; }
  void retry(std::string_view input_uid, std::string_view output_uid) override;
  // Runs on a shard, as outputs do.
  boost::asio::awaitable<media::OutputTest> test_output(std::string url, std::string stream_key,
                                                        bool verify_tls) override;
  void listen(control::EngineListener& listener) override { listeners_.push_back(&listener); }
  std::string readiness_problem() const override;

  // From the shards.
  void input_connected(const std::string& uid, net::Shard& shard, media::IngestProtocol protocol) override;
  void input_disconnected(const std::string& uid, media::InputReason reason,
                          std::optional<media::WallTime> hold_ends_at) override;
  void stream_ended(const std::string& uid) override;
  void output_changed(const std::string& input_uid, const std::string& output_uid,
                      const media::OutputStatus& status, const media::OutputStats& stats) override;
  void output_ended(const std::string& input_uid, const std::string& output_uid) override;
  void shard_report(unsigned shard, ShardReport report) override;

 private:
  struct Output {
    std::string name;
    std::string url;
    bool enabled = true;
    bool at_work = false;  // a worker exists on the shard
    media::OutputStatus status;
    media::OutputStats stats;
    WarningLog warning_log;
  };
  struct Input {
    std::string name;
    net::Shard* shard = nullptr;             // while anything of it is left on one
    bool on_air = false;                     // a publisher feeds it, or it holds
    std::optional<media::InputStats> stats;  // while on a shard
    std::map<std::string, Output, std::less<>> outputs;
  };

  control::InputSnapshot snapshot_of(const std::string& uid, const Input& input) const;
  // Reads what is wanted of one input and makes it so.
  void reconcile(const std::string& uid);
  void take_wanted(const control::LiveInput& wanted, const std::vector<control::Output>& outputs);
  void forget(const std::string& uid);
  // Runs `work` with the input's stream on its shard, if it is still there by then.
  template <class Work>
  void on_stream(const Input& input, const std::string& uid, Work work);
  // The input's connection has become this; tell() is to follow once all of it is set.
  control::InputReport& enter(const std::string& uid, bool connected, media::InputReason reason);
  void tell(const std::string& uid);
  // Tells of what has changed since `before`.
  void tell(const std::string& input_uid, const std::string& output_uid, const media::OutputStatus& before,
            const media::OutputStatus& status);
  const Output* find(std::string_view input_uid, std::string_view output_uid) const;
  std::vector<media::Warning> warnings_of(const Input& input, const Output& output) const;

  boost::asio::io_context& control_;
  control::Store& store_;
  const std::string account_;
  InputDirectory& directory_;
  const StreamSettings defaults_;
  const inspect::PlatformRules rules_;
  const std::vector<std::unique_ptr<ShardStreams>>* streams_ = nullptr;
  std::map<std::string, Input, std::less<>> inputs_;
  // Of those of them that were ever connected. Apart from the rest, as the list of inputs asks for each of
  // ten thousand.
  std::map<std::string, control::InputReport, std::less<>> reports_;
  std::uint64_t input_changes_ = 0;                                 // of them
  std::vector<std::chrono::steady_clock::time_point> last_report_;  // by shard
  std::vector<control::ShardSnapshot> shards_;
  std::vector<control::EngineListener*> listeners_;
};

}  // namespace simulcast::daemon
