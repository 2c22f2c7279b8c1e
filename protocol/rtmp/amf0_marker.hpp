// The first byte of each AMF0 value (AMF0 specification, 2.1), shared by encoder and decoder.
#pragma once

#include <cstdint>

namespace simulcast::rtmp::amf0 {

enum class Marker : std::uint8_t {
  number = 0,
  boolean = 1,
  string = 2,
  object = 3,
  null = 5,
  undefined = 6,
  reference = 7,
  ecma_array = 8,
  object_end = 9,
  strict_array = 10,
  date = 11,
  long_string = 12,
  unsupported = 13,
  xml = 15,
  typed_object = 16,
  avm_plus = 17,  // an AMF3 value follows
};

}  // namespace simulcast::rtmp::amf0
