// What a webhook gets to read: an event as JSON, in the shape of the original.
//
// Pure functions. Messages of outputs are the destinations' own words, already free of secrets. Every text in
// it is cut: names to InputSnapshot::kMaxName bytes, messages to kMaxMessage, codecs to kMaxCodec. So a body
// has a few kilobytes at the most, whatever users and peers call themselves.
#pragma once

#include <boost/json/object.hpp>
#include <string>

#include "control/notifications/notification_events.hpp"
#include "control/store/records.hpp"

namespace simulcast::control {

constexpr std::size_t kMaxMessage = 1024;
constexpr std::size_t kMaxCodec = 64;

// What is known of whom the event is about.
struct EventSubject {
  std::string input_name;   // empty: it has none
  std::string output_name;  // empty: it has none
  std::string video_codec;  // of what came in last; empty: not known
  std::string audio_codec;
};

// `webhook_name`: the receiver's, as the original puts it there.
boost::json::object notification_body(const NotificationEvent& event, const EventSubject& subject,
                                      const std::string& webhook_name, Timestamp now);

}  // namespace simulcast::control
