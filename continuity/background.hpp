// A thread for what can wait: where the processor is short, packets go first.
//
// Owned by whoever gives it work, as its last member: it is joined when it goes, after all the work. Any
// thread may post. Started with its owner, at the daemon's start: in the middle of a show there may be no
// thread to be had.
#pragma once

#include <boost/asio/thread_pool.hpp>
#include <functional>
#include <optional>

namespace simulcast::continuity {

class Background {
 public:
  static constexpr int kNice = 10;  // setpriority(2)

  Background();  // throws std::runtime_error, in words
  ~Background();
  // What throws ends the daemon.
  void post(std::function<void()> work);

 private:
  std::optional<boost::asio::thread_pool> thread_;
};

}  // namespace simulcast::continuity
