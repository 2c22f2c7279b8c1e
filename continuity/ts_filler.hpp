// Filler for a stream whose publisher came by SRT: MPEG-TS packets on the PIDs that the stream has, with its
// tables, its clock reference, the last keyframe twice a second, and silence for AAC and MPEG audio.
//
// Tables and clock go out at once, the rest when the Workshop has made it; the silence of that time comes
// then. Owned by the stream's Continuity while it fills; lives on the stream's shard.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "continuity/pace.hpp"
#include "continuity/slates.hpp"
#include "continuity/ts_parts.hpp"
#include "continuity/ts_splice.hpp"
#include "continuity/workshop.hpp"
#include "media/lane.hpp"
#include "media/packet.hpp"

namespace simulcast::continuity {

class TsFiller {
 public:
  using Clock = media::Timeline::Clock;

  // `splice` has seen all that is in the lane, and counts what is made.
  // `slate` is shown instead of the keyframe as soon as it is there.
  TsFiller(const media::Lane& lane, TsSplice& splice, const SlateChoice& slate, Workshop& workshop);

  // Adds the datagrams that are due by then.
  void fill(Clock::time_point now, std::vector<media::Packet>& out);

 private:
  struct Picture {
    TsSplice::Track from;
    TsParts::Picture made;
    media::Time next;
    std::size_t turn = 0;
    bool slate_shown = false;
  };
  struct Sound {
    TsSplice::Track from;
    std::vector<std::byte> frame;  // as the PES packet carries it
    SoundClock clock;
  };

  void take_parts();
  void take_slate();
  void add_clock(Clock::time_point now, std::vector<std::byte>& packets) const;
  void hand_out(std::vector<std::byte>& packets, bool keyframe, Clock::time_point now,
                std::vector<media::Packet>& out);

  TsSplice& splice_;
  const SlateChoice& slate_;
  Workshop& workshop_;
  const std::optional<TsSplice::Reference> reference_;  // as it was when filling began
  const std::vector<TsSplice::Track> tracks_;           // the same
  std::shared_ptr<TsParts> parts_;                      // until they are made
  bool ordered_ = false;
  std::vector<std::byte> tables_;
  std::optional<Picture> picture_;
  std::vector<Sound> sounds_;
  Clock::time_point tables_at_{};
};

}  // namespace simulcast::continuity
