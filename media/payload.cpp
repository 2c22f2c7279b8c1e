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
  if (!run_.empty()) copy_run();
  copy(bytes);
}

void PayloadBuilder::append(const Payload& piece) {
  assert(piece.size() <= missing());
  if (piece.empty()) return;
  if (received_ == 0) {
    run_ = piece;
  } else if (!run_.empty() && run_.continues_in(piece)) {
    run_.extend_by(piece);
  } else {
    return append(piece.bytes());
  }
  received_ += piece.size();
}

void PayloadBuilder::copy_run() {
  const Payload run = std::exchange(run_, {});
  received_ = 0;
  copy(run.bytes());
}

void PayloadBuilder::copy(std::span<const std::byte> bytes) {
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
  if (!run_.empty() && run_.size() < kLeastShared) copy_run();
  Payload payload = run_.empty() ? Payload(std::move(bytes_), received_) : std::move(run_);
  reset();
  return payload;
}

void PayloadBuilder::reset() {
  run_ = {};
  bytes_.reset();
  capacity_ = expected_ = received_ = 0;
}

}  // namespace simulcast::media
