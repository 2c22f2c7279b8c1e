#include "media/audio_wait.hpp"

#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <boost/system/system_error.hpp>
#include <cerrno>
#include <cstdint>

namespace simulcast::media {

namespace {
int make_timer() {
  const int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  if (timer < 0) throw boost::system::system_error(errno, boost::system::system_category(), "timerfd_create");
  return timer;
}
}  // namespace

AudioWait::AudioWait(const boost::asio::any_io_executor& executor, std::chrono::milliseconds longest)
    : longest_(longest), timer_(executor, make_timer()) {}

bool AudioWait::remove(const AudioWaiter& waiter) {
  const auto found = std::ranges::find(waiting_, &waiter, &Waiting::waiter);
  if (found == waiting_.end()) return false;
  waiting_.erase(found);
  return true;
}

void AudioWait::begin(AudioWaiter& waiter, Clock::time_point since) {
  remove(waiter);
  waiting_.push_back({&waiter, since + longest_});
  set_timer();
  watch_timer();
}

void AudioWait::end(const AudioWaiter& waiter) {
  if (remove(waiter) && waiting_.empty()) set_timer();
}

void AudioWait::watch_timer() {
  if (watching_) return;
  watching_ = true;
  timer_.async_wait(boost::asio::posix::stream_descriptor::wait_read, [this](boost::system::error_code ec) {
    watching_ = false;
    if (!ec) tell_overdue();
  });
}

// To the first end, or a little earlier where it is set to that already; off when nobody waits.
void AudioWait::set_timer() {
  const auto first = waiting_.empty() ? Clock::time_point() : waiting_.front().until;
  if (first == set_to_) return;
  if (!waiting_.empty() && set_to_ != Clock::time_point() && set_to_ < first &&
      first - set_to_ < longest_ / 4) {
    return;
  }
  set_to_ = first;
  itimerspec setting{};
  if (!waiting_.empty()) {
    // The steady clock is CLOCK_MONOTONIC. A zero would turn the timer off.
    const auto end = std::max(first.time_since_epoch(), Clock::duration(1));
    const auto seconds = std::chrono::floor<std::chrono::seconds>(end);
    setting.it_value.tv_sec = seconds.count();
    setting.it_value.tv_nsec = std::chrono::nanoseconds(end - seconds).count();
  }
  timerfd_settime(timer_.native_handle(), TFD_TIMER_ABSTIME, &setting, nullptr);
}

void AudioWait::tell_overdue() {
  std::uint64_t expirations = 0;
  if (::read(timer_.native_handle(), &expirations, sizeof expirations) < 0)
    expirations = 0;  // set anew meanwhile
  const auto now = Clock::now();
  if (set_to_ <= now) set_to_ = {};
  while (!waiting_.empty() && waiting_.front().until <= now) {
    AudioWaiter& waiter = *waiting_.front().waiter;
    waiting_.erase(waiting_.begin());
    waiter.audio_wait_over();
  }
  if (waiting_.empty()) return;
  set_timer();
  watch_timer();
}

}  // namespace simulcast::media
