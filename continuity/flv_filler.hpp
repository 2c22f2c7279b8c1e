// Filler for a stream whose publisher came by RTMP: FLV tag bodies, the last keyframe twice a second and
// silence without a gap, each track going on from where it stood.
//
// Nothing is sent until the Workshop has made what it consists of; the silence of that time comes then. Owned
// by the stream's Continuity while it fills; lives on the stream's shard.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "continuity/flv_parts.hpp"
#include "continuity/pace.hpp"
#include "continuity/slates.hpp"
#include "continuity/workshop.hpp"
#include "media/lane.hpp"
#include "media/packet.hpp"
#include "media/timeline.hpp"

namespace simulcast::continuity {

class FlvFiller {
 public:
  // `slate` is shown instead of the keyframe as soon as it is there.
  FlvFiller(const media::Lane& lane, const media::Timeline& timeline, const SlateChoice& slate,
            Workshop& workshop);

  // Adds what is due by then, in the order of its times.
  void fill(media::Timeline::Clock::time_point now, std::vector<media::Packet>& out);

 private:
  struct Picture {
    FlvParts::Picture made;
    media::Time next;
    std::size_t turn = 0;
    bool slate_shown = false;
  };
  struct Sound {
    media::Timeline::Position from;
    media::Payload body;
    SoundClock clock;
  };

  void take_parts();
  std::optional<media::Packet> take_slate(Picture& picture) const;
  void fill(Picture& picture, media::Timeline::Clock::time_point now, std::vector<media::Packet>& out) const;

  const SlateChoice& slate_;
  Workshop& workshop_;
  std::shared_ptr<FlvParts> parts_;  // until they are made
  bool ordered_ = false;
  std::vector<Picture> pictures_;
  std::vector<Sound> sounds_;
};

}  // namespace simulcast::continuity
