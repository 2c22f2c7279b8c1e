#include "control/api/members.hpp"

#include <spdlog/fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "media/cut_text.hpp"

namespace simulcast::control {

namespace json = boost::json;

namespace {

constexpr std::size_t kMaxNotices = 20;    // a body may have very many members
constexpr std::size_t kMaxShownName = 64;  // bytes of an unknown member's name

std::string_view kind_name(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return "null";
    case json::kind::bool_:
      return "a boolean";
    case json::kind::int64:
    case json::kind::uint64:
    case json::kind::double_:
      return "a number";
    case json::kind::string:
      return "a string";
    case json::kind::array:
      return "an array";
    case json::kind::object:
      return "an object";
  }
  return "something else";
}

std::string shortened(std::string_view name) {
  const std::string_view cut = media::cut_text(name, kMaxShownName);
  return cut.size() == name.size() ? std::string(name) : std::string(cut) + "...";
}

// RFC 6901, 3.
std::string escaped(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
  return out;
}

bool has_control_character(std::string_view text) {
  return std::ranges::any_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7F; });
}

}  // namespace

Members::Members(const json::object& object, Findings& findings, std::string pointer)
    : object_(object), findings_(findings), pointer_(std::move(pointer)) {}

std::string Members::pointer_to(std::string_view name) const {
  return pointer_ + "/" + escaped(name);
}

const json::value* Members::find(std::string_view name) {
  asked_.push_back(name);
  return object_.if_contains(name);
}

void Members::wrong_type(std::string_view name, std::string_view wanted, const json::value& value) {
  findings_.add(Problem::bad_value, fmt::format("\"{}\" must be {}, not {}", name, wanted, kind_name(value)),
                pointer_to(name));
}

void Members::require(std::string_view name) {
  if (object_.contains(name)) return;
  findings_.add(Problem::bad_value, fmt::format("\"{}\" is missing", name), pointer_to(name));
}

bool Members::is_null(std::string_view name) {
  const json::value* value = find(name);
  return value != nullptr && value->is_null();
}

std::optional<bool> Members::boolean(std::string_view name) {
  const json::value* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (value->is_bool()) return value->get_bool();
  wrong_type(name, "true or false", *value);
  return std::nullopt;
}

std::optional<std::int64_t> Members::whole_number(std::string_view name, std::int64_t min, std::int64_t max,
                                                  Problem outside) {
  const json::value* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_number()) {
    wrong_type(name, "a number", *value);
    return std::nullopt;
  }
  // The ranges asked for are far inside what a double holds exactly.
  const auto number = value->to_number<double>();
  if (number < static_cast<double>(min) || number > static_cast<double>(max)) {
    findings_.add(outside, fmt::format("\"{}\" must be from {} to {}", name, min, max), pointer_to(name));
    return std::nullopt;
  }
  if (std::trunc(number) != number) {
    findings_.add(Problem::bad_value, fmt::format("\"{}\" must be a whole number", name), pointer_to(name));
    return std::nullopt;
  }
  return static_cast<std::int64_t>(number);
}

bool Members::good_text(std::string_view name, const std::string& pointer, const json::value& value,
                        std::size_t max_bytes) {
  const json::string& text = value.get_string();
  if (text.size() > max_bytes) {
    findings_.add(Problem::bad_value, fmt::format("\"{}\" must be at most {} bytes long", name, max_bytes),
                  pointer);
    return false;
  }
  if (has_control_character(text)) {
    findings_.add(Problem::bad_value, fmt::format("\"{}\" must not contain control characters", name),
                  pointer);
    return false;
  }
  return true;
}

std::optional<std::string> Members::text(std::string_view name, std::size_t max_bytes) {
  const json::value* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_string()) {
    wrong_type(name, "a string", *value);
    return std::nullopt;
  }
  if (!good_text(name, pointer_to(name), *value, max_bytes)) return std::nullopt;
  return std::string(value->get_string());
}

std::optional<std::string> Members::one_of(std::string_view name,
                                           std::initializer_list<std::string_view> values) {
  const json::value* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (value->is_string()) {
    for (const std::string_view allowed : values) {
      if (std::string_view(value->get_string()) == allowed) return std::string(allowed);
    }
  }
  findings_.add(Problem::bad_value,
                fmt::format("\"{}\" must be one of \"{}\"", name, fmt::join(values, "\", \"")),
                pointer_to(name));
  return std::nullopt;
}

std::optional<std::vector<std::string>> Members::texts(std::string_view name, std::size_t max_bytes,
                                                       std::size_t max_items) {
  const json::value* value = find(name);
  if (value == nullptr) return std::nullopt;
  const json::array* array = value->if_array();
  if (array == nullptr) {
    wrong_type(name, "an array of strings", *value);
    return std::nullopt;
  }
  if (array->size() > max_items) {
    findings_.add(Problem::bad_value, fmt::format("\"{}\" must have at most {} items", name, max_items),
                  pointer_to(name));
    return std::nullopt;
  }
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < array->size(); ++i) {
    const json::value& item = (*array)[i];
    const std::string pointer = fmt::format("{}/{}", pointer_to(name), i);
    if (!item.is_string()) {
      findings_.add(Problem::bad_value,
                    fmt::format("\"{}\" must hold strings only, not {}", name, kind_name(item)), pointer);
      return std::nullopt;
    }
    if (!good_text(name, pointer, item, max_bytes)) return std::nullopt;
    texts.emplace_back(item.get_string());
  }
  return texts;
}

const json::object* Members::object(std::string_view name) {
  const json::value* value = find(name);
  if (value == nullptr) return nullptr;
  if (value->is_object()) return &value->get_object();
  wrong_type(name, "an object", *value);
  return nullptr;
}

const json::array* Members::array(std::string_view name) {
  const json::value* value = find(name);
  if (value == nullptr) return nullptr;
  if (value->is_array()) return &value->get_array();
  wrong_type(name, "an array", *value);
  return nullptr;
}

void Members::report_unknown() {
  std::size_t unknown = 0;
  for (const auto& member : object_) {
    const std::string_view name = member.key();
    if (std::ranges::find(asked_, name) != asked_.end()) continue;
    if (++unknown > kMaxNotices) continue;
    const std::string shown = shortened(name);
    findings_.notices.push_back(
        {fmt::format("\"{}\" cannot be set here and was ignored", shown), pointer_to(shown)});
  }
  if (unknown > kMaxNotices) {
    findings_.notices.push_back(
        {fmt::format("{} more members were ignored", unknown - kMaxNotices), pointer_});
  }
}

}  // namespace simulcast::control
