#include "protocol/rtmp/chunk_reader.hpp"

#include <gtest/gtest.h>

#include "protocol/rtmp/error.hpp"
#include "tests/unit/protocol/bytes.hpp"

namespace simulcast::rtmp {
namespace {

using test::basic_header;
using test::Bytes;
using test::chunked;
using test::header;
using test::hex;
using test::number;
using test::pattern;
using test::operator+;  // NOLINT(misc-unused-using-decls): not seen in expressions

struct Outcome {
  std::vector<Message> messages;
  boost::system::error_code error;
};

// Feeds `input` in pieces of that size, from memory that the reader may share or from memory that it may not.
Outcome read_all(ChunkReader& reader, std::span<const std::byte> input, std::size_t piece,
                 bool shared = false) {
  Outcome outcome;
  const media::Payload memory = media::Payload::copy_of(input);
  if (shared) input = memory.bytes();
  while (!input.empty()) {
    auto in = input.first(std::min(piece, input.size()));
    input = input.subspan(in.size());
    for (;;) {
      auto message = reader.read(in, shared ? &memory : nullptr);
      if (message.has_error()) {
        outcome.error = message.error();
        return outcome;
      }
      if (!*message) break;
      outcome.messages.push_back(std::move(**message));
    }
    EXPECT_TRUE(in.empty());
  }
  return outcome;
}

Outcome read_all(std::span<const std::byte> input, std::size_t piece, bool shared = false) {
  ChunkReader reader;
  reader.set_limits(ChunkReader::authorised());
  return read_all(reader, input, piece, shared);
}

Bytes set_chunk_size_chunk(std::uint32_t size) {
  return header(0, {.id = 2, .time = 0, .length = 4, .type = 1, .stream_id = 0}) + number(size, 4);
}

Bytes body_of(const Message& message) {
  return {message.body.bytes().begin(), message.body.bytes().end()};
}

// Delivery must not matter: in one piece, byte by byte, and at sizes that cut headers at odd places.
const std::vector<std::size_t> kPieces{1'000'000'000, 1, 2, 3, 5, 7, 11, 13, 127, 4096};

TEST(ChunkReader, ReadsOneMessage) {
  const Bytes body = pattern(100);
  const Bytes input =
      header(0, {.id = 6, .time = 1234, .length = 100, .type = 9, .stream_id = 0x01020304}) + body;
  for (const auto piece : kPieces) {
    const auto outcome = read_all(input, piece);
    ASSERT_EQ(outcome.messages.size(), 1U);
    const Message& message = outcome.messages[0];
    EXPECT_EQ(message.type, MessageType::video);
    EXPECT_EQ(message.chunk_stream_id, 6U);
    EXPECT_EQ(message.stream_id, 0x01020304U);
    EXPECT_EQ(message.timestamp, 1234U);
    EXPECT_EQ(body_of(message), body);
  }
}

TEST(ChunkReader, ABodyInOneChunkIsAPartOfTheMemoryItWasReadInto) {
  const Bytes body = pattern(20'000);
  const Bytes message = header(0, {.id = 6, .time = 0, .length = 20'000, .type = 9, .stream_id = 1});
  for (const auto piece : kPieces) {
    const auto whole = read_all(set_chunk_size_chunk(65'536) + message + body + message + body, piece, true);
    ASSERT_EQ(whole.messages.size(), 2U);
    EXPECT_EQ(body_of(whole.messages[0]), body);
    EXPECT_EQ(body_of(whole.messages[1]), body);
    EXPECT_EQ(whole.messages[1].body.data() - whole.messages[0].body.data(),
              static_cast<std::ptrdiff_t>(body.size() + message.size()));
    const auto chunks = read_all(set_chunk_size_chunk(4096) + chunked(message, 6, body, 4096), piece, true);
    ASSERT_EQ(chunks.messages.size(), 1U);
    EXPECT_EQ(body_of(chunks.messages[0]), body);
  }
}

TEST(ChunkReader, StopsBehindEachMessage) {
  const Bytes one = header(0, {.length = 3}) + pattern(3);
  const Bytes both = one + one;
  ChunkReader reader;
  std::span<const std::byte> in(both);
  const auto message = reader.read(in);
  ASSERT_TRUE(message.has_value() && message->has_value());
  EXPECT_EQ(in.size(), one.size());
}

TEST(ChunkReader, EveryFormOfChunkStreamId) {
  for (const std::uint32_t id : {2U, 3U, 63U, 64U, 319U, 320U, 65599U}) {
    const Bytes body = pattern(300, id);
    const Bytes input = chunked(header(0, {.id = id, .time = 7, .length = 300}), id, body, 128);
    for (const auto piece : kPieces) {
      const auto outcome = read_all(input, piece);
      ASSERT_EQ(outcome.messages.size(), 1U) << id;
      EXPECT_EQ(outcome.messages[0].chunk_stream_id, id);
      EXPECT_EQ(body_of(outcome.messages[0]), body);
    }
  }
}

TEST(ChunkReader, EveryChunkSize) {
  for (const std::uint32_t size : {1U, 127U, 128U, 129U, 4096U, 65536U, 0xFFFFFFU, 0x7fffffffU}) {
    const Bytes body = pattern(70'000, size);
    const Bytes input = set_chunk_size_chunk(size) +
                        chunked(header(0, {.length = 70'000}), 4, body, std::min(size, 0xFFFFFFU));
    for (const std::size_t piece : {std::size_t{1'000'000}, std::size_t{1}, std::size_t{1460}}) {
      const auto outcome = read_all(input, piece);
      ASSERT_EQ(outcome.messages.size(), 1U) << size;
      EXPECT_EQ(body_of(outcome.messages[0]), body);
    }
  }
}

TEST(ChunkReader, RefusesChunkSizesOutsideTheSpecification) {
  for (const std::uint32_t size : {0U, 0x80000000U, 0xFFFFFFFFU}) {
    EXPECT_EQ(read_all(set_chunk_size_chunk(size), 100).error, Error::bad_chunk_size);
  }
  const Bytes cut = header(0, {.id = 2, .time = 0, .length = 3, .type = 1, .stream_id = 0}) + number(128, 3);
  EXPECT_EQ(read_all(cut, 100).error, Error::bad_control_message);
}

TEST(ChunkReader, InterleavedMessagesAndAChunkSizeChangeBetween) {
  const Bytes video = pattern(400, 1);
  const Bytes audio = pattern(150, 2);
  const std::span<const std::byte> v(video);
  const std::span<const std::byte> a(audio);
  const Bytes input = header(0, {.id = 6, .time = 40, .length = 400, .type = 9}) + v.first(128) +
                      header(0, {.id = 4, .time = 20, .length = 150, .type = 8}) + a.first(128) +
                      basic_header(3, 6) + v.subspan(128, 128) + set_chunk_size_chunk(64) +
                      basic_header(3, 4) + a.subspan(128) + basic_header(3, 6) + v.subspan(256, 64) +
                      basic_header(3, 6) + v.subspan(320, 64) + basic_header(3, 6) + v.subspan(384);
  for (const auto piece : kPieces) {
    const auto outcome = read_all(input, piece);
    ASSERT_EQ(outcome.messages.size(), 2U);
    EXPECT_EQ(body_of(outcome.messages[0]), audio);
    EXPECT_EQ(outcome.messages[0].timestamp, 20U);
    EXPECT_EQ(body_of(outcome.messages[1]), video);
    EXPECT_EQ(outcome.messages[1].timestamp, 40U);
  }
}

// Whoever waits for as many bytes must not wait beyond the end of a message.
TEST(ChunkReader, WhatIsMissingNeverReachesBeyondTheNextMessage) {
  const Bytes input = header(0, {.id = 6, .time = 40, .length = 400, .type = 9}) + pattern(128) +
                      header(0, {.id = 4, .time = 20, .length = 150, .type = 8}) + pattern(128) +
                      basic_header(3, 6) + pattern(128) + basic_header(3, 4) + pattern(22) +
                      basic_header(3, 6) + pattern(128) + basic_header(3, 6) + pattern(16) +
                      header(0, {.id = 4, .time = 0x1234567, .length = 5, .type = 8}) + pattern(5);
  ChunkReader reader;
  reader.set_limits(ChunkReader::authorised());
  std::vector<std::size_t> missing;
  std::vector<std::size_t> ends;
  for (std::size_t at = 0; at < input.size(); ++at) {
    auto in = std::span<const std::byte>(input).subspan(at, 1);
    const auto message = reader.read(in);
    ASSERT_TRUE(message.has_value());
    missing.push_back(reader.missing());
    if (*message) ends.push_back(at);
  }
  ASSERT_EQ(ends.size(), 3U);
  for (std::size_t at = 0; at < input.size(); ++at) {
    const auto end = std::ranges::lower_bound(ends, at + 1);
    if (end == ends.end()) continue;
    EXPECT_LE(missing[at], *end - at) << at;
    EXPECT_EQ(missing[at] == 0, at == ends[1] || at == ends[2]) << at;
  }
  EXPECT_EQ(missing[20], 391U);  // in the first body: all of it that is still to come
  EXPECT_EQ(missing.back(), 0U);
}

TEST(ChunkReader, AbortDropsTheMessageBegun) {
  const Bytes input = header(0, {.id = 6, .length = 200}) + pattern(128) +
                      header(0, {.id = 2, .length = 4, .type = 2, .stream_id = 0}) + number(6, 4) +
                      header(0, {.id = 6, .time = 5, .length = 10}) + pattern(10, 9);
  for (const auto piece : kPieces) {
    const auto outcome = read_all(input, piece);
    ASSERT_EQ(outcome.messages.size(), 1U);
    EXPECT_EQ(body_of(outcome.messages[0]), pattern(10, 9));
  }
}

TEST(ChunkReader, EmptyMessagesAreDelivered) {
  const Bytes input = header(0, {.length = 0, .type = 8}) + basic_header(3, 4) +
                      header(1, {.length = 2, .type = 8}) + pattern(2);
  for (const auto piece : kPieces) {
    const auto outcome = read_all(input, piece);
    ASSERT_EQ(outcome.messages.size(), 3U);
    EXPECT_TRUE(outcome.messages[0].body.empty());
    EXPECT_TRUE(outcome.messages[1].body.empty());
    EXPECT_EQ(outcome.messages[2].body.size(), 2U);
  }
}

std::vector<std::uint32_t> timestamps(const Bytes& input) {
  std::vector<std::uint32_t> times;
  for (const Message& message : read_all(input, 1).messages) times.push_back(message.timestamp);
  return times;
}

TEST(ChunkReader, DeltasAreInheritedByFormat3) {
  using Times = std::vector<std::uint32_t>;
  const Bytes one = pattern(1);
  // After format 0 its timestamp is the delta, as FMLE means it ...
  EXPECT_EQ(timestamps(header(0, {.time = 26, .length = 1}) + one + basic_header(3, 4) + one +
                       basic_header(3, 4) + one),
            (Times{26, 52, 78}));
  // ... unless it cannot be one.
  EXPECT_EQ(timestamps(header(0, {.time = 3'600'000, .length = 1}) + one + basic_header(3, 4) + one),
            (Times{3'600'000, 3'600'000}));
  EXPECT_EQ(timestamps(header(0, {.time = 10'000, .length = 1}) + one + basic_header(3, 4) + one),
            (Times{10'000, 20'000}));
  // After formats 1 and 2 it is their delta.
  EXPECT_EQ(
      timestamps(header(0, {.time = 100, .length = 1}) + one + header(1, {.time = 40, .length = 1}) + one +
                 basic_header(3, 4) + one + header(2, {.time = 33}) + one + basic_header(3, 4) + one),
      (Times{100, 140, 180, 213, 246}));
}

TEST(ChunkReader, TimestampsWrapAndStepBack) {
  using Times = std::vector<std::uint32_t>;
  const Bytes one = pattern(1);
  EXPECT_EQ(timestamps(header(0, {.time = 0xFFFFFFF0, .length = 1}) + one + header(2, {.time = 32}) + one +
                       header(2, {.time = 0xFFFFFFFF}) + one),  // a step of -1, as nginx-rtmp writes it
            (Times{0xFFFFFFF0, 16, 15}));
}

// Start times around each limit, messages longer than a chunk, the extended timestamp repeated or not.
TEST(ChunkReader, ExtendedTimestamps) {
  const Bytes body = pattern(500);
  for (const std::uint32_t start : {0xFFFFFEU, 0xFFFFFFU, 0x1000000U, 0x7fffffffU, 0xFFFFFFF0U}) {
    for (const bool repeats : {true, false}) {
      const bool extended = start >= 0xFFFFFF;
      const Bytes repeat = extended && repeats ? number(start, 4) : Bytes{};
      const Bytes input = chunked(header(0, {.time = start, .length = 500}), 4, body, 128, repeat) +
                          chunked(header(1, {.time = 33, .length = 500}), 4, body, 128) +
                          chunked(header(1, {.time = 0x1000000, .length = 500}), 4, body, 128,
                                  repeats ? number(0x1000000, 4) : Bytes{});
      for (const auto piece : kPieces) {
        const auto outcome = read_all(input, piece);
        ASSERT_EQ(outcome.messages.size(), 3U) << start << repeats << piece;
        for (const Message& message : outcome.messages) EXPECT_EQ(body_of(message), body);
        EXPECT_EQ(outcome.messages[0].timestamp, start);
        EXPECT_EQ(outcome.messages[1].timestamp, start + 33);
        EXPECT_EQ(outcome.messages[2].timestamp, start + 33 + 0x1000000);
      }
    }
  }
}

// Without the repeat, payload that begins like the timestamp must come out whole, even when the chunk, the
// message or the input ends within those bytes.
TEST(ChunkReader, PayloadThatLooksLikeAnExtendedTimestamp) {
  const std::uint32_t start = 0x01020399;
  for (const std::string_view tail :
       {"01", "01 02", "01 02 03", "01 02 03 05", "01 02 03 05 06", "01 01", "02"}) {
    const Bytes body = pattern(128) + hex(tail);
    const Bytes one =
        chunked(header(0, {.time = start, .length = static_cast<std::uint32_t>(body.size())}), 4, body, 128);
    const Bytes input = one + one + header(1, {.id = 4, .time = 1, .length = 1}) + pattern(1);
    for (const auto piece : kPieces) {
      const auto outcome = read_all(input, piece);
      ASSERT_EQ(outcome.messages.size(), 3U) << tail;
      EXPECT_EQ(body_of(outcome.messages[0]), body) << tail;
      EXPECT_EQ(body_of(outcome.messages[1]), body) << tail;
    }
  }
}

// Chunks of one byte and a timestamp whose bytes are those of the headers: the probe holds back again and
// again.
TEST(ChunkReader, HeldBackBytesAreReadInOrder) {
  const Bytes body = hex("c4 c4 c4 c5 c4 c4 01 c4");
  const std::uint32_t start = 0xC4C4C4C4;
  const Bytes input = set_chunk_size_chunk(1) +
                      chunked(header(0, {.time = start, .length = 8}), 4, body, 1, number(start, 4)) +
                      header(0, {.id = 5, .time = 1, .length = 1}) + pattern(1);
  const Bytes bare = set_chunk_size_chunk(1) +
                     chunked(header(0, {.time = 0xC4C5C4C4, .length = 3}), 4, hex("c4 c6 c4"), 1) +
                     header(0, {.id = 5, .time = 1, .length = 1}) + pattern(1);
  for (const auto piece : kPieces) {
    const auto outcome = read_all(input, piece);
    ASSERT_EQ(outcome.messages.size(), 2U);
    EXPECT_EQ(body_of(outcome.messages[0]), body);
    const auto other = read_all(bare, piece);
    ASSERT_EQ(other.messages.size(), 2U);
    EXPECT_EQ(body_of(other.messages[0]), hex("c4 c6 c4"));
  }
}

TEST(ChunkReader, FreshChunkStreamsBeginWithFormat0Or1) {
  const auto begun = read_all(header(1, {.id = 2, .time = 9, .length = 1, .type = 8}) + pattern(1), 1);
  ASSERT_EQ(begun.messages.size(), 1U);
  EXPECT_EQ(begun.messages[0].timestamp, 9U);
  EXPECT_EQ(begun.messages[0].stream_id, 0U);
  EXPECT_EQ(read_all(header(2, {.time = 9}), 1).error, Error::chunk_stream_not_begun);
  EXPECT_EQ(read_all(basic_header(3, 4), 1).error, Error::chunk_stream_not_begun);
}

TEST(ChunkReader, AHeaderInsideAMessageMustNotChangeIt) {
  const Bytes begun = header(0, {.length = 200}) + pattern(128);
  EXPECT_EQ(read_all(begun + header(0, {.length = 200}), 1).error, Error::message_interrupted);
  EXPECT_EQ(read_all(begun + header(1, {.length = 201}), 1).error, Error::message_interrupted);
  EXPECT_EQ(read_all(begun + header(1, {.length = 100}), 1).error, Error::message_interrupted);
  EXPECT_EQ(read_all(begun + header(1, {.length = 200, .type = 8}), 1).error, Error::message_interrupted);
  // With the same length it is a clumsy continuation.
  const auto clumsy = read_all(begun + header(1, {.time = 5, .length = 200}) + pattern(72), 1);
  ASSERT_EQ(clumsy.messages.size(), 1U);
  EXPECT_EQ(clumsy.messages[0].body.size(), 200U);
  EXPECT_EQ(clumsy.messages[0].timestamp, 0U);
}

TEST(ChunkReader, LimitsAreCheckedAtTheHeader) {
  ChunkReader stranger;
  EXPECT_EQ(read_all(stranger, header(0, {.length = kMaxMessageUnauthorised + 1}), 100).error,
            Error::message_too_long);
  ChunkReader fits;
  EXPECT_FALSE(read_all(fits, header(0, {.length = kMaxMessageUnauthorised}), 100).error);
  EXPECT_FALSE(read_all(header(0, {.length = 0xFFFFFF}), 100).error);
  EXPECT_EQ(read_all(header(0, {.length = kMaxCommand + 1, .type = 20}), 100).error, Error::message_too_long);
  EXPECT_EQ(read_all(header(0, {.id = 2, .length = kMaxControl + 1, .type = 4}), 100).error,
            Error::message_too_long);
}

TEST(ChunkReader, AllMessagesBegunTogetherAreBounded) {
  ChunkReader reader;
  Bytes input;
  for (std::uint32_t id = 3; id < 3 + kMaxPartialUnauthorised / kMaxMessageUnauthorised; ++id) {
    input = input + header(0, {.id = id, .length = kMaxMessageUnauthorised}) + pattern(128);
  }
  EXPECT_FALSE(read_all(reader, input, 1000).error);
  EXPECT_EQ(read_all(reader, header(0, {.id = 60, .length = 1}), 1000).error,
            Error::partial_messages_too_large);
}

TEST(ChunkReader, WholeAndAbortedMessagesNoLongerCount) {
  Bytes input;
  const std::size_t rounds = kMaxPartialUnauthorised / kMaxMessageUnauthorised + 2;
  const Bytes body = pattern(kMaxMessageUnauthorised);
  for (std::size_t i = 0; i < rounds; ++i) {
    input = input + chunked(header(0, {.length = kMaxMessageUnauthorised}), 4, body, 128) +
            header(0, {.id = 6, .length = kMaxMessageUnauthorised}) + pattern(128) +
            header(0, {.id = 2, .length = 4, .type = 2, .stream_id = 0}) + number(6, 4);
  }
  ChunkReader reader;
  const auto outcome = read_all(reader, input, 4096);
  EXPECT_FALSE(outcome.error) << outcome.error.message();
  EXPECT_EQ(outcome.messages.size(), rounds);
}

TEST(ChunkReader, AtMost64MessagesAtOnceButAnyNumberOfChunkStreams) {
  Bytes whole;
  for (std::uint32_t id = 100; id < 400; ++id)
    whole = whole + header(0, {.id = id, .length = 1}) + pattern(1);
  EXPECT_EQ(read_all(whole, 1000).messages.size(), 300U);

  Bytes begun;
  for (std::uint32_t id = 100; id < 164; ++id)
    begun = begun + header(0, {.id = id, .length = 200}) + pattern(128);
  EXPECT_FALSE(read_all(begun, 1000).error);
  EXPECT_EQ(read_all(begun + header(0, {.id = 500, .length = 1}), 1000).error, Error::too_many_chunk_streams);
}

TEST(ChunkReader, TheLeastRecentlyUsedChunkStreamIsForgotten) {
  Bytes input;
  for (std::uint32_t id = 100; id < 164; ++id)
    input = input + header(0, {.id = id, .length = 1}) + pattern(1);
  input = input + basic_header(3, 100) + pattern(1);                 // used again
  input = input + header(0, {.id = 500, .length = 1}) + pattern(1);  // takes the place of 101
  EXPECT_EQ(read_all(input + basic_header(3, 100) + pattern(1), 1000).messages.size(), 67U);
  EXPECT_EQ(read_all(input + basic_header(3, 101) + pattern(1), 1000).error, Error::chunk_stream_not_begun);
}

}  // namespace
}  // namespace simulcast::rtmp
