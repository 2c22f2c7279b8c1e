#include "media/timeline.hpp"

#include <algorithm>

namespace simulcast::media {

using std::chrono::milliseconds;

namespace {
// One frame at 50 fps: the step assumed for a track of which only one packet was seen.
constexpr Time kDefaultStep = milliseconds{20};
}  // namespace

void Timeline::begin_publisher() {
  offset_.reset();
  for (Track& track : tracks_) track.seen = false;
}

void Timeline::begin_publisher(const Packet& first, Clock::time_point arrival) {
  begin_publisher();
  anchor(first, arrival);
}

Timeline::Track* Timeline::find(MediaKind kind, std::uint8_t track) {
  const auto found = std::ranges::find_if(
      tracks_, [&](const Track& one) { return one.position.kind == kind && one.position.track == track; });
  return found == tracks_.end() ? nullptr : &*found;
}

Timeline::Track& Timeline::find_or_add(const Packet& packet, Clock::time_point arrival) {
  if (Track* known = find(packet.kind, packet.track)) return *known;
  tracks_.push_back({{packet.kind, packet.track, packet.dts, packet.pts, arrival}, kDefaultStep});
  return tracks_.back();
}

// Whole milliseconds: an RTMP output then keeps the spacing exact on its own clock.
void Timeline::anchor(const Packet& packet, Clock::time_point arrival) {
  if (!end_) {
    offset_ = -packet.dts;
    return;
  }
  const Track* track = find(packet.kind, packet.track);
  if (packet.kind == MediaKind::data) {
    // Its own time is that of the last description, and may be long ago.
    if (const Track* video = find(MediaKind::video, 0)) track = video;
  }
  const Time last = track != nullptr ? track->position.dts : *end_;
  const auto away = arrival - (track != nullptr ? track->position.arrival : last_arrival_);
  offset_ = std::chrono::floor<milliseconds>(last) +
            std::max(std::chrono::floor<milliseconds>(away), milliseconds{1}) - packet.dts;
}

// A track may pause for as long as it likes while another goes on, and all of them while real time passes;
// only a step that neither explains is a clock that jumped.
bool Timeline::has_jumped(Time mapped, const Track& track, Clock::time_point arrival) const {
  const auto passed = std::chrono::duration_cast<Time>(arrival - last_arrival_);
  return mapped > *end_ + passed + kForwardJump || mapped < track.position.dts - kBackwardJump;
}

void Timeline::advance(Track& track, const Packet& packet, Clock::time_point arrival) {
  track.seen = true;
  track.position.dts = packet.dts;
  track.position.pts = std::max(track.position.pts, packet.pts);
  track.position.arrival = arrival;
  end_ = end_ ? std::max(*end_, packet.dts) : packet.dts;
  last_arrival_ = arrival;
}

bool Timeline::map(Packet& packet, Clock::time_point arrival) {
  if (!offset_) anchor(packet, arrival);

  Time mapped = packet.dts + *offset_;
  Track* track = find(packet.kind, packet.track);
  if (track != nullptr) {
    const Time last = track->position.dts;
    const Time step = mapped - last;
    const bool is_frame = packet.role == PacketRole::frame;
    if (track->seen && packet.kind != MediaKind::data && has_jumped(mapped, *track, arrival)) {
      ++jumps_;
      mapped = last + track->step;
      offset_ = mapped - packet.dts;
    } else if (!track->seen && is_frame && step <= Time::zero() && packet.kind == MediaKind::audio) {
      return false;  // moving it alone would change its offset to the video
    } else if (step < Time::zero()) {
      mapped = last;  // a small inversion: never backwards within a track
    } else if (track->seen && is_frame && step > Time::zero()) {
      track->step = step;
    }
  }
  packet.pts += mapped - packet.dts;
  packet.dts = mapped;
  if (packet.role == PacketRole::frame) {
    advance(track != nullptr ? *track : find_or_add(packet, arrival), packet, arrival);
  }
  return true;
}

void Timeline::note(const Packet& packet, Clock::time_point now) {
  advance(find_or_add(packet, now), packet, now);
}

std::vector<Timeline::Position> Timeline::positions() const {
  std::vector<Position> positions;
  for (const Track& track : tracks_) positions.push_back(track.position);
  return positions;
}

}  // namespace simulcast::media
