// Stream ids as a stranger may send them.
#include "protocol/srt/stream_id.hpp"
#include "tests/fuzz/fuzz.hpp"

void simulcast::fuzz::run(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto id = simulcast::srt::parse_stream_id(text);
  // What is named is a part of what was sent, never made up.
  simulcast::fuzz::check(id.resource.size() <= text.size());
  simulcast::fuzz::check(text.starts_with('%') || text.find(id.resource) != std::string_view::npos);
  // The uid of a live input is 32 hexadecimal digits.
  simulcast::fuzz::check(!simulcast::srt::may_name_live_input(text) || id.resource.size() == 32);
}
