// Which signs tell that the last PES packet is whole, and when they are none.
#include <gtest/gtest.h>

#include "protocol/mpegts/pes_ends.hpp"
#include "tests/unit/protocol/bytes.hpp"
#include "tests/unit/protocol/ts_writer.hpp"

namespace simulcast::mpegts {
namespace {

using test::ByteVector;
using test::pattern;
using test::TsWriter;

constexpr std::uint16_t kVideo = 0x100;
constexpr std::uint16_t kAudio = 0x101;
constexpr std::uint16_t kServiceTable = 0x11;
constexpr std::size_t kHeader = 14;                // of a PES packet with a PTS
constexpr std::size_t kExact = 5 * 184 - kHeader;  // fills its packets
constexpr std::size_t kOneShort = kExact - 1;      // leaves one byte of the last
constexpr std::size_t kDatagram = 7 * kPacketSize;

class PesEndsTest : public testing::Test {
 protected:
  PesEndsTest() {
    const std::uint16_t pids[] = {kVideo, kAudio};
    ends.select(pids);
  }

  void push(const ByteVector& packets) {
    for (std::size_t at = 0; at < packets.size(); at += kPacketSize) {
      const auto packet = std::span(packets).subspan(at, kPacketSize);
      ends.packet(packet, parse_packet(packet));
    }
  }
  ByteVector pes(std::size_t size, unsigned pid = kVideo) {
    return writer.pes(pid, pattern(size), {.pts = 3600});
  }
  ByteVector null_packets(int count) {
    ByteVector out;
    for (int i = 0; i < count; ++i) {
      const ByteVector bytes = pattern(184);
      std::span<const std::byte> rest(bytes);
      const auto one = writer.packet(kNullPid, false, rest);
      out.insert(out.end(), one.begin(), one.end());
    }
    return out;
  }
  static ByteVector part(const ByteVector& packets, std::size_t from, std::size_t count) {
    const auto begin = packets.begin() + static_cast<std::ptrdiff_t>(from * kPacketSize);
    return {begin, begin + static_cast<std::ptrdiff_t>(count * kPacketSize)};
  }
  bool is_whole() const { return ends.is_whole(kVideo); }

