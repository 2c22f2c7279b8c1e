// Filler for a stream whose publisher came by RTMP: FLV tag bodies, the last keyframe twice a second and
// silence without a gap, each track going on from where it stood.
//
// Owned by the stream's Continuity while it fills; lives on the stream's shard.
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "continuity/sound.hpp"
#include "media/lane.hpp"
#include "media/packet.hpp"
#include "media/timeline.hpp"

namespace simulcast::continuity {

class FlvFiller {
 public:
  FlvFiller(const media::Lane& lane, const media::Timeline& timeline);

  // Adds what is due by then, in the order of its times.
  void fill(media::Timeline::Clock::time_point now, std::vector<media::Packet>& out);

 private:
  struct Picture {
    media::Timeline::Position from;
    media::Payload versions[2];
    media::Time next;
    std::size_t turn = 0;
  };
  struct Sound {
    media::Timeline::Position from;
    media::Payload body;
    SoundClock clock;
  };

  void add_picture(const media::Lane& lane, const media::Timeline::Position& position);
  void add_sound(const media::Lane& lane, const media::Timeline::Position& position);

  std::vector<Picture> pictures_;
  std::vector<Sound> sounds_;
};

}  // namespace simulcast::continuity
