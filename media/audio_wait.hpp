// Lets audio and data wait a little for the next video frame, to go out in the same write: what a relay pays
// for is visits to a socket, and that nearly halves them.
//
// One per shard, with one timer for all its streams: it runs while anything waits, not once a packet. Owned
// by the daemon's per-shard registry; lives on the shard, longer than the streams that use it.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <vector>

namespace simulcast::media {

class Stream;

class AudioWait {
 public:
  using Clock = std::chrono::steady_clock;

  // Zero: nothing waits.
  AudioWait(const boost::asio::any_io_executor& executor, std::chrono::milliseconds longest);

  std::chrono::milliseconds longest() const { return longest_; }

  // The stream has something that waits: it is told to flush when its wait is over, if it has not by then.
  // Harmless to call again.
  void watch(Stream& stream);
  // The stream goes.
  void forget(const Stream& stream);

 private:
  void arm(Clock::time_point when);
  void flush_overdue();

  const std::chrono::milliseconds longest_;
  boost::asio::steady_timer timer_;
  bool armed_ = false;
  std::vector<Stream*> watched_;
};

}  // namespace simulcast::media
