#include "protocol/mpegts/section.hpp"

#include <algorithm>

namespace simulcast::mpegts {

namespace {

constexpr std::uint32_t kPolynomial = 0x04C11DB7;

constexpr std::array<std::uint32_t, 256> make_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < table.size(); ++i) {
    std::uint32_t remainder = i << 24;
    for (int bit = 0; bit < 8; ++bit) {
      remainder = remainder << 1 ^ ((remainder & 0x80000000) != 0 ? kPolynomial : 0);
    }
    table[i] = remainder;
  }
  return table;
}
constexpr auto kTable = make_table();

}  // namespace

std::uint32_t crc32(std::span<const std::byte> bytes) {
  std::uint32_t crc = 0xFFFFFFFF;
  for (const std::byte b : bytes) crc = crc << 8 ^ kTable[crc >> 24 ^ std::to_integer<std::uint32_t>(b)];
  return crc;
}

bool SectionReader::begin(const PacketView& view) {
  const auto expected = static_cast<std::uint8_t>((continuity_ + 1) & 0x0F);
  const std::uint8_t last = continuity_;
  continuity_ = view.continuity;
  // A packet that begins a section is taken whatever its counter says: some muxers never count here.
  if (!collecting_ || view.continuity == expected) return true;
  if (!view.unit_start && view.continuity == last) return false;  // a duplicate
  ++broken_;
  drop();
  return view.unit_start;
}

bool SectionReader::collect(std::span<const std::byte>& bytes) {
  const auto take = [&](std::size_t wanted) {
    const auto part = bytes.first(std::min(wanted - size_, bytes.size()));
    std::ranges::copy(part, section_.begin() + static_cast<std::ptrdiff_t>(size_));
    size_ += part.size();
    bytes = bytes.subspan(part.size());
    return size_ == wanted;
  };
  if (size_ < kSectionHeader && !take(kSectionHeader)) return false;
  const std::size_t length = load_u16(&section_[1]) & 0x0FFF;
  if (length > kMaxSectionLength) {
    ++broken_;
    drop();
    bytes = {};  // where the next one begins can no longer be told
    return false;
  }
  return take(kSectionHeader + length);
}

bool SectionReader::is_sound() {
  constexpr std::size_t kCrc = 4;
  const bool sound = size_ >= kSectionHeader + kCrc && crc32({section_.data(), size_}) == 0;
  if (!sound) ++broken_;
  return sound;
}

void SectionReader::keep(std::span<const std::byte> packet) {
  if (collected_.size() == kMaxSectionPackets * kPacketSize) {
    ++broken_;
    return drop();
  }
  if (collected_.capacity() == 0) collected_.reserve(kMaxSectionPackets * kPacketSize);
  collected_.insert(collected_.end(), packet.begin(), packet.end());
}

void SectionReader::drop() {
  collecting_ = false;
  size_ = 0;
  collected_.clear();
}

}  // namespace simulcast::mpegts
