// AMF0 values, as commands and metadata are made of them (Adobe, "Action Message Format -- AMF 0").
//
//   value   = marker u8, then by marker
//     0 number   f64                    8 ecma array  u32 count (a hint), properties, 00 00 09
//     1 boolean  u8                    10 strict      u32 count, values
//     2 string   u16 length, UTF-8     11 date        f64 milliseconds, i16 zone
//     3 object   properties, 00 00 09  12 long string u32 length, UTF-8
//     5 null, 6 undefined, 13 unsupported: nothing     15 xml: as 12     16 typed object: name, then as 3
//    17 an AMF3 value follows: scalars are understood, anything larger ends the message (see decode())
//   property = u16 length, name, value
//
// Plain values, any thread. Decoding is bounded in depth, number of values and length (limits.hpp).
#pragma once

#include <boost/system/result.hpp>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace simulcast::rtmp::amf0 {

class Value;
struct Property;

struct Undefined {
  bool operator==(const Undefined&) const = default;
};
struct Null {
  bool operator==(const Null&) const = default;
};
struct Unsupported {
  bool operator==(const Unsupported&) const = default;
};
struct Date {
  double milliseconds = 0;
  std::int16_t zone = 0;
  bool operator==(const Date&) const = default;
};
struct Xml {
  std::string text;
  bool operator==(const Xml&) const = default;
};
// Keys keep their order, may repeat and may be empty.
struct Object {
  std::vector<Property> properties;
  std::string class_name;  // of a typed object, else empty
  bool operator==(const Object&) const;
};
struct EcmaArray {
  std::vector<Property> properties;
  bool operator==(const EcmaArray&) const;
};
struct StrictArray {
  std::vector<Value> values;
  bool operator==(const StrictArray&) const;
};

class Value {
 public:
  using Data = std::variant<Undefined, Null, bool, double, std::string, Object, EcmaArray, StrictArray, Date,
                            Xml, Unsupported>;

  Value();
  // Implicit on purpose: a literal is a value.
  // NOLINTBEGIN(google-explicit-constructor, bugprone-forwarding-reference-overload): copies are constrained
  // away
  template <typename T>
  requires(!std::same_as<std::remove_cvref_t<T>, Value> && std::constructible_from<Data, T>) Value(T&& data)
      : data_(std::forward<T>(data)) {}
  Value(std::string_view text);
  Value(const char* text);
  // NOLINTEND(google-explicit-constructor, bugprone-forwarding-reference-overload)

  const Data& data() const { return data_; }
  bool is_null() const;  // null or undefined: encoders use them alike

  std::optional<double> as_number() const;
  std::optional<bool> as_bool() const;
  std::optional<std::string_view> as_string() const;  // valid as long as this value
  // The properties of an object or ECMA array, which E-RTMP lets stand for each other; empty for anything
  // else.
  std::span<const Property> properties() const;
  // The first property of that name, or nullptr.
  const Value* find(std::string_view name) const;
  // Shorthands for a property that may be missing or of another type.
  std::optional<double> number_of(std::string_view name) const;
  std::optional<std::string_view> string_of(std::string_view name) const;

  bool operator==(const Value&) const;

 private:
  Data data_;
};

struct Property {
  std::string name;
  Value value;
  bool operator==(const Property&) const = default;
};

// All values of a message body. A missing end marker at the end of the body is accepted. An AMF3 value that
// is not a scalar gives Unsupported and ends the decoding there, without error: what follows cannot be found.
boost::system::result<std::vector<Value>> decode(std::span<const std::byte> body);
// The first value only, and how many bytes it took: for a body whose rest is of no interest.
struct First {
  Value value;
  std::size_t size = 0;
};
boost::system::result<First> decode_first(std::span<const std::byte> body);

void encode(const Value& value, std::vector<std::byte>& out);
std::vector<std::byte> encode_all(std::initializer_list<Value> values);

}  // namespace simulcast::rtmp::amf0
