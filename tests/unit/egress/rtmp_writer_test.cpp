#include "egress/rtmp_writer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "protocol/rtmp/chunk_reader.hpp"
#include "tests/unit/egress/packets.hpp"

namespace simulcast::egress {
namespace {

using namespace std::chrono_literals;
using media::MediaKind;
using media::Packet;
using test::packet;

// A mailbox, a writer and the bytes that a peer would receive.
struct Connection {
  explicit Connection(std::uint32_t chunk_size) : chunk_size_(chunk_size) {
    chunks.set_chunk_size(chunk_size);
    rtmp::ChunkWriter().write(rtmp::set_chunk_size(chunk_size), wire);
  }

  // Writes everything that waits; the socket takes `step` bytes at a time.
  void write_all(std::size_t step) {
    for (;;) {
      const auto pieces = writer.pieces(mailbox);
      if (pieces.empty()) return;
      EXPECT_LE(pieces.size(), RtmpWriter::kMaxPieces);
      std::size_t taken = 0;
      for (const auto& piece : pieces) {
        const std::size_t part = std::min(step - taken, piece.size());
        const auto* from = static_cast<const std::byte*>(piece.data());
        wire.insert(wire.end(), from, from + part);
        taken += part;
        if (taken == step) break;
      }
      writer.consume(taken);
    }
  }

  std::vector<rtmp::Message> received() const {
    rtmp::ChunkReader reader;
    reader.set_limits(rtmp::ChunkReader::authorised());
    std::vector<rtmp::Message> messages;
    std::span<const std::byte> in(wire);
    while (!in.empty()) {
      auto message = reader.read(in);
      EXPECT_TRUE(message.has_value()) << message.error().message();
      if (!message.has_value() || !*message) break;
      if ((*message)->type != rtmp::MessageType::set_chunk_size) messages.push_back(std::move(**message));
    }
    return messages;
  }

