#include "config/values.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace simulcast::config {
namespace {

using std::chrono::milliseconds;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

// All of `text` as a decimal number; nothing for an empty one, a sign, a fraction or an overflow.
std::optional<std::uint64_t> whole_number(std::string_view text) {
  std::uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stop != end || text.empty()) return std::nullopt;
  return value;
}

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr std::array kDurationUnits = {Unit{"h", 3'600'000}, Unit{"m", 60'000}, Unit{"s", 1000},
                                       Unit{"ms", 1}};
constexpr std::array kSizeUnits = {Unit{"GiB", 1u << 30}, Unit{"MiB", 1u << 20}, Unit{"KiB", 1u << 10},
                                   Unit{"", 1}};

// Number and unit, in the smallest unit; nothing when either is wrong or the product does not fit.
template <class Units>
std::optional<std::uint64_t> with_unit(std::string_view text, const Units& units) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto number = whole_number(text.substr(0, digits));
  const auto unit = std::ranges::find(units, text.substr(digits), &Unit::name);
  if (!number || unit == units.end() || *number > UINT64_MAX / unit->factor) return std::nullopt;
  return *number * unit->factor;
}

// In the largest unit that leaves a whole number, the way a person would write it.
template <class Units>
std::string in_words(std::uint64_t value, const Units& units) {
  for (const Unit& unit : units)
    if (value >= unit.factor && value % unit.factor == 0)
      return std::to_string(value / unit.factor) + std::string(unit.name);
  return "0s";
}

bool is_host_name(std::string_view text) {
  const bool characters = std::ranges::all_of(
      text, [](char c) { return is_digit(c) || is_letter(c) || c == '-' || c == '_' || c == '.'; });
  // What is made of digits and dots alone was meant to be an IPv4 address.
  const bool named = std::ranges::any_of(text, is_letter);
  return characters && named && text.size() <= 253 && text.front() != '.' && text.front() != '-';
}

// The bytes of a literal address, 4 or 16; empty when it is none.
std::vector<std::uint8_t> address_bytes(const std::string& text) {
  std::vector<std::uint8_t> bytes(16);
  if (inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1) return bytes;
  bytes.resize(4);
  if (inet_pton(AF_INET, text.c_str(), bytes.data()) == 1) return bytes;
  return {};
}

bool is_address(const std::string& text, std::size_t size) {
  return address_bytes(text).size() == size;
}

}  // namespace

std::uint64_t parse_number(std::string_view text, std::uint64_t least, std::uint64_t most) {
  const auto value = whole_number(text);
  const std::string allowed = "; allowed: a whole number from " + std::to_string(least) + " to " +
                              std::to_string(most) + ", without a unit";
  if (!value) throw BadValue("is not a plain number" + allowed);
  if (*value < least || *value > most) throw BadValue("is out of range" + allowed);
  return *value;
}

milliseconds parse_duration(std::string_view text, milliseconds least, milliseconds most) {
  const auto value = with_unit(text, kDurationUnits);
  const auto words = [](milliseconds time) {
    return in_words(static_cast<std::uint64_t>(time.count()), kDurationUnits);
  };
  const std::string allowed =
      "; allowed: a whole number with its unit ms, s, m or h, such as 120ms or 30s, from " + words(least) +
      " to " + words(most);
  if (!value) throw BadValue((whole_number(text) ? "lacks a unit" : "is not a duration") + allowed);
  if (*value < static_cast<std::uint64_t>(least.count()) || *value > static_cast<std::uint64_t>(most.count()))
    throw BadValue("is out of range" + allowed);
  return milliseconds(*value);
}

std::uint64_t parse_size(std::string_view text, std::uint64_t least, std::uint64_t most) {
  const auto value = with_unit(text, kSizeUnits);
  const std::string allowed =
      "; allowed: a whole number of bytes, or with its unit KiB, MiB or GiB, such as 64MiB, from " +
      in_words(least, kSizeUnits) + " to " + in_words(most, kSizeUnits);
  if (!value) throw BadValue("is not a size" + allowed);
  if (*value < least || *value > most) throw BadValue("is out of range" + allowed);
  return *value;
}

bool parse_bool(std::string_view text) {
  return parse_word<bool>(text, {{"true", true}, {"false", false}});
}

Listen parse_listen(std::string_view text) {
  static const std::string allowed =
      "; allowed: host:port, such as 127.0.0.1:1935, 0.0.0.0:1935 (every IPv4 address), [::]:1935 (IPv6), or "
      "with "
      "port 0 for any free one";
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || text.ends_with(']'))
    throw BadValue("lacks a port or a host" + allowed);
  const auto port = whole_number(text.substr(colon + 1));
  if (!port || *port > UINT16_MAX)
    throw BadValue("has a port that is not a number from 0 to 65535" + allowed);

  std::string host(text.substr(0, colon));
  if (host.empty()) throw BadValue("lacks a host" + allowed);
  if (host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
    if (!is_address(host, 16)) throw BadValue("has no IPv6 address between the brackets" + allowed);
  } else if (host.find(':') != std::string::npos) {
    throw BadValue("has an IPv6 address without brackets" + allowed);
  } else if (!is_address(host, 4) && !is_host_name(host)) {
    throw BadValue("has a host that is neither an address nor a name" + allowed);
  }
  return {std::move(host), static_cast<std::uint16_t>(*port)};
}

Network parse_network(std::string_view text) {
  static const std::string allowed = "; allowed: a network such as 169.254.0.0/16, 192.0.2.7/32 or fe80::/10";
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) throw BadValue("lacks its /prefix length" + allowed);

  Network network{address_bytes(std::string(text.substr(0, slash))), 0, std::string(text)};
  if (network.address.empty()) throw BadValue("does not begin with an address" + allowed);
  const std::size_t bits = network.address.size() * 8;
  const auto prefix = whole_number(text.substr(slash + 1));
  if (!prefix || *prefix > bits)
    throw BadValue("has a prefix length that is not a number from 0 to " + std::to_string(bits) + allowed);
  network.prefix_length = static_cast<unsigned>(*prefix);

  for (std::size_t bit = *prefix; bit < bits; ++bit)
    if (network.address[bit / 8] & (0x80u >> (bit % 8)))
      throw BadValue("has bits set behind its prefix of " + std::to_string(*prefix) + " bits" + allowed);
  return network;
}

std::string parse_public_host(std::string_view text) {
  std::string host(text);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  if (is_address(host, 16)) return "[" + host + "]";
  if (is_address(host, 4) || is_host_name(host)) return host;
  throw BadValue("is not a host; allowed: a host name or an address, without rtmp:// and without a port");
}

std::string parse_account(std::string_view text) {
  if (text.size() != 32 || !std::ranges::all_of(text, is_hex))
    throw BadValue("is not an account; allowed: 32 hex digits");
  return std::string(text);
}

std::string parse_token(std::string_view text) {
  if (!std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; }))
    throw BadValue("is not a token; allowed: visible ASCII characters without spaces");
  return std::string(text);
}

void throw_not_one_of(const std::vector<std::string_view>& words) {
  std::string list;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) list += i + 1 == words.size() ? " or " : ", ";
    list += words[i];
  }
  throw BadValue("is not known; allowed: " + list);
}

}  // namespace simulcast::config
