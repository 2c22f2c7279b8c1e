// Maps the clocks of successive publishers to the one clock of a stream.
//
// The stream's clock starts near 0 with the first packet and never goes backwards within a track, also when a
// publisher is replaced or returns: the next publisher continues after the time that has really passed, video
// and audio moved alike. Spacing and audio/video offset inside one publisher's run are kept as sent, exactly.
// A clock that jumps is re-based to one frame step.
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

  // The packets of a new publisher follow: its clock is joined to the stream's by the first of them.
  void begin_publisher();
  // The same, by this one of them.
  void begin_publisher(const Packet& first, Clock::time_point arrival);

  // Rewrites dts and pts to the stream's clock. `arrival` is when the packet came in. False for a frame at
  // the beginning of a run that is from before where its track already stands: it is not to be passed on.
  // Headers do not move the clock.
  bool map(Packet& packet, Clock::time_point arrival);
  // A packet that was made for the stream, in its time, while no publisher feeds it.
  void note(const Packet& packet, Clock::time_point now);

  // Where a track stands.
  struct Position {
    MediaKind kind;
    std::uint8_t track;
    Time dts;  // of its last packet
    Time pts;  // the greatest
    Clock::time_point arrival;

    // The time it would be at if it had gone on.
    Time at(Clock::time_point now) const {
      return dts + std::chrono::floor<std::chrono::milliseconds>(now - arrival);
    }
  };
  std::vector<Position> positions() const;

  std::uint64_t jumps() const { return jumps_; }

 private:
  struct Track {
    Position position;
    Time step{};        // its last plausible step
    bool seen = false;  // in this publisher's run
  };

  Track* find(MediaKind kind, std::uint8_t track);
  Track& find_or_add(const Packet& packet, Clock::time_point arrival);
  bool has_jumped(Time mapped, const Track& track, Clock::time_point arrival) const;
  void anchor(const Packet& packet, Clock::time_point arrival);
  void advance(Track& track, const Packet& packet, Clock::time_point arrival);

  std::vector<Track> tracks_;   // a handful: searched in order
  std::optional<Time> offset_;  // stream time = publisher time + offset; empty until the run's first packet
  std::optional<Time> end_;     // the greatest stream time so far
  Clock::time_point last_arrival_{};
  std::uint64_t jumps_ = 0;
};

}  // namespace simulcast::media
