// Maps the clocks of successive publishers to the one clock of a stream.
//
// The stream's clock starts near 0 with the first packet and never goes backwards within a track, also when a
// publisher is replaced or returns: the next publisher continues after the time that has really passed.
// Spacing and audio/video offset inside one publisher's run are kept as sent, exactly. A clock that jumps is
// re-based to one frame step.
//
// Owned by media::Stream; lives on the stream's shard.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "media/packet.hpp"

namespace simulcast::media {

class Timeline {
 public:
  using Clock = std::chrono::steady_clock;

  // A step beyond these (on top of the real time that passed) is a clock that jumped, not media: encoders
  // reorder by less.
  static constexpr Time kForwardJump = std::chrono::seconds{10};
  static constexpr Time kBackwardJump = std::chrono::seconds{1};

  // The packets of a new publisher follow.
  void begin_publisher();

  // Rewrites dts and pts to the stream's clock. `arrival` is when the packet came in.
  void map(Packet& packet, Clock::time_point arrival);

  std::uint64_t jumps() const { return jumps_; }

 private:
  struct Track {
    MediaKind kind;
    std::uint8_t id;
    bool seen = false;  // in this publisher's run
    Time last{};        // stream time of its last packet, in any run
    Time step{};        // its last plausible step
  };

  Track* find(const Packet& packet);
  bool has_jumped(Time mapped, const Track& track, Clock::time_point arrival) const;
  void anchor(Time publisher_time, Clock::time_point arrival);

  std::vector<Track> tracks_;   // a handful: searched in order
  std::optional<Time> offset_;  // stream time = publisher time + offset; empty until the run's first packet
  std::optional<Time> end_;     // the greatest stream time so far
  Clock::time_point last_arrival_{};
  std::uint64_t jumps_ = 0;
};

}  // namespace simulcast::media