  std::uint32_t chunk_size_;
  Mailbox mailbox{{media::Time(90'000'000), std::size_t{64} << 20}};
  rtmp::ChunkWriter chunks;
  RtmpWriter writer{chunks};
  std::vector<std::byte> wire;
};

TEST(RtmpWriter, MessagesArriveWholeWhateverTheSocketTakes) {
  for (const std::uint32_t chunk_size : {128U, 4096U, 65536U}) {
    for (const std::size_t step : {97UL, 1000UL, 10'000'000UL}) {
      Connection connection(chunk_size);
      std::vector<Packet> sent;
      for (int i = 0; i < 60; ++i) {
        // Every tenth frame is longer than one gather write can carry in small chunks.
        const std::size_t size = i % 10 == 0 ? 200'000 : static_cast<std::size_t>(i) * 13;
        sent.push_back(packet(i % 3 == 1 ? MediaKind::audio : MediaKind::video, 20ms * i, size, i % 10 == 0));
        connection.mailbox.push(sent.back());
        if (i % 7 == 0) connection.write_all(step);
      }
      connection.write_all(step);
      const auto received = connection.received();
      ASSERT_EQ(received.size(), sent.size()) << chunk_size << "/" << step;
      for (std::size_t i = 0; i < sent.size(); ++i) {
        EXPECT_TRUE(std::ranges::equal(received[i].body.bytes(), sent[i].payload.bytes())) << i;
        EXPECT_EQ(received[i].timestamp, 20 * i);
        EXPECT_EQ(received[i].stream_id, 1U);
      }
      EXPECT_TRUE(connection.writer.at_message_end());
      EXPECT_EQ(connection.writer.frames_sent(), 40U);
    }
  }
}

TEST(RtmpWriter, TimeStartsAtTheFirstPacketAndEarlierAudioIsLeftOut) {
  Connection connection(4096);
  connection.mailbox.push(packet(MediaKind::video, 5000ms, 10, true));
  connection.mailbox.push(packet(MediaKind::audio, 4990ms, 20));
  connection.mailbox.push(packet(MediaKind::audio, 5011ms, 30));
  connection.write_all(1 << 20);
  const auto received = connection.received();
  ASSERT_EQ(received.size(), 2U);
  EXPECT_EQ(received[0].timestamp, 0U);
  EXPECT_EQ(received[1].timestamp, 11U);
  EXPECT_EQ(received[1].body.size(), 30U);
}

// The sound of a stream may become known only after its first picture, and begin before it.
TEST(RtmpWriter, AnEarlierCodecHeaderIsSentAtTheStart) {
  Connection connection(4096);
  connection.mailbox.push(packet(MediaKind::video, 5000ms, 10, true));
  Packet header = packet(MediaKind::audio, 4990ms, 20);
  header.role = media::PacketRole::codec_header;
  connection.mailbox.push(header);
  connection.mailbox.push(packet(MediaKind::audio, 4990ms, 30));
  connection.mailbox.push(packet(MediaKind::audio, 5011ms, 40));
  connection.write_all(1 << 20);
  const auto received = connection.received();
  ASSERT_EQ(received.size(), 3U);
  EXPECT_EQ(received[1].timestamp, 0U);
  EXPECT_EQ(received[1].body.size(), 20U);
  EXPECT_EQ(received[2].timestamp, 11U);
  EXPECT_EQ(received[2].body.size(), 40U);
}

TEST(RtmpWriter, ClockWrapsAt32Bits) {
  Connection connection(4096);
  connection.mailbox.push(packet(MediaKind::video, 0ms, 10, true));
  connection.write_all(1 << 20);
  const std::chrono::milliseconds late{(std::int64_t{1} << 32) + 40};
  connection.mailbox.push(packet(MediaKind::video, late, 10));
  connection.write_all(1 << 20);
  EXPECT_EQ(connection.received().back().timestamp, 40U);
}

TEST(RtmpWriter, ControlGoesBetweenMessages) {
  Connection connection(128);
  connection.mailbox.push(packet(MediaKind::video, 0ms, 100'000, true));
  // Begun, not ended: 256 pieces are 128 chunks.
  const auto pieces = connection.writer.pieces(connection.mailbox);
  std::size_t size = 0;
  for (const auto& piece : pieces) {
    const auto* from = static_cast<const std::byte*>(piece.data());
    connection.wire.insert(connection.wire.end(), from, from + piece.size());
    size += piece.size();
  }
  connection.writer.consume(size);
  EXPECT_FALSE(connection.writer.at_message_end());
  std::vector<std::byte> ping;
  connection.chunks.write(rtmp::user_control(rtmp::UserControlEvent::ping_response, 7), ping);
  connection.writer.add_control(std::move(ping));
  connection.write_all(1 << 20);
  const auto received = connection.received();
  ASSERT_EQ(received.size(), 2U);
  EXPECT_EQ(received[0].type, rtmp::MessageType::user_control);
  EXPECT_EQ(received[1].body.size(), 100'000U);
}

TEST(RtmpWriter, AfterStopTakingOnlyWhatWasBegunIsSent) {
  Connection connection(128);
  connection.mailbox.push(packet(MediaKind::video, 0ms, 100'000, true));
  connection.mailbox.push(packet(MediaKind::video, 40ms, 10));
  connection.writer.consume(0);
  const auto first = connection.writer.pieces(connection.mailbox);
  const auto* from = static_cast<const std::byte*>(first[0].data());
  connection.wire.insert(connection.wire.end(), from, from + first[0].size());
  connection.writer.consume(first[0].size());
  connection.writer.stop_taking();
  connection.write_all(1 << 20);
  const auto received = connection.received();
  ASSERT_EQ(received.size(), 1U);
  EXPECT_EQ(received[0].body.size(), 100'000U);
  EXPECT_TRUE(connection.writer.at_message_end());
}

TEST(RtmpWriter, PayloadIsFreedOnceTaken) {
  Connection connection(4096);
  auto bytes = std::make_shared<std::byte[]>(100);
  std::weak_ptr<std::byte[]> watched = bytes;
  {
    Packet made = packet(MediaKind::video, 0ms, 0, true);
    made.payload = media::Payload(std::move(bytes), 100);
    connection.mailbox.push(made);
  }
  connection.write_all(1 << 20);
  EXPECT_TRUE(watched.expired());
}

}  // namespace
}  // namespace simulcast::egress
