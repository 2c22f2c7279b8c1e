#include "ingest/ts_packets.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "tests/unit/protocol/ts_writer.hpp"

namespace simulcast::ingest {
namespace {

using media::MediaKind;
using media::PacketRole;
using test::ByteVector;
using test::TsWriter;

constexpr unsigned kPmt = 0x1000;
constexpr unsigned kVideo = 0x100;
constexpr unsigned kAudio = 0x101;

struct TsPacketsTest : testing::Test {
  std::optional<TsPackets::Packets> take(const ByteVector& bytes) {
    return packets.packets_of(media::Payload::copy_of(bytes));
  }
  TsWriter writer;
  TsPackets packets;
};

TEST_F(TsPacketsTest, NothingBeginsBeforeTheTablesAreKnown) {
  const auto made = take(writer.pes(kVideo, ByteVector(100), {.pts = 0}));
  ASSERT_TRUE(made);
  EXPECT_FALSE(made->join_header);
  EXPECT_EQ(made->datagram.kind, MediaKind::video);
  EXPECT_FALSE(made->datagram.keyframe);
}

TEST_F(TsPacketsTest, KeyframeBringsTheTablesForThoseWhoJoin) {
  ByteVector tables = writer.pat({{1, kPmt}});
  const auto pmt = writer.pmt(kPmt, 1, {{0x1B, kVideo}, {0x0F, kAudio}});
  tables.insert(tables.end(), pmt.begin(), pmt.end());
  ASSERT_TRUE(take(tables));

  ByteVector datagram = writer.pes(kAudio, ByteVector(100), {.pts = 0, .stream_id = 0xC0});
  const std::size_t ahead = datagram.size();
  const auto key = writer.pes(kVideo, ByteVector(100), {.pts = 0, .random_access = true});
  datagram.insert(datagram.end(), key.begin(), key.end());
  const auto made = take(datagram);
  ASSERT_TRUE(made);
  EXPECT_TRUE(made->datagram.keyframe);
  EXPECT_EQ(made->datagram.sync_offset, ahead);
  EXPECT_EQ(made->datagram.frames, 1);
  EXPECT_EQ(made->datagram.payload.size(), datagram.size());
  ASSERT_TRUE(made->join_header);
  EXPECT_EQ(made->join_header->role, PacketRole::join_header);
  EXPECT_TRUE(std::ranges::equal(made->join_header->payload.bytes(), tables));
}

TEST_F(TsPacketsTest, SoundAloneCanBeginAnywhere) {
  ByteVector datagram = writer.pat({{1, kPmt}});
  const auto pmt = writer.pmt(kPmt, 1, {{0x0F, kAudio}});
  datagram.insert(datagram.end(), pmt.begin(), pmt.end());
  const auto sound = writer.pes(kAudio, ByteVector(100), {.pts = 0, .stream_id = 0xC0});
  datagram.insert(datagram.end(), sound.begin(), sound.end());
  const auto made = take(datagram);
  ASSERT_TRUE(made);
  EXPECT_EQ(made->datagram.kind, MediaKind::audio);
  EXPECT_TRUE(made->join_header);
}

TEST_F(TsPacketsTest, LeavesOutWhatIsNoMpegTs) {
  EXPECT_FALSE(take(ByteVector(100)));
  EXPECT_FALSE(take(ByteVector(188)));
  EXPECT_EQ(packets.malformed(), 2U);
}

}  // namespace
}  // namespace simulcast::ingest
