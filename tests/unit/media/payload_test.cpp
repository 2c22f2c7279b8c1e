#include "media/payload.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "media/payload_slab.hpp"

namespace simulcast::media {
namespace {

std::vector<std::byte> pattern(std::size_t size) {
  std::vector<std::byte> bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i * 7 + i / 251);
  return bytes;
}

TEST(Payload, CopyOfOwnsItsBytes) {
  auto bytes = pattern(10);
  const Payload payload = Payload::copy_of(bytes);
  bytes[0] = std::byte{0xEE};
  EXPECT_EQ(payload.size(), 10U);
  EXPECT_EQ(payload.bytes()[0], std::byte{0});
}

TEST(PayloadBuilder, CollectsPiecesOfAnySize) {
  for (const std::size_t size : {1UL, 100UL, 65536UL, 65537UL, 1'000'000UL}) {
    const auto bytes = pattern(size);
    PayloadBuilder builder;
    builder.begin(size);
    for (std::size_t at = 0; at < size;) {
      const std::size_t piece = std::min<std::size_t>(size - at, 4093);
      builder.append(std::span(bytes).subspan(at, piece));
      at += piece;
    }
    EXPECT_EQ(builder.missing(), 0U);
    const Payload payload = builder.finish();
    EXPECT_TRUE(std::ranges::equal(payload.bytes(), bytes)) << size;
    EXPECT_EQ(builder.expected(), 0U);
  }
}

// Bytes as reads bring them: runs cut from one slab, one behind the other.
std::vector<Payload> reads_of(std::span<const std::byte> bytes, std::size_t size, PayloadSlab& slab) {
  std::vector<Payload> reads;
  while (!bytes.empty()) {
    const auto read = bytes.first(std::min(size, bytes.size()));
    std::ranges::copy(read, slab.room(read.size()).begin());
    reads.push_back(slab.take(read.size()));
    bytes = bytes.subspan(read.size());
  }
  return reads;
}

TEST(PayloadBuilder, ABodyThatWasReadInOnePlaceStaysThere) {
  const auto bytes = pattern(20'000);
  PayloadSlab slab;
  const auto reads = reads_of(bytes, 1448, slab);
  PayloadBuilder builder;
  builder.begin(bytes.size());
  for (const Payload& read : reads) builder.append(read);
  EXPECT_EQ(builder.missing(), 0U);
  const Payload payload = builder.finish();
  EXPECT_TRUE(std::ranges::equal(payload.bytes(), bytes));
  EXPECT_EQ(payload.data(), reads[0].data());
}

TEST(PayloadBuilder, ASmallBodyDoesNotKeepALargeReadAlive) {
  const auto bytes = pattern(PayloadBuilder::kLeastShared - 1);
  PayloadSlab slab;
  const auto reads = reads_of(bytes, bytes.size(), slab);
  PayloadBuilder builder;
  builder.begin(bytes.size());
  builder.append(reads[0]);
  const Payload payload = builder.finish();
  EXPECT_TRUE(std::ranges::equal(payload.bytes(), bytes));
  EXPECT_NE(payload.data(), reads[0].data());
}

TEST(PayloadBuilder, ABodyInSeveralPlacesIsPutTogether) {
  const auto bytes = pattern(100'000);  // more than a slab
  PayloadSlab slab;
  const auto reads = reads_of(bytes, 12'000, slab);
  PayloadBuilder builder;
  builder.begin(bytes.size());
  for (const Payload& read : reads) builder.append(read);
  EXPECT_TRUE(std::ranges::equal(builder.finish().bytes(), bytes));

  // A gap within one memory, as a chunk header leaves it.
  builder.begin(18'000);
  builder.append(reads[0].slice(0, 9'000));
  builder.append(reads[0].slice(9'100, 2'000));
  builder.append(reads[1].slice(0, 7'000));
  std::vector<std::byte> expected(bytes.begin(), bytes.begin() + 9'000);
  expected.insert(expected.end(), bytes.begin() + 9'100, bytes.begin() + 11'100);
  expected.insert(expected.end(), bytes.begin() + 12'000, bytes.begin() + 19'000);
  EXPECT_TRUE(std::ranges::equal(builder.finish().bytes(), expected));

  // Shared and unshared pieces.
  builder.begin(20'000);
  builder.append(reads[0]);
  builder.append(std::span(bytes).subspan(12'000, 8'000));
  EXPECT_TRUE(std::ranges::equal(builder.finish().bytes(), std::span(bytes).first(20'000)));
}

TEST(PayloadBuilder, ADroppedBodyLeavesNothingBehind) {
  const auto bytes = pattern(10'000);
  PayloadSlab slab;
  const auto reads = reads_of(bytes, 5'000, slab);
  PayloadBuilder builder;
  builder.begin(20'000);
  builder.append(reads[0]);
  builder.begin(5'000);
  builder.append(reads[1]);
  EXPECT_TRUE(std::ranges::equal(builder.finish().bytes(), std::span(bytes).subspan(5'000)));
}

TEST(PayloadBuilder, EmptyBody) {
  PayloadBuilder builder;
  builder.begin(0);
  EXPECT_EQ(builder.missing(), 0U);
  EXPECT_TRUE(builder.finish().empty());
}

}  // namespace
}  // namespace simulcast::media
