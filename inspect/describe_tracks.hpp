// What a live stream is made of, as far as its headers tell: codecs with profile and level, the size of the
// picture, the format of the sound.
//
// Nothing is decoded beyond headers. Pure functions; they take some hundred microseconds, so they are for
// when the headers have changed. On the stream's shard.
#pragma once

#include <optional>
#include <string>

#include "media/lane.hpp"
#include "media/packet.hpp"
#include "media/status.hpp"

namespace simulcast::inspect {

struct Tracks {
  // Without what is measured: frames a second, rates.
  std::optional<media::VideoTrack> video;
  std::optional<media::AudioTrack> audio;
  std::string encoder;  // what the publisher calls itself in its metadata; empty: nothing

  bool operator==(const Tracks&) const = default;
};

// Of the first video and the first audio track in the lane of the publisher, which is of this form.
Tracks describe_tracks(const media::Lane& lane, media::PacketForm form);

}  // namespace simulcast::inspect
