// AMF0 from a stranger: whatever decodes must encode to bytes that decode to the same.
#include "protocol/rtmp/amf0.hpp"

#include "tests/fuzz/fuzz.hpp"

using namespace simulcast;

void fuzz::run(const std::uint8_t* data, std::size_t size) {
  const auto body = std::as_bytes(std::span(data, size));
  const auto first = rtmp::amf0::decode_first(body);
  fuzz::check(first.has_error() || first->size <= size);
  const auto values = rtmp::amf0::decode(body);
  if (values.has_error()) return;

  // Bytes are compared, not values: a number may be NaN, which equals nothing.
  std::vector<std::byte> encoded;
  for (const auto& value : *values) rtmp::amf0::encode(value, encoded);
  const auto again = rtmp::amf0::decode(encoded);
  fuzz::check(again.has_value() && again->size() == values->size());
  std::vector<std::byte> encoded_again;
  for (const auto& value : *again) rtmp::amf0::encode(value, encoded_again);
  fuzz::check(encoded == encoded_again);
}
