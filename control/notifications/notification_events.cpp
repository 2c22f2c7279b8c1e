#include "control/notifications/notification_events.hpp"

#include <utility>

namespace simulcast::control {

using media::InputReason;
using media::OutputState;

namespace {

bool ended_badly(InputReason reason) {
  return reason == InputReason::ttl_exceeded || reason == InputReason::failed_to_connect ||
         reason == InputReason::failed_to_reconnect;
}

NotificationEvent of_input(EventType type, const std::string& input_uid, const media::InputStatus& status) {
  return {type, input_uid, {}, status, {}, status.entered_at};
}

NotificationEvent of_output(EventType type, const std::string& input_uid, const std::string& output_uid,
                            const media::OutputStatus& status) {
  return {type, input_uid, output_uid, {}, status, status.since};
}

}  // namespace

std::string_view to_string(EventType type) {
  switch (type) {
    case EventType::input_connected:
      return "live_input.connected";
    case EventType::input_disconnected:
      return "live_input.disconnected";
    case EventType::input_errored:
      return "live_input.errored";
    case EventType::output_connected:
      return "output.connected";
    case EventType::output_disconnected:
      return "output.disconnected";
    case EventType::output_errored:
      return "output.errored";
    case EventType::output_retrying:
      return "output.retrying";
  }
  return "unknown";
}

bool is_of_the_original(EventType type) {
  return type <= EventType::input_errored;
}

std::optional<NotificationEvent> NotificationEvents::input_changed(const std::string& input_uid,
                                                                   const media::InputStatus& status) {
  const auto known = inputs_.find(input_uid);
  const bool was_off = known == inputs_.end();
  const bool was_connected = !was_off && known->second == InputPhase::connected;
  if (status.connected) {
    if (was_connected) return std::nullopt;  // another encoder has taken over
    inputs_[input_uid] = InputPhase::connected;
    return of_input(EventType::input_connected, input_uid, status);
  }
  if (was_off) return std::nullopt;
  if (status.reason == InputReason::reconnecting) {
    known->second = InputPhase::away;
  } else {
    inputs_.erase(known);
    if (ended_badly(status.reason)) return of_input(EventType::input_errored, input_uid, status);
  }
  if (!was_connected) return std::nullopt;
  return of_input(EventType::input_disconnected, input_uid, status);
}

std::optional<NotificationEvent> NotificationEvents::output_changed(const std::string& input_uid,
                                                                    const std::string& output_uid,
                                                                    const media::OutputStatus& status,
                                                                    Clock::time_point now) {
  const auto event = [&](EventType type) { return of_output(type, input_uid, output_uid, status); };
  Outputs& outputs = outputs_[input_uid];
  const auto known = outputs.find(output_uid);
  const bool was_off = known == outputs.end();
  const bool was_live = !was_off && known->second.phase == OutputPhase::live;
  std::optional<NotificationEvent> told;
  switch (status.state) {
    case OutputState::live:
    case OutputState::holding:
      outputs[output_uid] = {.phase = OutputPhase::live};
      if (!was_live) told = event(EventType::output_connected);
      break;
    case OutputState::retrying:
      if (was_off || was_live) {
        outputs[output_uid] = {OutputPhase::failing, status.attempt, now};
        told = event(EventType::output_errored);
      } else if (status.attempt != std::exchange(known->second.attempt, status.attempt) &&
                 now - known->second.told_at >= kRetryingEvery) {
        known->second.told_at = now;
        told = event(EventType::output_retrying);
      }
      break;
    case OutputState::connecting:
      if (!was_live) break;
      [[fallthrough]];
    case OutputState::disabled:
    case OutputState::idle:
    case OutputState::stopping:
      if (!was_off) outputs.erase(known);
      if (was_live) told = event(EventType::output_disconnected);
      break;
  }
  if (outputs.empty()) outputs_.erase(input_uid);
  return told;
}

std::vector<NotificationEvent> NotificationEvents::outputs_are(const std::string& input_uid,
                                                               const std::set<std::string>& output_uids,
                                                               media::WallTime now) {
  std::vector<NotificationEvent> told;
  const auto known = outputs_.find(input_uid);
  if (known == outputs_.end()) return told;
  Outputs& outputs = known->second;
  for (auto output = outputs.begin(); output != outputs.end();) {
    if (output_uids.contains(output->first)) {
      ++output;
      continue;
    }
    if (output->second.phase == OutputPhase::live) {
      media::OutputStatus status;
      status.state = OutputState::stopping;
      status.since = now;
      status.message = "the output was deleted";
      told.push_back(of_output(EventType::output_disconnected, input_uid, output->first, status));
    }
    output = outputs.erase(output);
  }
  if (outputs.empty()) outputs_.erase(known);
  return told;
}

}  // namespace simulcast::control
