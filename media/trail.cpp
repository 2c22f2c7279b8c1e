#include "media/trail.hpp"

#include <algorithm>
#include <charconv>

namespace simulcast::media {

namespace {
constexpr std::size_t kDigits = 16;
}

bool Trail::contains(Mark mark) const {
  return std::ranges::find(marks_, mark) != marks_.end();
}

std::string Trail::text() const {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  for (const Mark mark : marks_) {
    if (!text.empty()) text += ',';
    for (std::size_t digit = kDigits; digit > 0; --digit) text += kHex[mark >> (4 * (digit - 1)) & 0xF];
  }
  return text;
}

Trail Trail::parse(std::string_view text) {
  Trail trail;
  if (text.size() > kLongest * (kDigits + 1)) return {};
  while (!text.empty()) {
    Mark mark = 0;
    const auto digits = text.substr(0, kDigits);
    const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), mark, 16);
    if (ec != std::errc{} || end != digits.data() + kDigits) return {};
    text.remove_prefix(kDigits);
    if (!text.empty() && (text.front() != ',' || text.size() == 1)) return {};
    if (!text.empty()) text.remove_prefix(1);
    trail.append(mark);
  }
  return trail;
}

}  // namespace simulcast::media
