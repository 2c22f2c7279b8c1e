// The silent frames of all formats that were asked for, each encoded once.
//
// Owned by the Workshop, used in its thread only. All formats that libavcodec has encoders for fit in.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <utility>

#include "continuity/silence.hpp"

namespace simulcast::continuity {

class Silences {
 public:
  // AAC has 13 rates, 7 numbers of channels and 2 profiles; MPEG audio has 9 rates, 2 and 2.
  static constexpr std::size_t kMost = 256;

  // Null when none can be made.
  std::shared_ptr<const SilentFrame> of(const SoundFormat& format);

 private:
  std::deque<std::pair<SoundFormat, std::shared_ptr<const SilentFrame>>> known_;  // the oldest first
};

}  // namespace simulcast::continuity
