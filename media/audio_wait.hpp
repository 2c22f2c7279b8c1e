// Lets audio and data wait a little for the next video frame, to go out in the same write: what a relay pays
// for is visits to a socket, and that nearly halves them.
//
// It waits in the stream, or unread in the kernel (ingest::ReadMark). One per shard, with one timer for all
// who wait, which runs only while somebody does: a wake-up for nothing costs as much as a packet. Owned by
// the daemon's per-shard registry; lives on the shard, longer than those who use it.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <chrono>
#include <vector>

namespace simulcast::media {

class AudioWaiter {
 public:
  virtual void audio_wait_over() = 0;

 protected:
  ~AudioWaiter() = default;
};

class AudioWait {
 public:
  using Clock = std::chrono::steady_clock;

  // Zero: nothing waits. Throws boost::system::system_error when the kernel gives no timer.
  AudioWait(const boost::asio::any_io_executor& executor, std::chrono::milliseconds longest);

  std::chrono::milliseconds longest() const { return longest_; }

  // Waits since then, and is told once when that has been the longest. Who waits already begins anew.
  void begin(AudioWaiter& waiter, Clock::time_point since);
  // Waits no more. Harmless when it does not.
  void end(const AudioWaiter& waiter);

 private:
  struct Waiting {
    AudioWaiter* waiter;
    Clock::time_point until;
  };

  void watch_timer();
  void set_timer();
  void tell_overdue();
  bool remove(const AudioWaiter& waiter);

  const std::chrono::milliseconds longest_;
  // Not an Asio timer: one that was cancelled would wake the shard all the same.
  boost::asio::posix::stream_descriptor timer_;
  bool watching_ = false;
  Clock::time_point set_to_{};    // zero: off
  std::vector<Waiting> waiting_;  // in the order of their ends
};

}  // namespace simulcast::media
