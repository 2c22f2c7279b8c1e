// A shard: one thread with its own io_context. What lives on a shard is only called on its thread; others
// post.
//
// With few streams every packet is handled the moment it comes. With many, a wake-up for each costs more than
// the packet itself, so a busy shard rests for two milliseconds between two looks and takes what has come
// together.
//
// ShardPool owns all shards of the process, one per core by default. Created and destroyed by
// daemon::Application.
#pragma once

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <thread>
#include <vector>

namespace simulcast::net {

class Shard {
 public:
  explicit Shard(unsigned index);
  ~Shard();
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  unsigned index() const { return index_; }
  boost::asio::io_context& context() { return context_; }
  boost::asio::io_context::executor_type executor() { return context_.get_executor(); }

  void start();
  void stop() { context_.stop(); }
  void join();

 private:
  void run();

  const unsigned index_;
  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{context_.get_executor()};
  std::thread thread_;
};

class ShardPool {
 public:
  // 0: one per core.
  explicit ShardPool(unsigned count);

  std::size_t size() const { return shards_.size(); }
  Shard& operator[](std::size_t index) { return *shards_[index]; }
  auto begin() { return shards_.begin(); }
  auto end() { return shards_.end(); }

  void start();
  // Stops all shards, waits for their threads, and destroys them with everything that still lives on them.
  void clear();
  // Any thread.
  Shard& next_round_robin();

 private:
  std::vector<std::unique_ptr<Shard>> shards_;
  std::atomic<std::size_t> next_{0};
};

}  // namespace simulcast::net
