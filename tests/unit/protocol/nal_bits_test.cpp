#include "protocol/nal/bits.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <utility>
#include <vector>

namespace simulcast::nal {
namespace {

using Bytes = std::vector<std::byte>;

Bytes bytes_of(std::initializer_list<int> values) {
  Bytes bytes;
  for (const int value : values) bytes.push_back(static_cast<std::byte>(value));
  return bytes;
}

TEST(Bits, AreReadAsTheyWereWritten) {
  std::mt19937 random(7);
  std::vector<std::pair<std::uint32_t, unsigned>> fields;
  BitWriter out;
  for (int i = 0; i < 2000; ++i) {
    const unsigned count = random() % 33;
    const auto value = static_cast<std::uint32_t>(random() & ((std::uint64_t{1} << count) - 1));
    fields.emplace_back(value, count);
    out.bits(value, count);
  }
  BitReader in(out.out());
  for (const auto& [value, count] : fields) EXPECT_EQ(in.bits(count), value) << count;
  EXPECT_FALSE(in.failed());
  EXPECT_LT(in.size() - in.position(), 8U);
}

TEST(Bits, ExponentialGolombCodes) {
  const std::vector<std::uint32_t> unsigned_values{0, 1, 2, 3, 254, 255, 256, 65535, 0x7FFFFFFF, 0xFFFFFFFE};
  const std::vector<std::int32_t> signed_values{0,  1,   -1,   2,
                                                -2, 127, -128, std::numeric_limits<std::int32_t>::max()};
  BitWriter out;
  for (const auto value : unsigned_values) out.ue(value);
  for (const auto value : signed_values) out.se(value);
  BitReader in(out.out());
  for (const auto value : unsigned_values) EXPECT_EQ(in.ue(), value);
  for (const auto value : signed_values) EXPECT_EQ(in.se(), value);
  EXPECT_FALSE(in.failed());
  // 9.1: 1, 010, 011, 00100
  const Bytes first = bytes_of({0b10100110, 0b01000000});
  BitReader known(first);
  for (const std::uint32_t value : {0U, 1U, 2U, 3U}) EXPECT_EQ(known.ue(), value);
}

TEST(Bits, TheEndIsAFailure) {
  const Bytes bytes = bytes_of({0xFF, 0x00});
  BitReader in(bytes);
  EXPECT_EQ(in.bits(12), 0xFF0U);
  EXPECT_FALSE(in.failed());
  EXPECT_EQ(in.bits(8), 0U);
  EXPECT_TRUE(in.failed());
  const Bytes zero = bytes_of({0});
  BitReader zeros(zero);
  zeros.ue();
  EXPECT_TRUE(zeros.failed());
  const Bytes long_code = bytes_of({0, 0, 0, 0, 0x80, 0, 0, 0, 0});
  BitReader too_long(long_code);
  too_long.ue();
  EXPECT_TRUE(too_long.failed());
}

TEST(Bits, EmulationPreventionComesAndGoes) {
  const Bytes raw = bytes_of({0, 0, 0, 0, 0, 1, 0, 0, 2, 0, 0, 3, 0, 0, 4, 0, 0});
  Bytes escaped;
  append_with_emulation_prevention(raw, escaped);
  EXPECT_EQ(escaped, bytes_of({0, 0, 3, 0, 0, 3, 0, 1, 0, 0, 3, 2, 0, 0, 3, 3, 0, 0, 4, 0, 0, 3}));
  EXPECT_EQ(without_emulation_prevention(escaped), raw);
}

}  // namespace
}  // namespace simulcast::nal
