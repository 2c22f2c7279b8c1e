// Memory to read into: many payloads are cut from one allocation, one after the other.
//
// A slab goes when the last payload cut from it has gone, so it suits packets that are let go in the order
// they came. Owned by whoever makes the packets; lives on its shard.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "media/payload.hpp"
#include "media/slab_pool.hpp"

namespace simulcast::media {

class PayloadSlab {
 public:
  static constexpr std::size_t kSize = std::size_t{64} << 10;

  // Room for at least `size` bytes (at most kSize), to be written before take().
  std::span<std::byte> room(std::size_t size) {
    if (!bytes_ || kSize - used_ < size) {
      bytes_ = std::allocate_shared_for_overwrite<std::byte[]>(SlabAllocator<std::byte>(), kSize);
      used_ = 0;
    }
    return {bytes_.get() + used_, kSize - used_};
  }

  // The first `size` bytes of the room become a payload.
  Payload take(std::size_t size) {
    Payload payload(std::shared_ptr<const std::byte[]>(bytes_, bytes_.get() + used_), size);
    used_ += size;
    return payload;
  }

 private:
  std::shared_ptr<std::byte[]> bytes_;
  std::size_t used_ = 0;
};

}  // namespace simulcast::media