  TsWriter writer;
  PesEnds ends;
};

TEST_F(PesEndsTest, StuffingIsTheEnd) {
  push(pes(kOneShort));
  EXPECT_TRUE(is_whole());
  push(pes(kExact));
  EXPECT_FALSE(is_whole());
  push(pes(100));  // begins and ends in one packet
  EXPECT_TRUE(is_whole());
}

TEST_F(PesEndsTest, TornPacketsHaveNoStuffing) {
  const auto whole = pes(kOneShort);
  for (std::size_t packets = 1; packets < 5; ++packets) {
    PesEnds fresh;
    const std::uint16_t pids[] = {kVideo};
    fresh.select(pids);
    for (std::size_t i = 0; i < packets; ++i) {
      const auto packet = std::span(whole).subspan(i * kPacketSize, kPacketSize);
      fresh.packet(packet, parse_packet(packet));
    }
    EXPECT_FALSE(fresh.is_whole(kVideo)) << packets;
  }
}

TEST_F(PesEndsTest, StuffingIsNoSignWithAnEncoderThatStuffsAnywhere) {
  const ByteVector bytes = pattern(500);
  std::span<const std::byte> rest(bytes);
  ByteVector stuffed_in_the_middle = writer.packet(kVideo, true, rest, false, 100);
  while (!rest.empty()) {
    const auto next = writer.packet(kVideo, false, rest);
    stuffed_in_the_middle.insert(stuffed_in_the_middle.end(), next.begin(), next.end());
  }
  push(stuffed_in_the_middle);
  push(pes(kOneShort));
  EXPECT_FALSE(is_whole());
  push(null_packets(1));  // there still are others
  EXPECT_TRUE(is_whole());
}

TEST_F(PesEndsTest, PacketsOfAnotherStreamBehindAreTheEnd) {
  push(pes(kExact));
  EXPECT_FALSE(is_whole());
  push(pes(50, kAudio));
  EXPECT_TRUE(is_whole());
  EXPECT_TRUE(ends.is_whole(kAudio));
}

TEST_F(PesEndsTest, PacketsOfAnotherStreamAreNoSignWithAnEncoderThatMixesThem) {
  const auto picture = pes(kExact);
  push(part(picture, 0, 2));
  push(pes(150, kAudio));
  push(part(picture, 2, 3));
  push(pes(kExact));
  push(pes(150, kAudio));
  EXPECT_FALSE(is_whole()) << "it may go on behind this one";
  push(pes(150, kAudio));
  EXPECT_TRUE(is_whole()) << "it never went on behind two";
}

TEST_F(PesEndsTest, NullPacketsBehindAreTheEndUnlessTheyComeWithin) {
  const auto picture = pes(kExact);
  push(part(picture, 0, 2));
  push(null_packets(3));
  push(part(picture, 2, 3));
  push(pes(kExact));
  push(null_packets(3));
  EXPECT_FALSE(is_whole());
  push(null_packets(1));
  EXPECT_TRUE(is_whole());
}

TEST_F(PesEndsTest, ShortDatagramBehindIsTheEndUnlessTheyComeWithin) {
  push(pes(kExact));
  ends.datagram_ended(kDatagram);
  EXPECT_FALSE(is_whole());
  const auto picture = pes(kExact);
  push(part(picture, 0, 4));
  ends.datagram_ended(kDatagram);
  push(part(picture, 4, 1));
  EXPECT_FALSE(is_whole());
  ends.datagram_ended(kPacketSize);
  EXPECT_TRUE(is_whole());

  const auto next = pes(kExact);
  push(part(next, 0, 1));
  ends.datagram_ended(kPacketSize);
  push(part(next, 1, 4));
  ends.datagram_ended(4 * kPacketSize);
  EXPECT_FALSE(is_whole());
}

TEST_F(PesEndsTest, TablesComeAnywhere) {
  push(pes(kExact));
  const ByteVector bytes = pattern(184);
  for (const unsigned pid : {unsigned{kPatPid}, unsigned{kServiceTable}}) {
    std::span<const std::byte> rest(bytes);
    push(writer.packet(pid, true, rest));
  }
  EXPECT_FALSE(is_whole());
}

TEST_F(PesEndsTest, AHoleTearsWhatItIsIn) {
  push(pes(kOneShort));
  ends.hole();
  EXPECT_FALSE(is_whole()) << "the end may be another one's";
  push(null_packets(20));
  EXPECT_FALSE(is_whole());
  push(pes(kOneShort));
  EXPECT_TRUE(is_whole());
}

TEST_F(PesEndsTest, AGapOfTheCounterIsAHole) {
  const auto picture = pes(kOneShort);
  push(part(picture, 0, 2));
  push(part(picture, 3, 2));
  EXPECT_FALSE(is_whole());
  push(pes(kOneShort));
  EXPECT_TRUE(is_whole());
  // The beginning of the next one is missing: its rest says nothing of where this one ends.
  const auto headless = pes(kOneShort);
  push(part(headless, 1, 4));
  EXPECT_FALSE(is_whole());
  push(pes(kOneShort));
  EXPECT_TRUE(is_whole()) << "and nothing was learned from it";
}

TEST_F(PesEndsTest, APacketSentTwiceCountsOnce) {
  const auto picture = pes(kOneShort);
  push(picture);
  push(part(picture, 4, 1));
  EXPECT_TRUE(is_whole());
  push(pes(kOneShort));
  EXPECT_TRUE(is_whole());
}

TEST_F(PesEndsTest, KnowsNothingOfOtherPids) {
  push(pes(kOneShort, 0x300));
  EXPECT_FALSE(ends.is_whole(0x300));
  EXPECT_FALSE(is_whole());
  const std::uint16_t only_audio[] = {kAudio, kNullPid};
  ends.select(only_audio);
  push(pes(kOneShort));
  EXPECT_FALSE(is_whole());
}

}  // namespace
}  // namespace simulcast::mpegts
