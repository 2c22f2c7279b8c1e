// What the fuzzers share: libFuzzer's entry point, an input taken apart, a check that holds in every build.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace simulcast::fuzz {

inline void check(bool holds) {
  if (!holds) std::abort();
}

// An input whose first byte holds switches for the target.
struct Input {
  std::uint8_t flags = 0;
  std::span<const std::byte> bytes;

  Input(const std::uint8_t* data, std::size_t size) : bytes(std::as_bytes(std::span(data, size))) {
    if (size == 0) return;
    flags = data[0];
    bytes = bytes.subspan(1);
  }

  // The next piece as a network would deliver it; its size comes from the low three bits of the flags.
  std::span<const std::byte> next() {
    static constexpr std::size_t kSizes[] = {1, 2, 3, 7, 64, 1460, 4096, SIZE_MAX};
    const auto piece = bytes.first(std::min(kSizes[flags & 7], bytes.size()));
    bytes = bytes.subspan(piece.size());
    return piece;
  }
};

}  // namespace simulcast::fuzz
