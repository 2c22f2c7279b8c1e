#include "media/payload.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

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

TEST(PayloadBuilder, EmptyBody) {
  PayloadBuilder builder;
  builder.begin(0);
  EXPECT_EQ(builder.missing(), 0U);
  EXPECT_TRUE(builder.finish().empty());
}

}  // namespace
}  // namespace simulcast::media
