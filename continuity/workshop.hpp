// Makes what filler consists of, still pictures and silence, in a thread of its own: a stream must not wait
// for it.
//
// One for the daemon, owned by it; any thread may order. Orders are made one after the other, and one that
// nobody wants any longer is not made at all, so that a publisher who comes and goes costs others no time.
// The thread is started with the daemon.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>

#include "continuity/background.hpp"
#include "continuity/silences.hpp"

namespace simulcast::continuity {

// What is to be made, and what it was made of. Owned by whoever wants it.
class Order {
 public:
  virtual ~Order() = default;
  // Once true, the workshop does not touch it any more.
  bool ready() const { return ready_.load(std::memory_order_acquire); }

 protected:
  // In the workshop's thread. Of what throws nothing is made, and the log says so.
  virtual void make(Silences& silences) = 0;

 private:
  friend class Workshop;
  std::atomic<bool> ready_{false};
};

class Workshop {
 public:
  // Each is a few bytes here: the order itself is its owner's.
  static constexpr std::size_t kMostWaiting = 1024;

  // False when too many wait: ask again.
  bool begin(const std::shared_ptr<Order>& order);
  // Until everything that was ordered is made. For tests.
  void wait();

 private:
  void make(const std::weak_ptr<Order>& ordered);

  Silences silences_;  // the thread's
  std::atomic<std::size_t> waiting_{0};
  Background thread_;
};

}  // namespace simulcast::continuity
