#include "net/loop_watch.hpp"

#include <pthread.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <optional>
#include <utility>

#include "net/activity.hpp"
#include "net/start_thread.hpp"

namespace simulcast::net {

namespace {

std::chrono::nanoseconds processor_time(clockid_t clock) {
  timespec time{};
  if (::clock_gettime(clock, &time) != 0) return {};
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace

std::atomic<const char*>& Activity::current() {
  thread_local std::atomic<const char*> what{nullptr};
  return what;
}

struct LoopWatch::Loop {
  Loop(std::string given, boost::asio::io_context& on) : name(std::move(given)), context(on) {}

  const std::string name;
  boost::asio::io_context& context;

  // Written on the loop's thread, read on the watch's once `known`.
  std::atomic<bool> known{false};
  const std::atomic<const char*>* activity = nullptr;
  clockid_t clock{};

  std::atomic<bool> answered{true};
  std::atomic<Clock::rep> answered_at{0};

  // The watch's own
  Clock::time_point asked_at{};
  std::chrono::nanoseconds work_when_asked{};
  const char* seen = nullptr;  // at what it was when it was found held
  std::optional<Held> found;   // it is held right now
  std::optional<Held> worst;   // over, and not told yet
  Clock::time_point told_at{};
};

LoopWatch::~LoopWatch() {
  stop();
}

void LoopWatch::add(std::string name, boost::asio::io_context& loop) {
  loops_.push_back(std::make_shared<Loop>(std::move(name), loop));
}

void LoopWatch::start() {
  for (const auto& loop : loops_) {
    boost::asio::post(loop->context, [loop] {
      loop->activity = &Activity::current();
      pthread_getcpuclockid(pthread_self(), &loop->clock);
      loop->known = true;
    });
  }
  thread_ = start_thread([this] { run(); });
  pthread_setname_np(thread_.native_handle(), "loop-watch");
}

void LoopWatch::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void LoopWatch::run() {
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, kPeriod, [this] { return stopping_; })) {
    const auto now = Clock::now();
    for (const auto& loop : loops_) look(*loop, now);
    for (const auto& loop : loops_) {
      if (!loop->known || !loop->answered) continue;
      loop->answered = false;
      loop->asked_at = now;
      loop->work_when_asked = processor_time(loop->clock);
      boost::asio::post(loop->context, [loop] {
        loop->answered_at = Clock::now().time_since_epoch().count();
        loop->answered = true;
      });
    }
  }
}

void LoopWatch::look(Loop& loop, Clock::time_point now) {
  if (!loop.known || loop.asked_at == Clock::time_point{}) return;
  const bool answered = loop.answered;
  const auto until = answered ? Clock::time_point(Clock::duration(loop.answered_at)) : now;
  const auto held = std::chrono::duration_cast<std::chrono::milliseconds>(until - loop.asked_at);
  if (held > kPatience) {
    // When it is over, it is at something else.
    if (!answered) loop.seen = loop.activity->load(std::memory_order_relaxed);
    const auto work = processor_time(loop.clock) - loop.work_when_asked;
    loop.found = Held{
        .loop = loop.name,
        .activity = loop.seen != nullptr ? loop.seen : "unknown",
        .held = held,
        .at_work = std::min(held, std::chrono::duration_cast<std::chrono::milliseconds>(work)),
    };
  }
  if (answered) loop.seen = nullptr;
  if (answered && loop.found) {
    const std::uint64_t times = (loop.worst ? loop.worst->times : 0) + 1;
    if (!loop.worst || loop.found->held > loop.worst->held) loop.worst = loop.found;
    loop.worst->times = times;
    loop.found.reset();
  }
  const bool quiet = loop.told_at != Clock::time_point{} && now - loop.told_at < kQuiet;
  if (quiet) return;
  if (loop.worst) {
    loop.told_at = now;
    tell_(*std::exchange(loop.worst, std::nullopt));
  } else if (loop.found && held > kLong) {  // it may never be over
    loop.told_at = now;
    tell_(*loop.found);
  }
}

}  // namespace simulcast::net
