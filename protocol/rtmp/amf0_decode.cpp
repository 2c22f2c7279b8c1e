#include <bit>

#include "protocol/big_endian.hpp"
#include "protocol/rtmp/amf0.hpp"
#include "protocol/rtmp/amf0_marker.hpp"
#include "protocol/rtmp/error.hpp"
#include "protocol/rtmp/limits.hpp"

namespace simulcast::rtmp::amf0 {

namespace {

using boost::system::result;

class Decoder {
 public:
  explicit Decoder(std::span<const std::byte> body) : rest_(body) {}

  bool done() const { return rest_.empty() || lost_; }
  std::size_t remaining() const { return rest_.size(); }

  result<Value> value(std::size_t depth = 0) {
    if (depth >= kMaxAmfDepth) return Error::amf_too_deep;
    if (++values_ > kMaxAmfValues) return Error::amf_too_many_values;
    if (rest_.empty()) return Error::amf_truncated;
    const auto marker = static_cast<Marker>(take(1)[0]);
    switch (marker) {
      case Marker::number:
        return number();
      case Marker::boolean:
        return boolean();
      case Marker::string:
        return as_value(text(2));
      case Marker::long_string:
        return as_value(text(4));
      case Marker::null:
        return Value(Null{});
      case Marker::undefined:
        return Value(Undefined{});
      case Marker::unsupported:
        return Value(Unsupported{});
      case Marker::reference:
        return reference();
      case Marker::date:
        return date();
      case Marker::xml:
        return xml();
      case Marker::object:
        return object({}, depth);
      case Marker::typed_object:
        return typed_object(depth);
      case Marker::ecma_array:
        return ecma_array(depth);
      case Marker::strict_array:
        return strict_array(depth);
      case Marker::avm_plus:
        return amf3();
      case Marker::object_end:
        break;
    }
    return Error::amf_bad_marker;
  }

 private:
  std::span<const std::byte> take(std::size_t size) {
    const auto taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
  }

  static result<Value> as_value(result<std::string> text) {
    if (text.has_error()) return text.error();
    return Value(std::move(*text));
  }

  result<Value> number() {
    if (rest_.size() < 8) return Error::amf_truncated;
    return Value(std::bit_cast<double>(load_u64(take(8).data())));
  }

  result<Value> boolean() {
    if (rest_.empty()) return Error::amf_truncated;
    return Value(take(1)[0] != std::byte{0});
  }

  result<std::string> text(std::size_t length_bytes) {
    if (rest_.size() < length_bytes) return Error::amf_truncated;
    const auto* prefix = take(length_bytes).data();
    const std::size_t length = length_bytes == 2 ? load_u16(prefix) : load_u32(prefix);
    if (rest_.size() < length) return Error::amf_truncated;
    const auto bytes = take(length);
    return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }

  // Points to an object earlier in the message. No encoder uses it; the place is kept and the value left
  // open.
  result<Value> reference() {
    if (rest_.size() < 2) return Error::amf_truncated;
    take(2);
    return Value(Undefined{});
  }

  result<Value> date() {
    if (rest_.size() < 10) return Error::amf_truncated;
    const auto* bytes = take(10).data();
    return Value(Date{.milliseconds = std::bit_cast<double>(load_u64(bytes)),
                      .zone = static_cast<std::int16_t>(load_u16(bytes + 8))});
  }

  result<Value> xml() {
    auto content = text(4);
    if (content.has_error()) return content.error();
    return Value(Xml{std::move(*content)});
  }

  // Up to the end marker or the end of the body, whatever count was announced: OBS always says 20.
  result<std::vector<Property>> properties(std::size_t depth) {
    std::vector<Property> found;
    while (!done()) {
      auto name = text(2);
      if (name.has_error()) return name.error();
      if (name->empty() && (rest_.empty() || rest_[0] == static_cast<std::byte>(Marker::object_end))) {
        if (!rest_.empty()) take(1);
        break;
      }
      auto content = value(depth + 1);
      if (content.has_error()) return content.error();
      found.push_back({std::move(*name), std::move(*content)});
    }
    return found;
  }

  result<Value> object(std::string class_name, std::size_t depth) {
    auto found = properties(depth);
    if (found.has_error()) return found.error();
    return Value(Object{std::move(*found), std::move(class_name)});
  }

  result<Value> typed_object(std::size_t depth) {
    auto name = text(2);
    if (name.has_error()) return name.error();
    return object(std::move(*name), depth);
  }

  result<Value> ecma_array(std::size_t depth) {
    if (rest_.size() < 4) return Error::amf_truncated;
    take(4);
    auto found = properties(depth);
    if (found.has_error()) return found.error();
    return Value(EcmaArray{std::move(*found)});
  }

  result<Value> strict_array(std::size_t depth) {
    if (rest_.size() < 4) return Error::amf_truncated;
    const std::uint32_t count = load_u32(take(4).data());
    if (count > rest_.size()) return Error::amf_truncated;  // a value takes at least one byte
    StrictArray array;
    for (std::uint32_t i = 0; i < count && !lost_; ++i) {
      auto content = value(depth + 1);
      if (content.has_error()) return content.error();
      array.values.push_back(std::move(*content));
    }
    return Value(std::move(array));
  }

  // AMF3 scalars (AMF3 specification, 3): enough for the arguments that AMF3 clients put into commands.
  result<Value> amf3() {
    if (rest_.empty()) return Error::amf_truncated;
    switch (std::to_integer<int>(take(1)[0])) {
      case 0:
        return Value(Undefined{});
      case 1:
        return Value(Null{});
      case 2:
        return Value(false);
      case 3:
        return Value(true);
      case 4: {
        const auto integer = u29();
        if (integer.has_error()) return integer.error();
        // 29-bit two's complement
        const auto extended = static_cast<std::int32_t>(*integer << 3) >> 3;
        return Value(static_cast<double>(extended));
      }
      case 5:
        return number();
      case 6: {
        const auto head = u29();
        if (head.has_error()) return head.error();
        if ((*head & 1) == 0) return Value(Undefined{});  // refers to a string said before
        const std::size_t length = *head >> 1;
        if (rest_.size() < length) return Error::amf_truncated;
        const auto bytes = take(length);
        return Value(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
      }
      default:
        lost_ = true;
        return Value(Unsupported{});
    }
  }

  // One to four bytes: seven bits each and a flag for more, the fourth with all eight.
  result<std::uint32_t> u29() {
    std::uint32_t number = 0;
    for (int i = 0; i < 4; ++i) {
      if (rest_.empty()) return Error::amf_truncated;
      const auto byte = load_u8(take(1).data());
      if (i == 3) return number << 8 | byte;
      number = number << 7 | (byte & 0x7F);
      if ((byte & 0x80) == 0) break;
    }
    return number;
  }

  std::span<const std::byte> rest_;
  std::size_t values_ = 0;
  bool lost_ = false;  // behind an AMF3 value whose end is not known
};

}  // namespace

boost::system::result<std::vector<Value>> decode(std::span<const std::byte> body) {
  Decoder decoder(body);
  std::vector<Value> values;
  while (!decoder.done()) {
    auto value = decoder.value();
    if (value.has_error()) return value.error();
    values.push_back(std::move(*value));
  }
  return values;
}

boost::system::result<First> decode_first(std::span<const std::byte> body) {
  Decoder decoder(body);
  auto value = decoder.value();
  if (value.has_error()) return value.error();
  return First{std::move(*value), body.size() - decoder.remaining()};
}

}  // namespace simulcast::rtmp::amf0
