// What the filler of a stream of FLV is made of: its first tracks, the keyframe, and silence like its sound.
//
// Taken out of the lane on the stream's shard, in time that does not grow with what a publisher sends:
// payloads are held and not read. Made in the Workshop; then the filler's. Owned by a FlvFiller.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "continuity/pace.hpp"
#include "continuity/slate.hpp"
#include "continuity/still_picture.hpp"
#include "continuity/workshop.hpp"
#include "media/lane.hpp"
#include "media/timeline.hpp"

namespace simulcast::continuity {

// The body of a tag that begins with `body` and holds these units.
media::Payload flv_video_body(std::vector<std::byte> body, const StillPicture::Units& units,
                              unsigned length_size);

class FlvParts final : public Order {
 public:
  // Packets of the GOP that are looked at for the first of each track.
  static constexpr std::size_t kMostLookedAt = 16'384;

  FlvParts(const media::Lane& lane, const media::Timeline& timeline);

  struct Picture {
    media::Timeline::Position from;
    media::Payload versions[2];  // empty: the keyframe cannot be shown

    // For the slate.
    std::optional<SlateFormat> format;
    std::vector<std::byte> config;  // body of the tag with the configuration record
    std::size_t config_prefix = 0;  // bytes of it before the record
    std::vector<std::byte> frame_prefix;
  };
  struct Sound {
    media::Timeline::Position from;
    media::Payload body;
    std::shared_ptr<const SilentFrame> frame;
  };
  // Once it is ready().
  std::vector<Picture> take_pictures() { return std::move(pictures_); }
  std::vector<Sound> take_sounds() { return std::move(sounds_); }

 private:
  struct Track {
    media::Timeline::Position from;
    media::Payload header;  // empty: none
    media::Payload frame;   // the keyframe, or the first of the sound
  };

  void choose_tracks(const media::Timeline& timeline);
  void make(Silences& silences) override;
  static std::optional<Picture> picture_of(const Track& track);
  static std::optional<Sound> sound_of(const Track& track, Silences& silences);

  std::vector<Track> tracks_;
  std::vector<Picture> pictures_;
  std::vector<Sound> sounds_;
};

}  // namespace simulcast::continuity
