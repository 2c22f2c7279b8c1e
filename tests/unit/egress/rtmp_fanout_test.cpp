// Outputs that share their chunks and outputs that make their own must send the same messages.
#include "egress/rtmp_fanout.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "egress/rtmp_writer.hpp"
#include "protocol/rtmp/chunk_reader.hpp"
#include "protocol/rtmp/limits.hpp"
#include "tests/unit/egress/packets.hpp"

namespace simulcast::egress {
namespace {

using media::MediaKind;
using media::Packet;
using test::packet;

// An output whose socket takes as much as it is told to.
struct Connection {
  Connection(RtmpFanout* shared_fanout, std::uint32_t chunk_size) : fanout(shared_fanout) {
    chunks.set_chunk_size(chunk_size);
    rtmp::ChunkWriter().write(rtmp::set_chunk_size(chunk_size), wire);
  }

  void take(const media::Batch& batch, std::size_t socket_takes = 1'000'000'000) {
    room = socket_takes;
    if (fanout != nullptr && mailbox.idle()) {
      const ChunkedBatch* run = fanout->chunks_of(batch, chunks.chunk_size());
      if (run != nullptr && writer.can_share(*run)) {
        ++shared;
        writer.take_over(*run, write(run->pieces));
        write_own();
        return;
      }
    }
    for (const Packet& one : batch.packets) mailbox.push(one);
    write_own();
  }

  void write_own() {
    for (;;) {
      const auto pieces = writer.pieces(mailbox);
      if (pieces.empty()) return;
      const std::size_t taken = write(pieces);
      writer.consume(taken);
      if (taken == 0) return;
    }
  }

  std::size_t write(std::span<const boost::asio::const_buffer> pieces) {
    std::size_t taken = 0;
    for (const auto& piece : pieces) {
      const std::size_t part = std::min(room, piece.size());
      const auto* from = static_cast<const std::byte*>(piece.data());
      wire.insert(wire.end(), from, from + part);
      taken += part;
      room -= part;
    }
    return taken;
  }

  std::vector<rtmp::Message> received() const {
    rtmp::ChunkReader reader;
    reader.set_limits(rtmp::ChunkReader::authorised());
    std::vector<rtmp::Message> messages;
    std::span<const std::byte> in(wire);
    for (;;) {
      auto message = reader.read(in);
      EXPECT_TRUE(message.has_value()) << message.error().message();
      if (!message.has_value() || !*message) return messages;
      messages.push_back(std::move(**message));
    }
  }

  RtmpFanout* fanout;
  Mailbox mailbox{{media::Time(90'000'000), std::size_t{64} << 20}};
  rtmp::ChunkWriter chunks;
  RtmpWriter writer{chunks};
  std::vector<std::byte> wire;
  std::size_t room = 0;
  int shared = 0;
};

void expect_same(const Connection& shared, const Connection& own, const std::string& which) {
  const auto got = shared.received();
  const auto wanted = own.received();
  ASSERT_EQ(got.size(), wanted.size()) << which;
  for (std::size_t i = 0; i < got.size(); ++i) {
    ASSERT_EQ(got[i].type, wanted[i].type) << which << ", message " << i;
    ASSERT_EQ(got[i].timestamp, wanted[i].timestamp) << which << ", message " << i;
    ASSERT_EQ(got[i].stream_id, wanted[i].stream_id) << which << ", message " << i;
    ASSERT_TRUE(std::ranges::equal(got[i].body.bytes(), wanted[i].body.bytes()))
        << which << ", message " << i;
  }
  EXPECT_EQ(shared.writer.frames_sent(), own.writer.frames_sent()) << which;
  EXPECT_EQ(shared.writer.media_bytes(), own.writer.media_bytes()) << which;
}

// Pairs of outputs, one that shares and one that does not, with sockets that take as much and as little.
struct Scene {
  struct Pair {
    Pair(RtmpFanout& fanout, std::uint32_t chunk_size)
        : shared(&fanout, chunk_size), own(nullptr, chunk_size) {}
    Connection shared, own;
  };
  void join(std::uint32_t chunk_size) {
    auto& pair = *pairs.emplace_back(std::make_unique<Pair>(fanout, chunk_size));
    pair.shared.writer.set_stream_id(static_cast<std::uint32_t>(pairs.size()));
    pair.own.writer.set_stream_id(static_cast<std::uint32_t>(pairs.size()));
  }
  void send(const std::vector<Packet>& packets, std::size_t socket_takes = 1'000'000'000) {
    ++number;
    for (auto& pair : pairs) {
      pair->shared.take({packets, number}, socket_takes);
      pair->own.take({packets, number}, socket_takes);
    }
  }
  void finish() {
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      for (Connection* each : {&pairs[i]->shared, &pairs[i]->own}) {
        each->room = 1'000'000'000;
        each->write_own();
      }
      expect_same(pairs[i]->shared, pairs[i]->own, "output " + std::to_string(i));
    }
  }

