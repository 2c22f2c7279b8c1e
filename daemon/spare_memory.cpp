#include "daemon/spare_memory.hpp"

#include <malloc.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <fstream>

namespace simulcast::daemon {

namespace {

// 0 where it cannot be told.
std::size_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::size_t size = 0;
  std::size_t resident = 0;
  statm >> size >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

void SpareMemory::set_up() {
  ::mallopt(M_MMAP_THRESHOLD, kLarge);
}

void SpareMemory::give_back() {
  const auto now = std::chrono::steady_clock::now();
  if (now < next_) return;
  next_ = now + kPeriod;
  if (now < anyway_ && resident_bytes() < left_ + kWorthwhile) return;
  anyway_ = now + kAnyway;
  ::malloc_trim(0);
  left_ = resident_bytes();
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - now;
  spdlog::debug("spare memory was given back ms={:.1f} resident={}", took.count(), left_);
}

}  // namespace simulcast::daemon
