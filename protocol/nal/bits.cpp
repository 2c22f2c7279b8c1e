#include "protocol/nal/bits.hpp"

#include <algorithm>

namespace simulcast::nal {

// By bytes: whole slices are copied this way.
std::uint32_t BitReader::bits(unsigned count) {
  std::uint64_t value = 0;
  while (count > 0) {
    if (position_ >= size()) {
      failed_ = true;
      return static_cast<std::uint32_t>(value << count);
    }
    const auto byte = std::to_integer<unsigned>(bytes_[position_ / 8]);
    const auto left = 8 - static_cast<unsigned>(position_ % 8);
    const unsigned taken = std::min(left, count);
    value = value << taken | (byte >> (left - taken) & ((1U << taken) - 1));
    position_ += taken;
    count -= taken;
  }
  return static_cast<std::uint32_t>(value);
}

std::uint32_t BitReader::ue() {
  unsigned zeros = 0;
  while (!failed_ && bits(1) == 0) ++zeros;
  if (zeros >= 32) failed_ = true;
  if (failed_ || zeros == 0) return 0;
  return (std::uint32_t{1} << zeros) - 1 + bits(zeros);
}

std::int32_t BitReader::se() {
  const std::int64_t code = ue();
  return static_cast<std::int32_t>(code % 2 != 0 ? (code + 1) / 2 : -(code / 2));
}

void BitWriter::bits(std::uint32_t value, unsigned count) {
  while (count > 0) {
    if (used_ == 0) out_.push_back(std::byte{0});
    const unsigned taken = std::min(8 - used_, count);
    const std::uint32_t part = value >> (count - taken) & ((1U << taken) - 1);
    out_.back() |= static_cast<std::byte>(part << (8 - used_ - taken));
    used_ = (used_ + taken) % 8;
    count -= taken;
  }
}

void BitWriter::ue(std::uint32_t value) {
  const std::uint64_t code = std::uint64_t{value} + 1;
  unsigned length = 0;
  while (code >> length > 1) ++length;
  bits(0, length);
  flag(true);
  bits(static_cast<std::uint32_t>(code - (std::uint64_t{1} << length)), length);
}

void BitWriter::se(std::int32_t value) {
  const std::int64_t wide = value;
  ue(static_cast<std::uint32_t>(wide > 0 ? 2 * wide - 1 : -2 * wide));
}

std::vector<std::byte> without_emulation_prevention(std::span<const std::byte> bytes) {
  std::vector<std::byte> raw;
  raw.reserve(bytes.size());
  unsigned zeros = 0;
  for (const std::byte byte : bytes) {
    if (zeros >= 2 && byte == std::byte{3}) {
      zeros = 0;
      continue;
    }
    zeros = byte == std::byte{0} ? zeros + 1 : 0;
    raw.push_back(byte);
  }
  return raw;
}

void append_with_emulation_prevention(std::span<const std::byte> raw, std::vector<std::byte>& out) {
  out.reserve(out.size() + raw.size() + raw.size() / 64 + 1);
  unsigned zeros = 0;
  for (const std::byte byte : raw) {
    if (zeros == 2 && byte <= std::byte{3}) {
      out.push_back(std::byte{3});
      zeros = 0;
    }
    zeros = byte == std::byte{0} ? zeros + 1 : 0;
    out.push_back(byte);
  }
  // A unit must not end in a zero byte (7.4.1: cabac_zero_words).
  if (zeros > 0) out.push_back(std::byte{3});
}

}  // namespace simulcast::nal
