// Lets audio and data wait a little for the next video frame, to go out in the same write: what a relay pays
// for is visits to a socket, and that nearly halves them.
//
// One per shard, with one timer for all its streams, which runs only while something waits: a wake-up for
// nothing costs as much as a packet. Owned by the daemon's per-shard registry; lives on the shard, longer
// than the streams that use it.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <chrono>
#include <vector>

namespace simulcast::media {

class Stream;

class AudioWait {
 public:
  using Clock = std::chrono::steady_clock;

  // Zero: nothing waits. Throws boost::system::system_error when the kernel gives no timer.
  AudioWait(const boost::asio::any_io_executor& executor, std::chrono::milliseconds longest);

  std::chrono::milliseconds longest() const { return longest_; }

  // The stream has something that waits since then: it is told to flush when its wait is over.
  void begin(Stream& stream, Clock::time_point since);
  // It has flushed, or goes. Harmless when it is not waiting.
  void end(const Stream& stream);

 private:
  struct Waiting {
    Stream* stream;
    Clock::time_point until;
  };

  void watch_timer();
  void set_timer();
  void flush_overdue();

  const std::chrono::milliseconds longest_;
  // Not an Asio timer: one that was cancelled would wake the shard all the same.
  boost::asio::posix::stream_descriptor timer_;
  bool watching_ = false;
  std::vector<Waiting> waiting_;  // in the order of their ends
};

}  // namespace simulcast::media
