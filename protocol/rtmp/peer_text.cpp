#include "protocol/rtmp/peer_text.hpp"

#include <algorithm>
#include <cstdint>

#include "protocol/rtmp/limits.hpp"

namespace simulcast::rtmp {

namespace {

constexpr std::string_view kMask = "***";

// Length of the well-formed UTF-8 character that `text` begins with, 0 if there is none (Unicode, table 3-7).
std::size_t character_length(std::string_view text);

bool is_well_formed(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = character_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

// Into a new text: replacing in place would move what follows each time, and a peer chooses how often.
void mask(std::string& text, std::span<const std::string> secrets) {
  for (const std::string& secret : secrets) {
    std::size_t at = secret.empty() ? std::string::npos : text.find(secret);
    if (at == std::string::npos) continue;
    std::string masked;
    std::size_t done = 0;
    for (; at != std::string::npos; at = text.find(secret, done)) {
      masked.append(text, done, at - done).append(kMask);
      done = at + secret.size();
    }
    text = masked.append(text, done);
  }
}

bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

std::size_t character_length(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return 0;
  if (!std::ranges::all_of(text.substr(1, length - 1), is_continuation)) return 0;
  const auto second = static_cast<unsigned char>(text[1]);
  const bool overlong = (lead == 0xE0 && second < 0xA0) || (lead == 0xF0 && second < 0x90);
  const bool outside = (lead == 0xED && second > 0x9F) || (lead == 0xF4 && second > 0x8F);
  return overlong || outside ? 0 : length;
}

bool is_control(std::string_view character) {
  const auto lead = static_cast<unsigned char>(character[0]);
  return lead < 0x20 || lead == 0x7F || (lead == 0xC2 && static_cast<unsigned char>(character[1]) < 0xA0);
}

std::string printable(std::string_view text) {
  std::string clean;
  clean.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = character_length(text);
    const auto character = text.substr(0, std::max<std::size_t>(length, 1));
    text.remove_prefix(character.size());
    if (length == 0) {
      clean += '?';
    } else if (!is_control(character)) {
      clean += character;
    } else if (!clean.empty() && clean.back() != ' ') {
      clean += ' ';  // a line break parts words
    }
  }
  return clean;
}

}  // namespace

std::string clean_peer_text(std::string_view text, std::span<const std::string> secrets) {
  // Masked before and after: cleaning must neither hide a secret from the mask nor put one together.
  std::string masked(text);
  mask(masked, secrets);
  std::string clean = printable(masked);
  // What is no text itself cannot be in a text, save for a part of a character that happens to be the same.
  for (const std::string& secret : secrets) {
    if (is_well_formed(secret)) mask(clean, std::span(&secret, 1));
  }
  if (clean.size() > kMaxPeerWords) {
    std::size_t end = kMaxPeerWords;
    while (end > 0 && is_continuation(clean[end])) --end;
    clean.resize(end);
  }
  while (clean.ends_with(' ')) clean.pop_back();
  return clean;
}

}  // namespace simulcast::rtmp
