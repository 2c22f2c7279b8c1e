#include "ingest/read_mark.hpp"

namespace simulcast::ingest {

std::size_t ReadMark::mark_below(std::size_t frame) const {
  return frame / 2 >= segment_ ? std::min(frame / 2, kHighest) : 1;
}

bool ReadMark::video_frame(std::size_t size, std::uint32_t timestamp) {
  // At once, for the next one may be smaller still.
  if (size < 2 * between_messages_) between_messages_ = mark_below(size);
  smallest_ = std::min(smallest_, size);
  if (frames_++ == 0) began_ = timestamp;
  if (frames_ <= kWindow) return false;
  const std::chrono::milliseconds lasted(static_cast<std::uint32_t>(timestamp - began_));
  // Unless the next video frame comes in time, waiting for it only costs a timer more.
  const bool frequent = lasted * 5 <= longest_wait_ * kWindow * 4;
  between_messages_ = frequent ? mark_below(std::min(smallest_, smallest_before_)) : 1;
  smallest_before_ = smallest_;
  smallest_ = kNone;
  frames_ = 0;
  return true;
}

}  // namespace simulcast::ingest
