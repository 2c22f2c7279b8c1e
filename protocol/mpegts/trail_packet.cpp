#include "protocol/mpegts/trail_packet.hpp"

#include <algorithm>
#include <string_view>

namespace simulcast::mpegts {

namespace {

constexpr std::array kHeader{kSyncByte, std::byte{0x1F}, std::byte{0xFF}, std::byte{0x10}};
constexpr std::string_view kName = "simulcastd trail";
constexpr std::size_t kCountAt = kHeader.size() + kName.size();
constexpr std::size_t kMarksAt = kCountAt + 1;
constexpr std::size_t kMarkSize = 8;
static_assert(kMarksAt + media::Trail::kLongest * kMarkSize <= kPacketSize);

}  // namespace

std::array<std::byte, kPacketSize> trail_packet(const media::Trail& trail) {
  std::array<std::byte, kPacketSize> packet;
  packet.fill(std::byte{0xFF});
  std::ranges::copy(kHeader, packet.begin());
  std::ranges::transform(kName, packet.begin() + kHeader.size(), [](char c) { return std::byte(c); });
  packet[kCountAt] = static_cast<std::byte>(trail.marks().size());
  std::size_t at = kMarksAt;
  for (const auto mark : trail.marks()) {
    for (std::size_t i = kMarkSize; i > 0; --i) packet[at++] = static_cast<std::byte>(mark >> (8 * (i - 1)));
  }
  return packet;
}

std::optional<media::Trail> read_trail_packet(std::span<const std::byte> datagram) {
  if (datagram.size() != kPacketSize || !std::ranges::equal(datagram.first(kHeader.size()), kHeader))
    return {};
  const auto name = datagram.subspan(kHeader.size(), kName.size());
  if (!std::ranges::equal(name, kName, {}, {}, [](char c) { return std::byte(c); })) return {};
  const auto count = std::to_integer<std::size_t>(datagram[kCountAt]);
  if (count > media::Trail::kLongest) return {};
  media::Trail trail;
  for (std::size_t i = 0; i < count; ++i) {
    media::Trail::Mark mark = 0;
    for (const std::byte byte : datagram.subspan(kMarksAt + i * kMarkSize, kMarkSize))
      mark = mark << 8 | std::to_integer<media::Trail::Mark>(byte);
    trail.append(mark);
  }
  return trail;
}

}  // namespace simulcast::mpegts
