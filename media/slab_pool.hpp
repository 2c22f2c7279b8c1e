// Recycles the memory of payload slabs, so that a stream that runs takes none from the heap: between small
// blocks that live longer, large ones that come and go all the time would tear it to pieces.
//
// Each thread keeps a few blocks for itself, without a lock; a block may be given back on another thread than
// it was taken on, and is that one's then.
#pragma once

#include <cstddef>
#include <new>

namespace simulcast::media {

class SlabPool {
 public:
  // A slab and what a shared pointer needs beside it.
  static constexpr std::size_t kBlock = (std::size_t{64} << 10) + 64;
  static constexpr std::size_t kKept = 16;  // blocks a thread

  // Of kBlock bytes.
  static void* take();
  static void give(void* block) noexcept;
};

// For std::allocate_shared of a slab.
template <class T>
struct SlabAllocator {
  using value_type = T;

  SlabAllocator() = default;
  template <class U>
  SlabAllocator(const SlabAllocator<U>&) {}  // NOLINT(google-explicit-constructor): what allocators need

  T* allocate(std::size_t count) {
    return static_cast<T*>(pooled(count) ? SlabPool::take() : ::operator new(count * sizeof(T)));
  }
  void deallocate(T* block, std::size_t count) noexcept {
    pooled(count) ? SlabPool::give(block) : ::operator delete(block);
  }
  bool operator==(const SlabAllocator&) const = default;

 private:
  static bool pooled(std::size_t count) {
    const std::size_t bytes = count * sizeof(T);
    return bytes <= SlabPool::kBlock && bytes > SlabPool::kBlock / 2;
  }
};

}  // namespace simulcast::media
