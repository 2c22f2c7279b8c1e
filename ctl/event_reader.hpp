// Takes server-sent events (WHATWG HTML, 9.2) out of the text they come in, as far as the daemon sends them:
// fields `event` and `data` of one line each, comments.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace simulcast::ctl {

class EventReader {
 public:
  using Take = std::function<void(std::string_view event, std::string_view data)>;

  static constexpr std::size_t kMaxEvent = std::size_t{64} << 20;

  explicit EventReader(Take take) : take_(std::move(take)) {}

  // Whatever came. False: an event is longer than kMaxEvent, so this is not the daemon.
  bool feed(std::string_view text);

 private:
  void end_of_line(std::string_view line);

  const Take take_;
  std::string rest_;  // of a line that has not ended
  std::string event_;
  std::string data_;
};

}  // namespace simulcast::ctl
