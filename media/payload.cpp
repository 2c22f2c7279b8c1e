#include "media/payload.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <utility>

namespace simulcast::media {

Payload Payload::copy_of(std::span<const std::byte> bytes) {
  auto copy = std::make_shared_for_overwrite<std::byte[]>(bytes.size());
  std::ranges::copy(bytes, copy.get());
  return {std::move(copy), bytes.size()};
}

void PayloadBuilder::begin(std::size_t expected) {
  reset();
  expected_ = expected;
}

void PayloadBuilder::append(std::span<const std::byte> bytes) {
  assert(bytes.size() <= missing());
  if (bytes.empty()) return;
  const std::size_t needed = received_ + bytes.size();
  if (needed > capacity_) {
    const std::size_t grown = std::min(expected_, std::max({needed, kFirstReserve, 2 * received_}));
    auto larger = std::make_shared_for_overwrite<std::byte[]>(grown);
    if (received_ > 0) std::memcpy(larger.get(), bytes_.get(), received_);
    bytes_ = std::move(larger);
    capacity_ = grown;
  }
  std::memcpy(bytes_.get() + received_, bytes.data(), bytes.size());
  received_ = needed;
}

Payload PayloadBuilder::finish() {
  Payload payload(std::move(bytes_), received_);
  reset();
  return payload;
}

void PayloadBuilder::reset() {
  bytes_.reset();
  capacity_ = expected_ = received_ = 0;
}

}  // namespace simulcast::media
