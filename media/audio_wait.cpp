#include "media/audio_wait.hpp"

#include <algorithm>

#include "media/stream.hpp"

namespace simulcast::media {

AudioWait::AudioWait(const boost::asio::any_io_executor& executor, std::chrono::milliseconds longest)
    : longest_(longest), timer_(executor) {}

void AudioWait::watch(Stream& stream) {
  if (std::ranges::find(watched_, &stream) != watched_.end()) return;
  watched_.push_back(&stream);
  // Earlier ones have earlier ends, and the timer is set to the first of them.
  if (!armed_) arm(*stream.waiting_since() + longest_);
}

void AudioWait::forget(const Stream& stream) {
  std::erase(watched_, &stream);
}

void AudioWait::arm(Clock::time_point when) {
  armed_ = true;
  timer_.expires_at(when);
  timer_.async_wait([this](boost::system::error_code ec) {
    if (!ec) flush_overdue();
  });
}

void AudioWait::flush_overdue() {
  armed_ = false;
  const auto now = Clock::now();
  auto next = Clock::time_point::max();
  std::erase_if(watched_, [&](Stream* stream) {
    const auto since = stream->waiting_since();
    if (!since) return true;  // a video frame has come along
    if (*since + longest_ <= now) {
      stream->flush_now();
      return true;
    }
    next = std::min(next, *since + longest_);
    return false;
  });
  if (!watched_.empty()) arm(next);
}

}  // namespace simulcast::media
