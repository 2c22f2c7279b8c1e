#include "media/audio_wait.hpp"

#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <boost/system/system_error.hpp>
#include <cerrno>

#include "media/stream.hpp"

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

void AudioWait::begin(Stream& stream, Clock::time_point since) {
  waiting_.push_back({&stream, since + longest_});
  if (waiting_.size() > 1) return;  // the timer runs, for one that ends earlier
  set_timer();
  watch_timer();
}

void AudioWait::end(const Stream& stream) {
  if (std::erase_if(waiting_, [&](const Waiting& each) { return each.stream == &stream; }) == 0) return;
  if (waiting_.empty()) set_timer();
}

void AudioWait::watch_timer() {
  if (watching_) return;
  watching_ = true;
  timer_.async_wait(boost::asio::posix::stream_descriptor::wait_read, [this](boost::system::error_code ec) {
    watching_ = false;
    if (!ec) flush_overdue();
  });
}

// To the first end; off when nothing waits.
void AudioWait::set_timer() {
  itimerspec setting{};
  if (!waiting_.empty()) {
    // The steady clock is CLOCK_MONOTONIC. A zero would turn the timer off.
    const auto end = std::max(waiting_.front().until.time_since_epoch(), Clock::duration(1));
    const auto seconds = std::chrono::floor<std::chrono::seconds>(end);
    setting.it_value.tv_sec = seconds.count();
    setting.it_value.tv_nsec = std::chrono::nanoseconds(end - seconds).count();
  }
  timerfd_settime(timer_.native_handle(), TFD_TIMER_ABSTIME, &setting, nullptr);
}

void AudioWait::flush_overdue() {
  std::uint64_t expirations = 0;
  if (::read(timer_.native_handle(), &expirations, sizeof expirations) < 0)
    expirations = 0;  // set anew meanwhile
  const auto now = Clock::now();
  while (!waiting_.empty() && waiting_.front().until <= now) waiting_.front().stream->flush_now();
  if (waiting_.empty()) return;
  set_timer();
  watch_timer();
}

}  // namespace simulcast::media
