// An aggregate message: whatever its tags say, the parts lie in its body, one behind the other.
#include "protocol/rtmp/aggregate.hpp"

#include "tests/fuzz/fuzz.hpp"

using namespace simulcast;

void fuzz::run(const std::uint8_t* data, std::size_t size) {
  const auto body = media::Payload::copy_of(std::as_bytes(std::span(data, size)));
  rtmp::AggregateReader reader({.type = rtmp::MessageType::aggregate,
                                .stream_id = 1,
                                .chunk_stream_id = 4,
                                .timestamp = 0xFFFFFF00,
                                .body = body});
  const std::byte* reached = body.data();
  for (bool first = true;; first = false) {
    const auto part = reader.next();
    if (part.has_error()) return check_told(part.error());
    if (!*part) return;
    const rtmp::Message& message = **part;
    check(message.type == rtmp::MessageType::audio || message.type == rtmp::MessageType::video ||
          message.type == rtmp::MessageType::data_amf0);
    if (first) check(message.body.size() < size);
    if (message.body.empty()) continue;
    check(message.body.data() > reached && message.body.data() + message.body.size() <= body.data() + size);
    reached = message.body.data() + message.body.size() - 1;
  }
}
