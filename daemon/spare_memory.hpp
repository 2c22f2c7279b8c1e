// Keeps the daemon as small as what it holds: a daemon that runs for months would else stay as large as it
// ever was.
//
// Large blocks come from the system and go back to it at once. What a stampede of connections has taken in
// small ones is free again afterwards, but lies between what is still in use, in an arena of each thread: it
// is given back once in a while.
#pragma once

#include <chrono>
#include <cstddef>

namespace simulcast::daemon {

// Owned by Application, used on the control thread.
class SpareMemory {
 public:
  // How often it is looked at, and how much larger than after the last time the daemon has to be to make it
  // worth while at once: a thread that allocates waits while its arena is gone through, some 0.1 ms a
  // megabyte. What is less goes once in a while.
  static constexpr std::chrono::seconds kPeriod{10};
  static constexpr std::size_t kWorthwhile = 256 * 1024;
  static constexpr std::chrono::seconds kAnyway{60};

  // From this size on; the allocator's own idea grows with what it sees, up to 32 MiB.
  static constexpr int kLarge = 64 * 1024;

  // Before there are threads.
  static void set_up();
  // To be called once in a while.
  void give_back();

 private:
  std::chrono::steady_clock::time_point next_{};
  std::chrono::steady_clock::time_point anyway_{};
  std::size_t left_ = 0;  // bytes resident after the last time
};

}  // namespace simulcast::daemon
