// Gives memory back to the system that the allocator keeps for itself.
//
// What a stampede of connections or an encoder's burst has taken is free again afterwards, but lies between
// what is still in use, in an arena of each thread: without this a daemon stays as large as it ever was.
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

  // To be called once in a while.
  void give_back();

 private:
  std::chrono::steady_clock::time_point next_{};
  std::chrono::steady_clock::time_point anyway_{};
  std::size_t left_ = 0;  // bytes resident after the last time
};

}  // namespace simulcast::daemon
