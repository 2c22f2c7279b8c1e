#include "control/notifications/notification_body.hpp"

#include <spdlog/fmt/fmt.h>

#include <boost/algorithm/string/case_conv.hpp>
#include <locale>

#include "control/engine.hpp"
#include "control/store/timestamps.hpp"
#include "media/cut_text.hpp"

namespace simulcast::control {

namespace json = boost::json;
using media::InputReason;

namespace {

// "Main stage" (0123...), or only the uid.
std::string called(const std::string& name, const std::string& uid) {
  return name.empty() ? uid : fmt::format("\"{}\" ({})", name, uid);
}

std::string upper_case(std::string_view word) {
  return boost::algorithm::to_upper_copy(std::string(word), std::locale::classic());
}

std::string because(const std::string& message) {
  return message.empty() ? std::string() : ": " + message;
}

std::string cut(const std::string& text, std::size_t bytes) {
  return std::string(media::cut_text(text, bytes));
}

EventSubject shortened(const EventSubject& subject) {
  return {.input_name = cut(subject.input_name, InputSnapshot::kMaxName),
          .output_name = cut(subject.output_name, InputSnapshot::kMaxName),
          .video_codec = cut(subject.video_codec, kMaxCodec),
          .audio_codec = cut(subject.audio_codec, kMaxCodec)};
}

struct Error {
  std::string_view code;
  std::string_view message;
};

Error error_of(InputReason reason) {
  switch (reason) {
    case InputReason::failed_to_connect:
      return {"ERR_FAILED_TO_CONNECT", "The encoder could not connect"};
    case InputReason::failed_to_reconnect:
      return {"ERR_FAILED_TO_RECONNECT", "The encoder was lost and could not connect again"};
    default:
      return {"ERR_TTL_EXCEEDED", "The encoder was lost and did not come back in time"};
  }
}

std::string sentence(const NotificationEvent& event, const EventSubject& subject) {
  const std::string input = "ive input " + called(subject.input_name, event.input_uid);
  const std::string output =
      fmt::format("Output {} of l{}", called(subject.output_name, event.output_uid), input);
  switch (event.type) {
    case EventType::input_connected:
      return fmt::format("L{} is connected by {}", input, upper_case(to_string(event.input.protocol)));
    case EventType::input_disconnected:
      if (event.input.hold_ends_at) {
        return fmt::format("L{} has lost its encoder; its outputs are held until {}", input,
                           to_rfc3339(*event.input.hold_ends_at));
      }
      return fmt::format("L{} is disconnected", input);
    case EventType::input_errored:
      return fmt::format("L{} has failed: {}", input, error_of(event.input.reason).message);
    case EventType::output_connected:
      return output + " is live";
    case EventType::output_disconnected:
      return fmt::format("{} is not live any more{}", output, because(event.output.message));
    case EventType::output_errored:
      return fmt::format("{} has failed and is tried again{}", output, because(event.output.message));
    case EventType::output_retrying:
      return fmt::format("{} still fails after {} tries{}", output, event.output.attempt,
                         because(event.output.message));
  }
  return {};
}

}  // namespace

json::object notification_body(const NotificationEvent& whole_event, const EventSubject& whole_subject,
                               const std::string& webhook_name, Timestamp now) {
  const EventSubject subject = shortened(whole_subject);
  NotificationEvent event = whole_event;
  event.output.message = cut(event.output.message, kMaxMessage);
  json::object data{{"notification_name", "Stream Live Input"},
                    {"input_id", event.input_uid},
                    {"event_type", to_string(event.type)},
                    {"updated_at", to_rfc3339(event.at)}};
  if (event.type == EventType::input_errored) {
    const Error error = error_of(event.input.reason);
    json::object errored;
    errored["error"] = json::object{{"code", error.code}, {"message", error.message}};
    errored["video_codec"] = subject.video_codec;
    errored["audio_codec"] = subject.audio_codec;
    data["live_input_errored"] = std::move(errored);
  }
  if (!event.output_uid.empty()) {
    data["output_id"] = event.output_uid;
    data["output_name"] = subject.output_name;
    data["state"] = to_string(event.output.state);
    data["message"] = event.output.message;
  }
  json::object body{{"name", cut(webhook_name, InputSnapshot::kMaxName)}, {"text", sentence(event, subject)}};
  body["data"] = std::move(data);
  body["ts"] = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  return body;
}

}  // namespace simulcast::control
