// What the API needs from the relay that runs beside it. Declared here, implemented by daemon/, stubbed in
// tests.
//
// Called on the control thread only; every call answers at once from memory and never waits for a shard.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/engine_listener.hpp"
#include "media/status.hpp"

namespace simulcast::control {

// An input's connection now, and what it was before.
struct InputReport {
  static constexpr std::size_t kHistory = 10;  // entries the API shows

  media::InputStatus current;
  std::vector<media::InputStatus>
      history;  // newest first, without `current`; the API shows the first kHistory
};

// All that is known of an input and its outputs now.
struct OutputSnapshot {
  std::string uid;
  std::string name;  // as its record has it
  media::OutputStatus status;
  media::OutputStats stats;
};
struct InputSnapshot {
  // Bytes of a name, cut at a character: meta.name may be as long as a request, and travels with each event.
  static constexpr std::size_t kMaxName = 255;

  std::string uid;
  std::string name;                          // meta.name
  std::optional<media::InputStatus> status;  // empty before the first connection
  std::optional<media::InputStats> stats;    // empty while it is not live
  std::vector<OutputSnapshot> outputs;
};

struct ShardSnapshot {
  std::chrono::microseconds loop_lag{};  // how late its event loop was at most, in the last second
};

class Engine {
 public:
  virtual ~Engine() = default;

  // The wanted state of this input or of any of its outputs has changed in the store (created, edited,
  // deleted, keys rotated): make it so. Safe to call too often.
  virtual void wanted_changed(std::string_view input_uid) = 0;

  // Empty before the first connection of this input.
  virtual std::optional<InputReport> input_status(std::string_view input_uid) const = 0;

  // Grows whenever what input_status() says of any input becomes another, save for `last_seen`.
  virtual std::uint64_t input_changes() const = 0;

  // Of the media that comes in now; empty while the input is not live.
  virtual std::optional<media::InputStats> input_stats(std::string_view input_uid) const = 0;

  // For an output that is known to the store; right after wanted_changed() it already shows the new wish.
  virtual media::OutputStatus output_status(std::string_view input_uid,
                                            std::string_view output_uid) const = 0;
  virtual media::OutputStats output_stats(std::string_view input_uid, std::string_view output_uid) const = 0;

  // What of the media that comes in breaks the rules of the platform that this output leads to, also of one
  // that is not enabled.
  virtual std::vector<media::Warning> warnings_of(std::string_view input_uid,
                                                  std::string_view output_uid) const = 0;

  enum class Which { all, live };
  // `live`: only those that a publisher feeds, or that hold for one.
  virtual std::vector<InputSnapshot> snapshot(Which which) const = 0;
  // Of one; empty when there is no such input.
  virtual std::optional<InputSnapshot> snapshot_of(std::string_view input_uid) const = 0;

  virtual std::vector<ShardSnapshot> shards() const = 0;

  // Ends the wait between two tries of an output; of no effect on one that does not wait.
  virtual void retry(std::string_view input_uid, std::string_view output_uid) = 0;

  // Dials, shakes hands and asks to publish, sends no media. Takes up to half a minute. Can be cancelled
  // (terminal): it hangs up then, and this throws operation_aborted.
  virtual boost::asio::awaitable<media::OutputTest> test_output(std::string url, std::string stream_key,
                                                                bool verify_tls) = 0;

  // From now on `listener` hears of every change; it must outlive the engine's work.
  virtual void listen(EngineListener& listener) = 0;

  // Empty when all is well, else one sentence about what is not: a closed listener, a stalled shard.
  virtual std::string readiness_problem() const = 0;
};

}  // namespace simulcast::control
