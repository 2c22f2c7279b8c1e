#include "protocol/srt/stream_id.hpp"

#include <algorithm>
#include <charconv>
#include <system_error>

namespace simulcast::srt {

namespace {
constexpr std::string_view kAccessControl = "#!::";
constexpr std::string_view kEscapedHash = "%23";

// As far as it is well-formed: a percent sign without two hex digits stands for itself.
std::string unescaped(std::string_view text) {
  std::string plain;
  while (!text.empty()) {
    unsigned char byte = 0;
    const std::string_view digits = text.substr(std::min<std::size_t>(1, text.size()), 2);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
    if (text.front() == '%' && error == std::errc() && digits.size() == 2 && end == digits.data() + 2) {
      plain += static_cast<char>(byte);
      text.remove_prefix(3);
    } else {
      plain += text.front();
      text.remove_prefix(1);
    }
  }
  return plain;
}

}  // namespace

StreamId parse_stream_id(std::string_view text) {
  if (text.starts_with(kEscapedHash)) return parse_stream_id(unescaped(text));
  if (!text.starts_with(kAccessControl)) return {std::string(text), true};
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

bool may_name_live_input(std::string_view stream_id) {
  constexpr std::size_t kUid = 32;
  const std::string resource = parse_stream_id(stream_id).resource;
  return resource.size() == kUid && resource.find_first_not_of("0123456789abcdefABCDEF") == std::string::npos;
}

}  // namespace simulcast::srt
