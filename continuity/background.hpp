// A thread for what can wait: where the processor is short, packets go first.
//
// Owned by whoever gives it work, as its last member: it is joined when it goes, after all the work. Any
// thread may post. Started with the first work.
#pragma once

#include <boost/asio/thread_pool.hpp>
#include <functional>
#include <mutex>
#include <optional>

namespace simulcast::continuity {

class Background {
 public:
  static constexpr int kNice = 10;  // setpriority(2)

  ~Background();
  // What throws ends the daemon.
  void post(std::function<void()> work);

 private:
  std::mutex mutex_;
  std::optional<boost::asio::thread_pool> thread_;
};

}  // namespace simulcast::continuity
