// How much must have come from a publisher before it is worth waking up for it (SO_RCVLOWAT).
//
// A wake-up costs more than the packets it brings, and audio comes nearly as often as video while it is not
// in a hurry (media::AudioWait). So between two messages the mark lies beyond what audio alone brings and
// below any video frame seen lately; within a message it is what the message still lacks. The kernel then
// wakes the relay once for a frame, when the frame is there, and the audio in front of it comes along. A
// frame that is suddenly smaller than the mark waits as audio does.
//
// Sans-I/O. Owned by a publisher's session.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace simulcast::ingest {

class ReadMark {
 public:
  // However large a message is, so much of it is fetched.
  static constexpr std::size_t kHighest = 16 * 1024;
  // The frames that a judgement is based on; the last whole window and the one at hand count.
  static constexpr int kWindow = 64;

  // `longest_wait`: of audio. Zero: nothing waits for a video frame.
  explicit ReadMark(std::chrono::milliseconds longest_wait) : longest_wait_(longest_wait) {}

  // A video frame of so many bytes; `timestamp` in milliseconds, modulo 2^32. True when a window is full:
  // time to see to set_segment() again.
  bool video_frame(std::size_t size, std::uint32_t timestamp);

  // The largest TCP segment that the peer sends. A peer with Nagle's algorithm holds a small segment back
  // until what it sent before is acknowledged, and the kernel acknowledges unread data at once only when more
  // than a segment of it has come: frames must be larger than that, or they would wait for the audio in front
  // of them to be read.
  void set_segment(std::size_t bytes) { segment_ = bytes; }

  // For the next read. `missing`: bytes of a begun message that are still to come, 0 between messages.
  std::size_t next(std::size_t missing) const {
    return missing > 0 ? std::min(missing, kHighest) : between_messages_;
  }

 private:
  static constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

  std::size_t mark_below(std::size_t frame) const;

  const std::chrono::milliseconds longest_wait_;
  std::size_t segment_ = kNone;
  std::size_t between_messages_ = 1;  // everything wakes
  int frames_ = 0;                    // in the window at hand
  std::uint32_t began_ = 0;
  std::size_t smallest_ = kNone;
  std::size_t smallest_before_ = kNone;  // of the window before
};

}  // namespace simulcast::ingest
