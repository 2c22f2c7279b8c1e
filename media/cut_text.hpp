// A text cut to a number of bytes, at a place where a character of UTF-8 begins: what was valid stays valid.
//
// Pure function. For texts that somebody else has written, wherever they travel further than their owner.
#pragma once

#include <cstddef>
#include <string_view>

namespace simulcast::media {

constexpr std::string_view cut_text(std::string_view text, std::size_t max_bytes) {
  if (text.size() <= max_bytes) return text;
  std::size_t end = max_bytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end);
}

}  // namespace simulcast::media
