// The texts of single settings read into values: durations, sizes, addresses and so on. No YAML in here.
//
// Each parser throws BadValue for a text it does not take. The sentence never repeats the text (the caller
// shows it where it is no secret) and always says what is allowed: `is not a duration; allowed: ...`. Any
// thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/config.hpp"

namespace simulcast::config {

class BadValue : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

std::uint64_t parse_number(std::string_view text, std::uint64_t least, std::uint64_t most);
// A whole number with its unit: ms, s, m or h.
std::chrono::milliseconds parse_duration(std::string_view text, std::chrono::milliseconds least,
                                         std::chrono::milliseconds most);
// Bytes, or with its unit: KiB, MiB or GiB.
std::uint64_t parse_size(std::string_view text, std::uint64_t least, std::uint64_t most);
bool parse_bool(std::string_view text);
// host:port or [IPv6]:port.
Listen parse_listen(std::string_view text);
// CIDR with no bit set behind the prefix.
Network parse_network(std::string_view text);
// A host name or address, given back as it stands in a URL.
std::string parse_public_host(std::string_view text);
// 32 hex digits.
std::string parse_account(std::string_view text);
// What fits behind `Authorization: Bearer `.
std::string parse_token(std::string_view text);

template <class Enum>
using Words = std::vector<std::pair<std::string_view, Enum>>;

[[noreturn]] void throw_not_one_of(const std::vector<std::string_view>& words);

template <class Enum>
Enum parse_word(std::string_view text, const Words<Enum>& words) {
  std::vector<std::string_view> allowed;
  for (const auto& [word, value] : words) {
    if (text == word) return value;
    allowed.push_back(word);
  }
  throw_not_one_of(allowed);
}

}  // namespace simulcast::config
