#include "protocol/rtmp/chunk_writer.hpp"

#include <gtest/gtest.h>

#include <random>

#include "protocol/rtmp/chunk_reader.hpp"
#include "tests/unit/protocol/bytes.hpp"

namespace simulcast::rtmp {
namespace {

using test::Bytes;
using test::hex;
using test::pattern;
using test::operator+;  // NOLINT(misc-unused-using-decls): not seen in expressions

Bytes bytes_of(const ChunkHeader& header) {
  return {header.span().begin(), header.span().end()};
}

TEST(ChunkWriter, PicksTheShortestSafeFormat) {
  ChunkWriter writer;
  EXPECT_EQ(bytes_of(writer.begin_message(6, MessageType::video, 1, 1000, 5)),
            hex("06 0003e8 000005 09 01000000"));
  EXPECT_EQ(bytes_of(writer.begin_message(6, MessageType::video, 1, 1040, 7)), hex("46 000028 000007 09"));
  EXPECT_EQ(bytes_of(writer.begin_message(6, MessageType::video, 1, 1080, 7)), hex("86 000028"));
  // The same step again, which format 3 could say.
  EXPECT_EQ(bytes_of(writer.begin_message(6, MessageType::video, 1, 1120, 7)), hex("86 000028"));
  EXPECT_EQ(bytes_of(writer.begin_message(6, MessageType::audio, 1, 1120, 7)), hex("46 000000 000007 08"));
  // Back in time, and another message stream.
  EXPECT_EQ(bytes_of(writer.begin_message(6, MessageType::audio, 1, 1119, 7)),
            hex("06 00045f 000007 08 01000000"));
  EXPECT_EQ(bytes_of(writer.begin_message(6, MessageType::audio, 2, 1119, 7)),
            hex("06 00045f 000007 08 02000000"));
  EXPECT_EQ(bytes_of(writer.continuation(6)), hex("c6"));
}

TEST(ChunkWriter, RepeatsTheExtendedTimestamp) {
  ChunkWriter writer;
  EXPECT_EQ(bytes_of(writer.begin_message(6, MessageType::video, 1, 0xFFFFFE, 500)),
            hex("06 fffffe 0001f4 09 01000000"));
  EXPECT_EQ(bytes_of(writer.continuation(6)), hex("c6"));
  EXPECT_EQ(bytes_of(writer.begin_message(7, MessageType::video, 1, 0xFFFFFF, 500)),
            hex("07 ffffff 0001f4 09 01000000 00ffffff"));
  EXPECT_EQ(bytes_of(writer.continuation(7)), hex("c7 00ffffff"));
  EXPECT_EQ(bytes_of(writer.begin_message(7, MessageType::video, 1, 0x1000021, 500)), hex("87 000022"));
  EXPECT_EQ(bytes_of(writer.continuation(7)), hex("c7"));
  // Across 2^32 it is still a small step forward.
  writer.begin_message(7, MessageType::video, 1, 0xFFFFFFF0, 500);
  EXPECT_EQ(bytes_of(writer.begin_message(7, MessageType::video, 1, 0x10, 500)), hex("87 000020"));
}

TEST(ChunkWriter, LongChunkStreamIds) {
  ChunkWriter writer;
  EXPECT_EQ(bytes_of(writer.begin_message(64, MessageType::audio, 1, 0, 1)),
            hex("00 00 000000 000001 08 01000000"));
  EXPECT_EQ(bytes_of(writer.continuation(64)), hex("c0 00"));
  EXPECT_EQ(bytes_of(writer.begin_message(319, MessageType::audio, 1, 0, 1)),
            hex("00 ff 000000 000001 08 01000000"));
  EXPECT_EQ(bytes_of(writer.begin_message(65599, MessageType::audio, 1, 0xFFFFFFFF, 1)),
            hex("01 ff ff ffffff 000001 08 01000000 ffffffff"));
  EXPECT_EQ(bytes_of(writer.continuation(320)), hex("c1 00 01"));
}

TEST(ChunkWriter, ControlMessagesHaveTheLayoutOfTheSpecification) {
  ChunkWriter writer;
  Bytes out;
  writer.write(set_chunk_size(4096), out);
  EXPECT_EQ(out, hex("02 000000 000004 01 00000000 00001000"));
  out.clear();
  writer.write(set_peer_bandwidth(2'500'000, BandwidthLimit::dynamic), out);
  EXPECT_EQ(out, hex("42 000000 000005 06 002625a0 02"));
  out.clear();
  writer.write(user_control(UserControlEvent::ping_response, 0x01020304), out);
  EXPECT_EQ(out, hex("42 000000 000006 04 0007 01020304"));
  out.clear();
  writer.write(acknowledgement(7), out);
  EXPECT_EQ(out, hex("42 000000 000004 03 00000007"));
}

// Whatever is written is read back as it was: pseudo-random messages over all the places where encodings
// change.
TEST(ChunkWriter, WhatIsWrittenIsReadBack) {
  const std::vector<std::uint32_t> ids{3, 4, 6, 63, 64, 319, 320, 65599};
  const std::vector<std::uint32_t> sizes{1, 64, 127, 128, 129, 4096, 65536};
  const std::vector<std::uint32_t> steps{0,        0,        1,         21,         33,         40,
                                         0xFFFFFE, 0xFFFFFF, 0x1000000, 0xFFFFFFF0, 0xFFFFFFFF, 0x7fffffff};
  for (unsigned seed = 1; seed <= 40; ++seed) {
    std::minstd_rand engine(seed);
    const auto random = [&engine] { return static_cast<std::uint32_t>(engine() >> 4); };
    const auto pick = [&](const std::vector<std::uint32_t>& from) { return from[random() % from.size()]; };
    ChunkWriter writer;
    Bytes wire;
    std::vector<Message> sent;
    std::uint32_t time = pick({0, 1000, 0xFFFFFE, 0xFFFFFF, 0x7fffffff, 0xFFFFFFF0});
    for (int i = 0; i < 60; ++i) {
      if (random() % 10 == 0) {
        const std::uint32_t size = pick(sizes);
        writer.write(set_chunk_size(size), wire);
        writer.set_chunk_size(size);
      }
      time += pick(steps);
      const std::size_t length = random() % 4 == 0 ? random() % 9000 : random() % 300;
      const MessageType type = random() % 2 == 0 ? MessageType::audio : MessageType::video;
      sent.push_back({.type = type,
                      .stream_id = 1 + random() % 2,
                      .chunk_stream_id = pick(ids),
                      .timestamp = time,
                      .body = media::Payload::copy_of(pattern(length, random()))});
      writer.write(sent.back(), wire);
    }
    ChunkReader reader;
    reader.set_limits(ChunkReader::authorised());
    std::size_t received = 0;
    std::span<const std::byte> rest(wire);
    while (!rest.empty()) {
      auto in = rest.first(std::min<std::size_t>(rest.size(), 1 + random() % 3000));
      rest = rest.subspan(in.size());
      for (;;) {
        const auto message = reader.read(in);
        ASSERT_TRUE(message.has_value()) << message.error().message();
        if (!*message) break;
        ASSERT_LT(received, sent.size());
        const Message& expected = sent[received++];
        EXPECT_EQ((*message)->type, expected.type);
        EXPECT_EQ((*message)->stream_id, expected.stream_id);
        EXPECT_EQ((*message)->chunk_stream_id, expected.chunk_stream_id);
        EXPECT_EQ((*message)->timestamp, expected.timestamp);
        EXPECT_TRUE(std::ranges::equal((*message)->body.bytes(), expected.body.bytes()));
      }
    }
    EXPECT_EQ(received, sent.size());
  }
}

}  // namespace
}  // namespace simulcast::rtmp
