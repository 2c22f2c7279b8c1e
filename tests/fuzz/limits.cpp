// libFuzzer's entry point for every target: no input may take more than a second of processor time or 64 MB
// of memory. One that does is a finding, as a crash is. The worst of a run is told at its end.
//
// Processor time, not the clock on the wall: a busy machine is nobody's fault. Memory is what one input has
// taken and not given back at any moment; it is only counted under AddressSanitizer.
#include <time.h>

#include <atomic>
#include <chrono>
#include <cstdio>

#include "tests/fuzz/fuzz.hpp"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SIMULCASTD_COUNT_MEMORY
#include <sanitizer/allocator_interface.h>
#endif
#endif

namespace simulcast::fuzz {

namespace {

constexpr std::chrono::seconds kMaxTime{1};

std::atomic<bool> measuring{false};
std::atomic<std::int64_t> held{0};
std::atomic<std::int64_t> held_before{0};
std::atomic<std::int64_t> most_held{0};
std::chrono::nanoseconds slowest{0};

std::chrono::nanoseconds processor_time() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

[[noreturn]] void too_much(const char* what) {
  measuring = false;  // what tells the story allocates
  std::fprintf(stderr, "ERROR: this input takes %s\n", what);
  std::abort();
}

#ifdef SIMULCASTD_COUNT_MEMORY
constexpr std::int64_t kMaxMemory = std::int64_t{64} << 20;

void on_malloc(const volatile void* memory, std::size_t size) {
  if (memory == nullptr) return;
  const auto now = held.fetch_add(static_cast<std::int64_t>(size)) + static_cast<std::int64_t>(size);
  if (!measuring) return;
  const std::int64_t of_input = now - held_before;
  if (of_input > most_held) most_held = of_input;
  if (of_input > kMaxMemory) too_much("more than 64 MB of memory");
}

void on_free(const volatile void* memory) {
  if (memory == nullptr) return;
  held -= static_cast<std::int64_t>(__sanitizer_get_allocated_size(const_cast<const void*>(memory)));
}
#endif

void tell() {
  std::fprintf(stderr, "stat::slowest_input_ms:         %.1f\nstat::most_memory_kb:           %lld\n",
               std::chrono::duration<double, std::milli>(slowest).count(),
               static_cast<long long>(most_held / 1024));
}

}  // namespace

}  // namespace simulcast::fuzz

using namespace simulcast::fuzz;

extern "C" int LLVMFuzzerInitialize(int*, char***);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int LLVMFuzzerInitialize(int*, char***) {
#ifdef SIMULCASTD_COUNT_MEMORY
  __sanitizer_install_malloc_and_free_hooks(on_malloc, on_free);
#endif
  std::atexit(tell);
  return 0;
}

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  held_before = held.load();
  measuring = true;
  const auto began = processor_time();
  run(data, size);
  const auto took = processor_time() - began;
  measuring = false;
  slowest = std::max(slowest, took);
  if (took > kMaxTime) too_much("more than a second");
  return 0;
}
