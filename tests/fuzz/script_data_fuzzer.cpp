// Data messages: what they are, and what the API shows of a stream's metadata.
#include "protocol/flv/script_data.hpp"

#include "media/payload.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace simulcast;

void fuzz::run(const std::uint8_t* data, std::size_t size) {
  const auto body = std::as_bytes(std::span(data, size));
  const auto kind = flv::data_kind(body);
  if (const auto metadata = flv::parse_metadata(body); metadata.has_error()) check_told(metadata.error());
  const auto prefixed = flv::with_set_data_frame(media::Payload::copy_of(body));
  check(prefixed.size() >= size && prefixed.size() <= size + 32);
  check(!kind.is_metadata || flv::data_kind(prefixed.bytes()).has_set_data_frame);
  // The prefix adds nothing to what is behind it.
  check(flv::parse_metadata(body).has_value() == flv::parse_metadata(prefixed.bytes()).has_value());
}
