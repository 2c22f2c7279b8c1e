#include "protocol/mpegts/fiber.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <memory>

namespace simulcast::mpegts {
namespace {

constexpr std::size_t kStack = 256 * 1024;

TEST(Fiber, RunsInTurnsWithItsOwner) {
  int turns = 0;
  Fiber* self = nullptr;
  Fiber fiber(kStack, [&] {
    ++turns;
    self->suspend();
    ++turns;
  });
  self = &fiber;
  EXPECT_EQ(turns, 0);
  fiber.resume();
  EXPECT_EQ(turns, 1);
  EXPECT_FALSE(fiber.ended());
  fiber.resume();
  EXPECT_EQ(turns, 2);
  EXPECT_TRUE(fiber.ended());
  fiber.resume();
  EXPECT_EQ(turns, 2);
}

// As a library does that AddressSanitizer does not know from inside: only its memset is watched.
[[gnu::no_sanitize_address, gnu::noinline]] std::byte fill_most_of_it() {
  std::array<std::byte, 3 * kStack> all;
  void* (*volatile set)(void*, int, std::size_t) = std::memset;
  set(all.data(), 1, all.size());
  return all.back();
}

// A stack may lie where others lay, whose first frames never returned: AddressSanitizer must have forgotten
// those.
TEST(Fiber, AStackWhereOthersLayIsClean) {
  std::array<std::unique_ptr<Fiber>, 64> small;
  for (auto& fiber : small) fiber = std::make_unique<Fiber>(kStack, [] {});
  for (auto& fiber : small) fiber->resume();
  for (auto& fiber : small) fiber.reset();

  std::byte last{};
  Fiber large(4 * kStack, [&] { last = fill_most_of_it(); });
  large.resume();
  EXPECT_TRUE(large.ended());
  EXPECT_EQ(last, std::byte{1});
}

}  // namespace
}  // namespace simulcast::mpegts
