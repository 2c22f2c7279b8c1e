// A few threads that run what is posted to them, for work that blocks.
//
// As boost::asio::thread_pool, except that it can fail: when the system has fewer threads to give than asked
// for, that one waits for ever for those that it has. Owned by whoever posts; its members may be called on
// any thread.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <thread>
#include <vector>

namespace simulcast::net {

class ThreadTeam {
 public:
  // Throws TooFewThreads.
  explicit ThreadTeam(std::size_t size);
  ~ThreadTeam();  // waits for what has begun; what has not is dropped
  ThreadTeam(const ThreadTeam&) = delete;
  ThreadTeam& operator=(const ThreadTeam&) = delete;

  boost::asio::io_context::executor_type executor() { return context_.get_executor(); }

 private:
  void end();

  boost::asio::io_context context_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{context_.get_executor()};
  std::vector<std::thread> threads_;
};

}  // namespace simulcast::net
