// From changes of state to the events that people are told of: the transition table of notifications.
//
// Sans-I/O: states and times in, events out. Owned by Notifier, used on the control thread. Remembers only
// inputs that are on the air and outputs that are live or failing.
//
//   live input                       event
//   off or away   -> connected       live_input.connected
//   connected     -> away            live_input.disconnected   (the outputs are held for it)
//   connected     -> off             live_input.disconnected
//   connected or away -> off, badly  live_input.errored        (it did not come back in time)
//   away          -> off             none: it has been told
//
//   output                           event
//   off or failing -> live           output.connected          (holding counts as live)
//   off or live    -> retrying       output.errored
//   failing        -> retrying again output.retrying           (at most one in kRetryingEvery)
//   live           -> any other      output.disconnected       (idle, disabled, stopping, deleted: it was
//   wanted) failing        -> idle, disabled, stopping, deleted        none anything       -> connecting
//   none, unless it was live
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "media/status.hpp"

namespace simulcast::control {

enum class EventType : std::uint8_t {
  input_connected,
  input_disconnected,
  input_errored,
  output_connected,
  output_disconnected,
  output_errored,
  output_retrying,
};
inline constexpr std::array kEventTypes{
    EventType::input_connected,  EventType::input_disconnected,  EventType::input_errored,
    EventType::output_connected, EventType::output_disconnected, EventType::output_errored,
    EventType::output_retrying,
};
// As the API has it: "live_input.connected".
std::string_view to_string(EventType type);
// The original has those of live inputs only.
bool is_of_the_original(EventType type);

struct NotificationEvent {
  EventType type;
  std::string input_uid;
  std::string output_uid;      // empty: of the input itself
  media::InputStatus input;    // live_input.*: what it has become
  media::OutputStatus output;  // output.*
  media::WallTime at;          // when it became so
};

class NotificationEvents {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::minutes kRetryingEvery{1};

  std::optional<NotificationEvent> input_changed(const std::string& input_uid,
                                                 const media::InputStatus& status);
  std::optional<NotificationEvent> output_changed(const std::string& input_uid, const std::string& output_uid,
                                                  const media::OutputStatus& status, Clock::time_point now);
  // The input has these outputs and no others.
  std::vector<NotificationEvent> outputs_are(const std::string& input_uid,
                                             const std::set<std::string>& output_uids, media::WallTime now);

 private:
  enum class InputPhase { connected, away };  // without an entry: off
  enum class OutputPhase { live, failing };   // without an entry: off
  struct Output {
    OutputPhase phase;
    int attempt = 0;                 // that has been seen
    Clock::time_point told_at = {};  // of errored or retrying
  };
  using Outputs = std::map<std::string, Output>;

  std::map<std::string, InputPhase> inputs_;
  std::map<std::string, Outputs> outputs_;  // by input
};

}  // namespace simulcast::control
