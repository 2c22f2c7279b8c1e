#include "media/slab_pool.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <vector>

#include "media/payload_slab.hpp"

namespace simulcast::media {
namespace {

TEST(SlabPool, BlocksOutliveTheThreadTheyWereTakenOn) {
  std::vector<Payload> kept;
  std::thread([&kept] {
    PayloadSlab slab;
    for (int i = 0; i < 100; ++i) {
      const auto room = slab.room(PayloadSlab::kSize);
      room[0] = static_cast<std::byte>(i);
      kept.push_back(slab.take(PayloadSlab::kSize));
    }
  }).join();
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(std::to_integer<int>(kept[static_cast<std::size_t>(i)].bytes()[0]), i);
  }
  kept.clear();  // more than a thread keeps
}

TEST(SlabPool, AThreadThatEndsGivesItsBlocksBack) {
  // Seen by LeakSanitizer.
  std::thread([] {
    std::vector<void*> blocks;
    for (std::size_t i = 0; i < 2 * SlabPool::kKept; ++i) blocks.push_back(SlabPool::take());
    for (void* block : blocks) SlabPool::give(block);
  }).join();
}

TEST(SlabPool, OnlySlabsAreTakenFromIt) {
  const auto small = std::allocate_shared<int>(SlabAllocator<int>(), 7);
  EXPECT_EQ(*small, 7);
  const auto large = std::allocate_shared_for_overwrite<std::byte[]>(SlabAllocator<std::byte>(), 1 << 20);
  large[(1 << 20) - 1] = std::byte{1};
}

}  // namespace
}  // namespace simulcast::media
