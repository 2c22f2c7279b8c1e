#include "media/timeline.hpp"

#include <algorithm>

namespace simulcast::media {

namespace {
// One frame at 50 fps: the step assumed for a track of which only one packet was seen.
constexpr Time kDefaultStep = std::chrono::milliseconds{20};
}  // namespace

void Timeline::begin_publisher() {
  offset_.reset();
  for (Track& track : tracks_) track.seen = false;
}

Timeline::Track* Timeline::find(const Packet& packet) {
  const auto found = std::ranges::find_if(
      tracks_, [&](const Track& track) { return track.kind == packet.kind && track.id == packet.track; });
  return found == tracks_.end() ? nullptr : &*found;
}

void Timeline::anchor(Time publisher_time, Clock::time_point arrival) {
  if (!end_) {
    offset_ = -publisher_time;
    return;
  }
  // Whole milliseconds, at least one: an RTMP output then keeps the spacing exact on its own clock.
  const auto away = std::max(std::chrono::floor<std::chrono::milliseconds>(arrival - last_arrival_),
                             std::chrono::milliseconds{1});
  offset_ = std::chrono::floor<std::chrono::milliseconds>(*end_) + away - publisher_time;
}

// A track may pause for as long as it likes while another goes on, and all of them while real time passes;
// only a step that neither explains is a clock that jumped.
bool Timeline::has_jumped(Time mapped, const Track& track, Clock::time_point arrival) const {
  const auto passed = std::chrono::duration_cast<Time>(arrival - last_arrival_);
  return mapped > *end_ + passed + kForwardJump || mapped < track.last - kBackwardJump;
}

void Timeline::map(Packet& packet, Clock::time_point arrival) {
  if (!offset_) anchor(packet.dts, arrival);

  Time mapped = packet.dts + *offset_;
  Track* track = find(packet);
  if (!track) {
    tracks_.push_back({packet.kind, packet.track, true, mapped, kDefaultStep});
  } else {
    const Time step = mapped - track->last;
    if (track->seen && packet.kind != MediaKind::data && has_jumped(mapped, *track, arrival)) {
      ++jumps_;
      mapped = track->last + track->step;
      offset_ = mapped - packet.dts;
    } else if (step < Time::zero()) {
      mapped = track->last;  // a small inversion: never backwards within a track
    } else if (track->seen && step > Time::zero()) {
      track->step = step;
    }
    track->seen = true;
    track->last = mapped;
  }

  packet.pts += mapped - packet.dts;
  packet.dts = mapped;
  end_ = end_ ? std::max(*end_, mapped) : mapped;
  last_arrival_ = arrival;
}

}  // namespace simulcast::media
