// What a thread with an event loop is at, in a word that another thread may read while the loop does not
// answer.
//
// Set for the length of a call, never across a co_await: two stores that nobody waits for. Any thread; on one
// that nobody watches it is for nothing.
#pragma once

#include <atomic>

namespace simulcast::net {

class Activity {
 public:
  // `what` must live for ever: a literal.
  explicit Activity(const char* what) : before_(current().load(std::memory_order_relaxed)) {
    current().store(what, std::memory_order_relaxed);
  }
  ~Activity() { current().store(before_, std::memory_order_relaxed); }
  Activity(const Activity&) = delete;
  Activity& operator=(const Activity&) = delete;

  // Of the calling thread. Null: nothing that has a name.
  static std::atomic<const char*>& current();

 private:
  const char* const before_;
};

}  // namespace simulcast::net
