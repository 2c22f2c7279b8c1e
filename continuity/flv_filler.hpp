// Filler for a stream whose publisher came by RTMP: FLV tag bodies, the last keyframe twice a second and
// silence without a gap, each track going on from where it stood.
//
// Owned by the stream's Continuity while it fills; lives on the stream's shard.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "continuity/pace.hpp"
#include "continuity/slates.hpp"
#include "media/lane.hpp"
#include "media/packet.hpp"
#include "media/timeline.hpp"

namespace simulcast::continuity {

class FlvFiller {
 public:
  // `slate` is shown instead of the keyframe as soon as it is there.
  FlvFiller(const media::Lane& lane, const media::Timeline& timeline, const SlateChoice& slate);

  // Adds what is due by then, in the order of its times.
  void fill(media::Timeline::Clock::time_point now, std::vector<media::Packet>& out);

 private:
  struct Picture {
    media::Timeline::Position from;
    media::Payload versions[2];
    media::Time next;
    std::size_t turn = 0;

    // For the slate.
    std::optional<SlateFormat> format;
    std::vector<std::byte> config;  // body of the tag with the configuration record
    std::size_t config_prefix = 0;  // bytes of it before the record
    std::vector<std::byte> frame_prefix;
    bool slate_shown = false;
  };
  struct Sound {
    media::Timeline::Position from;
    media::Payload body;
    SoundClock clock;
  };

  void add_picture(const media::Lane& lane, const media::Timeline::Position& position);
  std::optional<media::Packet> take_slate(Picture& picture) const;
  void add_sound(const media::Lane& lane, const media::Timeline::Position& position);

  const SlateChoice& slate_;
  std::vector<Picture> pictures_;
  std::vector<Sound> sounds_;
};

}  // namespace simulcast::continuity
