#include "protocol/rtmp/aggregate.hpp"

#include <algorithm>
#include <utility>

#include "protocol/big_endian.hpp"
#include "protocol/rtmp/error.hpp"

namespace simulcast::rtmp {

namespace {

constexpr std::size_t kTagHeader = 11;
constexpr std::size_t kBackPointer = 4;  // not trusted: the size in front is enough

}  // namespace

AggregateReader::AggregateReader(Message message) : message_(std::move(message)) {}

boost::system::result<std::optional<Message>> AggregateReader::next() {
  const std::size_t total = message_.body.size();
  while (offset_ < total) {
    if (total - offset_ < kTagHeader) return Error::bad_aggregate;
    const std::byte* tag = message_.body.data() + offset_;
    const auto type = static_cast<MessageType>(load_u8(tag));
    const std::size_t size = load_u24(tag + 1);
    const std::uint32_t timestamp = load_u24(tag + 4) | load_u8(tag + 7) << 24;
    const std::size_t data = offset_ + kTagHeader;
    if (total - data < size) return Error::bad_aggregate;
    // The last back pointer is left out by some.
    offset_ = std::min(data + size + kBackPointer, total);

    if (!first_timestamp_) first_timestamp_ = timestamp;
    if (type != MessageType::audio && type != MessageType::video && type != MessageType::data_amf0) continue;
    return Message{.type = type,
                   .stream_id = message_.stream_id,
                   .chunk_stream_id = message_.chunk_stream_id,
                   .timestamp = message_.timestamp + (timestamp - *first_timestamp_),
                   .body = message_.body.slice(data, size)};
  }
  return std::nullopt;
}

}  // namespace simulcast::rtmp
