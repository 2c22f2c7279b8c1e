#include "protocol/srt/stream_id.hpp"

#include <algorithm>

namespace simulcast::srt {

namespace {
constexpr std::string_view kAccessControl = "#!::";
}

StreamId parse_stream_id(std::string_view text) {
  if (!text.starts_with(kAccessControl)) return {text, true};
  text.remove_prefix(kAccessControl.size());
  StreamId id;
  while (!text.empty()) {
    const std::string_view pair = text.substr(0, text.find(','));
    text.remove_prefix(std::min(pair.size() + 1, text.size()));
    // No escaping is defined: a value ends at the comma, and may itself hold an equals sign.
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view key = pair.substr(0, equals);
    const std::string_view value = pair.substr(equals + 1);
    if (key == "r") id.resource = value;
    if (key == "m") id.publish = value == "publish";
  }
  return id;
}

}  // namespace simulcast::srt
