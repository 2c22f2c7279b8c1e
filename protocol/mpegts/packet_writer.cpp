#include "protocol/mpegts/packet_writer.hpp"

#include <algorithm>

namespace simulcast::mpegts {

namespace {

constexpr std::size_t kHeader = 4;
constexpr std::size_t kPesHeader = 14;  // with PTS
constexpr std::uint64_t kClockMask = (std::uint64_t{1} << 33) - 1;
constexpr std::uint8_t kRandomAccess = 0x40;
constexpr std::uint8_t kHasClock = 0x10;

void append(std::vector<std::byte>& out, std::uint64_t value, unsigned bytes) {
  for (unsigned i = bytes; i > 0; --i) out.push_back(static_cast<std::byte>(value >> (8 * (i - 1))));
}

void append_header(std::uint16_t pid, bool unit_start, bool adaptation, bool payload,
                   std::vector<std::byte>& out) {
  out.push_back(kSyncByte);
  append(out, pid | (unit_start ? 0x4000U : 0U), 2);
  out.push_back(static_cast<std::byte>((adaptation ? 0x20 : 0) | (payload ? 0x10 : 0)));
}

std::vector<std::byte> pes_header(std::uint8_t stream_id, media::Time pts, std::size_t size) {
  constexpr std::size_t kMaxLength = 0xFFFF;
  constexpr std::size_t kBehindLength = kPesHeader - 6;
  const bool is_video = stream_id >= 0xE0 && stream_id <= 0xEF;
  const std::size_t length = size + kBehindLength;
  std::vector<std::byte> out;
  append(out, 1, 3);
  append(out, stream_id, 1);
  append(out, is_video || length > kMaxLength ? 0 : length, 2);  // 0: until the next begins
  append(out, 0x84, 1);                                          // the access unit begins here
  append(out, 0x80, 1);                                          // PTS only
  append(out, 5, 1);
  const std::uint64_t clock = static_cast<std::uint64_t>(pts.count()) & kClockMask;
  append(out, 0x21 | (clock >> 30 << 1), 1);
  append(out, 1 | (clock >> 15 & 0x7FFF) << 1, 2);
  append(out, 1 | (clock & 0x7FFF) << 1, 2);
  return out;
}

}  // namespace

void append_pes(std::uint16_t pid, std::uint8_t stream_id, media::Time pts, bool random_access,
                std::span<const std::byte> access_unit, std::vector<std::byte>& packets) {
  std::vector<std::byte> pes = pes_header(stream_id, pts, access_unit.size());
  pes.insert(pes.end(), access_unit.begin(), access_unit.end());
  packets.reserve(packets.size() + (pes.size() / (kPacketSize - kHeader) + 2) * kPacketSize);
  for (std::size_t at = 0; at < pes.size();) {
    const bool first = at == 0;
    const bool flags = first && random_access;
    const std::size_t room = kPacketSize - kHeader - (flags ? 2 : 0);
    const std::size_t taken = std::min(room, pes.size() - at);
    const std::size_t adaptation = kPacketSize - kHeader - taken;
    append_header(pid, first, adaptation > 0, true, packets);
    if (adaptation > 0) append(packets, adaptation - 1, 1);
    if (adaptation > 1) {
      append(packets, flags ? kRandomAccess : 0U, 1);
      packets.insert(packets.end(), adaptation - 2, std::byte{0xFF});
    }
    packets.insert(packets.end(), pes.begin() + static_cast<std::ptrdiff_t>(at),
                   pes.begin() + static_cast<std::ptrdiff_t>(at + taken));
    at += taken;
  }
}

void append_clock(std::uint16_t pid, const ClockReference& clock, std::vector<std::byte>& packets) {
  constexpr std::size_t kFields = 7;  // flags and the reference
  append_header(pid, false, true, false, packets);
  append(packets, kPacketSize - kHeader - 1, 1);
  append(packets, kHasClock, 1);
  const std::uint64_t base = static_cast<std::uint64_t>(clock.base.count()) & kClockMask;
  append(packets, base << 15 | 0x3F << 9 | clock.extension, 6);
  packets.insert(packets.end(), kPacketSize - kHeader - 1 - kFields, std::byte{0xFF});
}

}  // namespace simulcast::mpegts