  RtmpFanout fanout;
  std::uint64_t number = 0;
  std::vector<std::unique_ptr<Pair>> pairs;
};

media::Time ms(std::int64_t value) {
  return std::chrono::milliseconds(value);
}

TEST(RtmpFanout, OutputsThatJoinedAtDifferentTimesShareAndSendTheSameMessages) {
  Scene scene;
  for (int frame = 0; frame < 100; ++frame) {
    // Each joins with packets of its own, as those of the cached GOP are.
    if (frame % 30 == 0) {
      scene.join(frame < 50 ? 4096 : 65536);
      const std::vector<Packet> start{packet(MediaKind::video, ms(frame * 16 - 8), 3000, true)};
      scene.pairs.back()->shared.take({start, 0});
      scene.pairs.back()->own.take({start, 0});
    }
    std::vector<Packet> packets{packet(MediaKind::video, ms(frame * 16), 12'500)};
    if (frame % 2 == 0) packets.insert(packets.begin(), packet(MediaKind::audio, ms(frame * 16 - 4), 400));
    if (frame % 25 == 24) packets.push_back(packet(MediaKind::data, ms(frame * 16), 60));
    scene.send(packets);
  }
  scene.finish();
  EXPECT_EQ(scene.pairs[0]->shared.shared, 98);  // all but the first audio and the first data
  EXPECT_EQ(scene.pairs[1]->shared.shared, 68);
}

TEST(RtmpFanout, TimesOffTheMillisecondAreRoundedTheSameForAll) {
  Scene scene;
  std::vector<std::int64_t> ticks{0, 3003, 6006, 9009, 12012, 15015, 18018};
  for (std::size_t i = 0; i < ticks.size(); ++i) {
    if (i == 0 || i == 3) scene.join(4096);
    scene.send({packet(MediaKind::video, media::Time(ticks[i] + 17), 100)});
  }
  scene.finish();
  EXPECT_GE(scene.pairs[1]->shared.shared, 3);
}

TEST(RtmpFanout, WhatTheSocketDoesNotTakeGoesLater) {
  for (const std::size_t takes : {0UL, 1UL, 9UL, 500UL, 4200UL, 12'000UL}) {
    Scene scene;
    scene.join(4096);
    for (int frame = 0; frame < 40; ++frame) {
      scene.send(
          {packet(MediaKind::audio, ms(frame * 16), 300), packet(MediaKind::video, ms(frame * 16), 12'000)},
          frame % 4 == 3 ? takes : 1'000'000'000);
    }
    scene.finish();
    EXPECT_GE(scene.pairs[0]->shared.shared, 19) << takes;
  }
}

TEST(RtmpFanout, LeapsStepsBackAndAnOutputsOwnStartAreLeftToTheOutput) {
  Scene scene;
  scene.join(4096);
  scene.send({packet(MediaKind::video, ms(1000), 10)});
  scene.send({packet(MediaKind::video, ms(1016), 10)});
  EXPECT_EQ(scene.pairs[0]->shared.shared, 1);
  scene.send({packet(MediaKind::video, ms(1010), 10)});                             // back
  scene.send({packet(MediaKind::video, ms(1010 + rtmp::kExtendedTimestamp), 10)});  // a leap
  EXPECT_EQ(scene.pairs[0]->shared.shared, 1);
  scene.send({packet(MediaKind::video, ms(1010 + rtmp::kExtendedTimestamp), 10)});
  EXPECT_EQ(scene.pairs[0]->shared.shared, 2);
  // Audio from before this output's beginning is left out of it.
  scene.join(4096);
  scene.send({packet(MediaKind::video, ms(20'000'000), 10)});
  scene.send({packet(MediaKind::audio, ms(19'999'990), 10), packet(MediaKind::video, ms(20'000'010), 10)});
  EXPECT_EQ(scene.pairs[1]->shared.received().size(), 2U);  // the pictures
  scene.finish();
}

TEST(RtmpFanout, ABatchThatNobodyCouldShareDoesNotEndTheSharing) {
  Scene scene;
  scene.join(4096);
  scene.send({packet(MediaKind::video, ms(0), 10)});
  const std::vector<Packet> many(
      200, packet(MediaKind::video, ms(10), 5'000));  // more pieces than one write takes
  scene.send(many);
  EXPECT_EQ(scene.pairs[0]->shared.shared, 0);
  scene.send({packet(MediaKind::video, ms(20), 10)});
  EXPECT_EQ(scene.pairs[0]->shared.shared, 1);
  scene.finish();
}

TEST(RtmpFanout, AnyMixOfShortWritesAndBatchesGivesTheSameMessages) {
  std::mt19937 random(7);
  Scene scene;
  std::int64_t time = 0;
  for (int i = 0; i < 1500; ++i) {
    if (i % 300 == 0) scene.join(i % 600 == 0 ? 128 : 4096);
    std::vector<Packet> packets;
    for (auto count = 1 + random() % 3; count > 0; --count) {
      const auto kind = static_cast<MediaKind>(random() % 3);
      time += static_cast<std::int64_t>(random() % 12);
      packets.push_back(packet(kind, ms(time), random() % 9000));
    }
    scene.send(packets, random() % 5 == 0 ? random() % 6000 : 1'000'000'000);
  }
  scene.finish();
  EXPECT_GT(scene.pairs[0]->shared.shared, 500);
}

}  // namespace
}  // namespace simulcast::egress
