#include "media/slab_pool.hpp"

#include <array>

namespace simulcast::media {

namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kRecycles = false;  // a block that is used again hides what uses it too long
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr bool kRecycles = false;
#else
constexpr bool kRecycles = true;
#endif
#else
constexpr bool kRecycles = true;
#endif

struct Kept {
  std::array<void*, SlabPool::kKept> blocks;
  std::size_t count;
};
// Trivial, so that it may be asked as long as the thread lives; what empties it at the end is another object.
thread_local constinit Kept kept{};
thread_local constinit bool closed = false;

struct Emptier {
  ~Emptier() {
    closed = true;
    while (kept.count > 0) ::operator delete(kept.blocks[--kept.count]);
  }
  void touch() {}
};
thread_local Emptier emptier;

}  // namespace

void* SlabPool::take() {
  if (kept.count > 0) return kept.blocks[--kept.count];
  return ::operator new(kBlock);
}

void SlabPool::give(void* block) noexcept {
  if (!kRecycles || closed || kept.count == kKept) return ::operator delete(block);
  emptier.touch();  // makes it, so that it is there at the end of the thread
  kept.blocks[kept.count++] = block;
}

}  // namespace simulcast::media
