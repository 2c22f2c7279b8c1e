#include "protocol/rtmp/amf0.hpp"

#include <algorithm>
#include <bit>

#include "protocol/big_endian.hpp"
#include "protocol/rtmp/amf0_marker.hpp"

namespace simulcast::rtmp::amf0 {

bool Object::operator==(const Object&) const = default;
bool EcmaArray::operator==(const EcmaArray&) const = default;
bool StrictArray::operator==(const StrictArray&) const = default;
bool Value::operator==(const Value&) const = default;

Value::Value() = default;
Value::Value(std::string_view text) : data_(std::string(text)) {}
Value::Value(const char* text) : data_(std::string(text)) {}

bool Value::is_null() const {
  return std::holds_alternative<Null>(data_) || std::holds_alternative<Undefined>(data_);
}

std::optional<double> Value::as_number() const {
  if (const auto* number = std::get_if<double>(&data_)) return *number;
  return std::nullopt;
}

std::optional<bool> Value::as_bool() const {
  if (const auto* boolean = std::get_if<bool>(&data_)) return *boolean;
  return std::nullopt;
}

std::optional<std::string_view> Value::as_string() const {
  if (const auto* text = std::get_if<std::string>(&data_)) return *text;
  return std::nullopt;
}

std::span<const Property> Value::properties() const {
  if (const auto* object = std::get_if<Object>(&data_)) return object->properties;
  if (const auto* array = std::get_if<EcmaArray>(&data_)) return array->properties;
  return {};
}

const Value* Value::find(std::string_view name) const {
  const auto all = properties();
  const auto found = std::ranges::find(all, name, &Property::name);
  return found == all.end() ? nullptr : &found->value;
}

std::optional<double> Value::number_of(std::string_view name) const {
  const Value* value = find(name);
  return value ? value->as_number() : std::nullopt;
}

std::optional<std::string_view> Value::string_of(std::string_view name) const {
  const Value* value = find(name);
  return value ? value->as_string() : std::nullopt;
}

namespace {

using Bytes = std::vector<std::byte>;

void append_text(Bytes& out, std::string_view text) {
  const auto* begin = reinterpret_cast<const std::byte*>(text.data());
  out.insert(out.end(), begin, begin + text.size());
}

void append_marker(Bytes& out, Marker marker) {
  append(out, static_cast<std::uint8_t>(marker), 1);
}

// What no caller of ours exceeds, but a name has no longer form that could be used instead.
void append_name(Bytes& out, std::string_view name) {
  name = name.substr(0, 0xFFFF);
  append(out, name.size(), 2);
  append_text(out, name);
}

void append_properties(Bytes& out, std::span<const Property> properties) {
  for (const Property& property : properties) {
    append_name(out, property.name);
    encode(property.value, out);
  }
  append(out, 0, 2);
  append_marker(out, Marker::object_end);
}

struct Encoder {
  Bytes& out;

  void operator()(Undefined) const { append_marker(out, Marker::undefined); }
  void operator()(Null) const { append_marker(out, Marker::null); }
  void operator()(Unsupported) const { append_marker(out, Marker::unsupported); }
  void operator()(bool boolean) const {
    append_marker(out, Marker::boolean);
    append(out, boolean ? 1 : 0, 1);
  }
  void operator()(double number) const {
    append_marker(out, Marker::number);
    append(out, std::bit_cast<std::uint64_t>(number), 8);
  }
  void operator()(const std::string& text) const {
    if (text.size() <= 0xFFFF) {
      append_marker(out, Marker::string);
      append(out, text.size(), 2);
    } else {
      append_marker(out, Marker::long_string);
      append(out, text.size(), 4);
    }
    append_text(out, text);
  }
  void operator()(const Object& object) const {
    if (object.class_name.empty()) {
      append_marker(out, Marker::object);
    } else {
      append_marker(out, Marker::typed_object);
      append_name(out, object.class_name);
    }
    append_properties(out, object.properties);
  }
  void operator()(const EcmaArray& array) const {
    append_marker(out, Marker::ecma_array);
    append(out, array.properties.size(), 4);
    append_properties(out, array.properties);
  }
  void operator()(const StrictArray& array) const {
    append_marker(out, Marker::strict_array);
    append(out, array.values.size(), 4);
    for (const Value& value : array.values) encode(value, out);
  }
  void operator()(const Date& date) const {
    append_marker(out, Marker::date);
    append(out, std::bit_cast<std::uint64_t>(date.milliseconds), 8);
    append(out, static_cast<std::uint16_t>(date.zone), 2);
  }
  void operator()(const Xml& xml) const {
    append_marker(out, Marker::xml);
    append(out, xml.text.size(), 4);
    append_text(out, xml.text);
  }
};

}  // namespace

void encode(const Value& value, std::vector<std::byte>& out) {
  std::visit(Encoder{out}, value.data());
}

std::vector<std::byte> encode_all(std::initializer_list<Value> values) {
  std::vector<std::byte> out;
  for (const Value& value : values) encode(value, out);
  return out;
}

}  // namespace simulcast::rtmp::amf0
