#include "net/loop_watch.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "net/activity.hpp"

namespace simulcast::net {
namespace {

using namespace std::chrono_literals;

// What was told, to be waited for; the limit only ends a hang.
class Told {
 public:
  void operator()(const LoopWatch::Held& held) {
    const std::lock_guard lock(mutex_);
    all_.push_back(held);
    more_.notify_all();
  }
  std::vector<LoopWatch::Held> wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    more_.wait_for(lock, 60s, [&] { return all_.size() >= count; });
    return all_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable more_;
  std::vector<LoopWatch::Held> all_;
};

struct LoopWatchTest : testing::Test {
  LoopWatchTest() : watch([this](const LoopWatch::Held& one) { told(one); }) {
    watch.add("free", free);
    watch.add("held", held);
    free_thread = std::thread([this] { free.run(); });
    held_thread = std::thread([this] { held.run(); });
    watch.start();
  }
  ~LoopWatchTest() override {
    watch.stop();
    free.stop();
    held.stop();
    free_thread.join();
    held_thread.join();
  }

  Told told;
  boost::asio::io_context free{1};
  boost::asio::io_context held{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> free_work{free.get_executor()};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> held_work{held.get_executor()};
  LoopWatch watch;
  std::thread free_thread;
  std::thread held_thread;
};

TEST_F(LoopWatchTest, NamesTheLoopThatIsHeldAndWhatItIsAt) {
  boost::asio::post(held, [] {
    const Activity activity("a nap");
    std::this_thread::sleep_for(1500ms);
  });
  const auto all = told.wait_for(1);
  const auto of_held = std::ranges::find(all, "held", &LoopWatch::Held::loop);
  ASSERT_NE(of_held, all.end());
  EXPECT_EQ(of_held->activity, "a nap");
  EXPECT_GT(of_held->held, LoopWatch::kPatience);
  EXPECT_LT(of_held->at_work, of_held->held / 2) << "it slept";
}

TEST(Activity, IsThatOfTheInnermostCall) {
  EXPECT_EQ(Activity::current().load(), nullptr);
  const Activity outer("outer");
  {
    const Activity inner("inner");
    EXPECT_STREQ(Activity::current().load(), "inner");
    std::thread([] { EXPECT_EQ(Activity::current().load(), nullptr); }).join();
  }
  EXPECT_STREQ(Activity::current().load(), "outer");
}

}  // namespace
}  // namespace simulcast::net
