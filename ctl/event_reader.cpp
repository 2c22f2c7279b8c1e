#include "ctl/event_reader.hpp"

#include <utility>

namespace simulcast::ctl {

bool EventReader::feed(std::string_view text) {
  while (!text.empty()) {
    const auto end = text.find('\n');
    if (end == std::string_view::npos) {
      rest_ += text;
      return rest_.size() <= kMaxEvent;
    }
    if (rest_.empty()) {
      end_of_line(text.substr(0, end));
    } else {
      rest_ += text.substr(0, end);
      end_of_line(std::exchange(rest_, {}));
    }
    text.remove_prefix(end + 1);
  }
  return true;
}

void EventReader::end_of_line(std::string_view line) {
  const auto field = [line](std::string_view name, std::string& value) {
    if (line.starts_with(name)) value = line.substr(name.size());
  };
  if (!line.empty()) {
    field("event: ", event_);
    field("data: ", data_);
    return;
  }
  const std::string event = std::exchange(event_, {});
  const std::string data = std::exchange(data_, {});
  if (!event.empty()) take_(event, data);
}

}  // namespace simulcast::ctl
