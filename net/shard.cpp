#include "net/shard.hpp"

#include <pthread.h>

#include <algorithm>
#include <string>

namespace simulcast::net {

Shard::Shard(unsigned index) : index_(index) {}

Shard::~Shard() {
  stop();
  join();
}

void Shard::start() {
  thread_ = std::thread([this] { context_.run(); });
  pthread_setname_np(thread_.native_handle(), ("shard-" + std::to_string(index_)).c_str());
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
