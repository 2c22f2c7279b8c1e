#include "continuity/workshop.hpp"

#include <spdlog/spdlog.h>

#include <exception>

namespace simulcast::continuity {

bool Workshop::begin(const std::shared_ptr<Order>& order) {
  if (waiting_.fetch_add(1) >= kMostWaiting) {
    --waiting_;
    return false;
  }
  thread_.post([this, ordered = std::weak_ptr<Order>(order)] {
    make(ordered);
    --waiting_;
    waiting_.notify_all();
  });
  return true;
}

void Workshop::wait() {
  for (std::size_t left = waiting_; left > 0; left = waiting_) waiting_.wait(left);
}

void Workshop::make(const std::weak_ptr<Order>& ordered) {
  const auto order = ordered.lock();
  if (!order) return;
  try {
    order->make(silences_);
  } catch (const std::exception& error) {
    spdlog::warn("the filler of a stream cannot be made cause=\"{}\"", error.what());
  }
  order->ready_.store(true, std::memory_order_release);
}

}  // namespace simulcast::continuity
