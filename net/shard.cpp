#include "net/shard.hpp"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <string>

#include "net/start_thread.hpp"

namespace simulcast::net {

namespace {

using Clock = std::chrono::steady_clock;

// A shard that runs so many handlers in so little time is busy: 2000 a second, some 30 inputs.
constexpr std::size_t kBusyHandlers = 40;
constexpr std::chrono::milliseconds kBusyTime{20};
constexpr std::chrono::milliseconds kRest{2};

}  // namespace

Shard::Shard(unsigned index) : index_(index) {}

Shard::~Shard() {
  stop();
  join();
}

void Shard::start() {
  thread_ = start_thread([this] { run(); });
  pthread_setname_np(thread_.native_handle(), ("shard-" + std::to_string(index_)).c_str());
}

void Shard::run() {
  auto counted_from = Clock::now();
  std::size_t handlers = 0;
  bool busy = false;
  while (!context_.stopped()) {
    // One handler, or what has come during a rest. Asking for more behind each handler would cost a look at
    // all sockets for every packet.
    const std::size_t ran = busy ? context_.poll() : 0;
    handlers += ran > 0 ? ran : context_.run_one();
    if (handlers >= kBusyHandlers) {
      const auto now = Clock::now();
      busy = now - counted_from < kBusyTime;
      counted_from = now;
      handlers = 0;
    }
    if (busy) std::this_thread::sleep_for(kRest);
  }
}

void Shard::join() {
  if (thread_.joinable()) thread_.join();
}

ShardPool::ShardPool(unsigned count) {
  if (count == 0) count = std::max(1U, std::thread::hardware_concurrency());
  for (unsigned index = 0; index < count; ++index) shards_.push_back(std::make_unique<Shard>(index));
}

void ShardPool::start() {
  for (auto& shard : shards_) shard->start();
}

void ShardPool::clear() {
  // All threads first: what one shard destroys, none may still be working on.
  for (auto& shard : shards_) shard->stop();
  for (auto& shard : shards_) shard->join();
  shards_.clear();
}

Shard& ShardPool::next_round_robin() {
  return *shards_[next_.fetch_add(1, std::memory_order_relaxed) % shards_.size()];
}

}  // namespace simulcast::net
