// Notices an event loop that is held by one of its handlers, and says which.
//
// A thread of its own asks each loop in turn for a sign of life, ten times a second. One that gives none for
// longer than kPatience is looked at while it is held: what it is at (Activity), and how much of the time it
// was at work. Each loop is told of once a minute at most, with the longest time of that minute. Owned by the
// Application; the loops must outlive it.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <condition_variable>
#include <ctime>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace simulcast::net {

class LoopWatch {
 public:
  using Clock = std::chrono::steady_clock;

  static constexpr std::chrono::milliseconds kPeriod{100};
  static constexpr std::chrono::milliseconds kPatience{100};
  static constexpr std::chrono::minutes kQuiet{1};
  // One that is held for longer is told of before it is over.
  static constexpr std::chrono::seconds kLong{1};

  struct Held {
    std::string loop;
    std::string activity;  // "unknown" when it had no name
    std::chrono::milliseconds held{};
    std::chrono::milliseconds
        at_work{};            // of them, in processor time: the rest it waited, or had no processor
    std::uint64_t times = 1;  // since it was told last
  };
  using Tell = std::function<void(const Held&)>;  // on the watch's thread

  explicit LoopWatch(Tell tell) : tell_(std::move(tell)) {}
  ~LoopWatch();
  LoopWatch(const LoopWatch&) = delete;
  LoopWatch& operator=(const LoopWatch&) = delete;

  // Before start().
  void add(std::string name, boost::asio::io_context& loop);
  void start();
  // Nothing of the loops is touched any more.
  void stop();

 private:
  struct Loop;

  void run();
  void look(Loop& loop, Clock::time_point now);

  const Tell tell_;
  std::vector<std::shared_ptr<Loop>> loops_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace simulcast::net
