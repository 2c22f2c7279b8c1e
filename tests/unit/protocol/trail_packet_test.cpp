#include "protocol/mpegts/trail_packet.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace simulcast::mpegts {
namespace {

TEST(TrailPacket, IsAPacketOfStuffingThatIsReadAgain) {
  media::Trail trail;
  for (;;) {
    const auto packet = trail_packet(trail);
    EXPECT_EQ(packet[0], kSyncByte);
    EXPECT_EQ(parse_packet(packet).pid, kNullPid);
    EXPECT_EQ(read_trail_packet(packet), trail);
    if (trail.full()) break;
    trail.append(0xFEDCBA9876543210 + trail.marks().size());
  }
}

TEST(TrailPacket, OthersAreNone) {
  const auto packet = trail_packet({});
  std::vector<std::byte> bytes(packet.begin(), packet.end());
  EXPECT_TRUE(read_trail_packet(bytes));
  EXPECT_FALSE(read_trail_packet(std::span(bytes).first(kPacketSize - 1)));
  EXPECT_FALSE(read_trail_packet({}));
  for (std::size_t at = 0; at < 21; ++at) {  // header, name, count
    auto other = bytes;
    other[at] ^= std::byte{0x80};
    EXPECT_FALSE(read_trail_packet(other)) << at;
  }
  bytes.insert(bytes.end(), packet.begin(), packet.end());
  EXPECT_FALSE(read_trail_packet(bytes));
}

}  // namespace
}  // namespace simulcast::mpegts
