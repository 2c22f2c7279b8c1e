// What the fuzzers share: the function each of them is, an input taken apart, a check that holds in every
// build.
#pragma once

#include <algorithm>
#include <boost/system/error_code.hpp>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>

namespace simulcast::fuzz {

// Each target defines it: has its parser read one input. Called by limits.cpp, which holds every input to the
// same time and memory.
void run(const std::uint8_t* data, std::size_t size);

// Says where it failed, which a stack of optimised code does not.
inline void check(bool holds, const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  if (holds) return;
  std::fprintf(stderr, "ERROR: %s:%d: this must hold\n", file, line);
  std::abort();
}

// What is refused is refused with a sentence for the log.
inline void check_told(const boost::system::error_code& error) {
  check(error.failed() && !error.message().empty());
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
