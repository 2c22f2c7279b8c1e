#include "config/visible_text.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace simulcast::config {

namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

struct Range {
  char32_t first;
  char32_t last;
};
// All of them take four hex digits to write out.
constexpr std::array kInvisible{
    Range{0x0000, 0x001F},  // C0 controls
    Range{0x007F, 0x009F},  // DEL and C1 controls
    Range{0x061C, 0x061C},  // Arabic letter mark
    Range{0x200B, 0x200B},  // zero width space
    Range{0x200E, 0x200F},  // marks of direction
    Range{0x2028, 0x202E},  // separators of lines and paragraphs, embeddings and overrides of direction
    Range{0x2060, 0x206F},  // word joiner, invisible operators, isolates of direction
    Range{0xFEFF, 0xFEFF},  // byte order mark
    Range{0xFFF9, 0xFFFB},  // annotations
};

bool is_invisible(char32_t character) {
  return std::ranges::any_of(kInvisible, [character](const Range& range) {
    return character >= range.first && character <= range.last;
  });
}

struct Character {
  char32_t code = 0;
  std::size_t bytes = 0;  // 0: no UTF-8
};

// Of the shortest form only, and no surrogates (RFC 3629, 3).
Character first_of(std::string_view text) {
  const auto byte = [text](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  const unsigned lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const std::size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < size) return {};
  char32_t code = lead & (0xFFU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0U) != 0x80) return {};
    code = (code << 6U) | (byte(i) & 0x3FU);
  }
  constexpr std::array<char32_t, 5> kLeast{0, 0, 0x80, 0x800, 0x10000};
  if (code < kLeast.at(size) || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return {};
  return {code, size};
}

void write_out(char32_t character, std::string& out) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  out += "\\u";
  for (const unsigned shift : {12U, 8U, 4U, 0U}) out += kDigits[(character >> shift) & 0xFU];
}

std::string visible(std::string_view text, bool keep_line_breaks) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto [character, bytes] = first_of(text);
    if (bytes == 0) {
      out += kReplacement;
    } else if (is_invisible(character) && !(keep_line_breaks && character == '\n')) {
      write_out(character, out);
    } else {
      out += text.substr(0, bytes);
    }
    text.remove_prefix(std::max<std::size_t>(bytes, 1));
  }
  return out;
}

}  // namespace

std::string visible_text(std::string_view text) {
  return visible(text, false);
}

std::string visible_lines(std::string_view text) {
  return visible(text, true);
}

}  // namespace simulcast::config
