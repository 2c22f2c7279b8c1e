// Turns the AAC or MP3 of an MPEG-TS into FLV tag bodies, one frame each, and says when the stream turns out
// to be of a kind that FLV has no place for.
//
// Owned by TsToFlv.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "media/packet.hpp"
#include "media/payload.hpp"
#include "protocol/mpegts/adts.hpp"
#include "protocol/mpegts/audio_frames.hpp"
#include "protocol/mpegts/tables.hpp"

namespace simulcast::repackage {

class TsAudio {
 public:
  // AAC or MPEG audio, whose layer shows with the first frame.
  explicit TsAudio(mpegts::Codec codec);

  struct Output {
    media::Payload header;  // to be sent before the frame; empty when the one before still holds
    media::Payload frame;
    media::Time time{};
  };
  // The frames complete with this PES packet; valid until the next call.
  const std::vector<Output>& push(std::span<const std::byte> pes, std::optional<media::Time> pts);

  // Nothing goes on where the last PES packet ended.
  void end_run() { frames_.end_run(); }

  // What it is, when FLV cannot carry it: nothing comes of push() then. Empty otherwise.
  const char* refused() const { return refused_; }

  struct Format {
    std::uint32_t codec_id = 0;  // as onMetaData says it
    std::uint32_t sample_rate = 0;
    bool stereo = false;
    bool operator==(const Format&) const = default;
  };
  // Of the newest frame; nothing before the first.
  const std::optional<Format>& format() const { return format_; }
  std::uint64_t broken() const { return frames_.broken() + broken_; }

 private:
  void add_aac(const mpegts::AudioFrames::Frame& frame);
  void add_mpeg(const mpegts::AudioFrames::Frame& frame);

  mpegts::Codec codec_;
  mpegts::AudioFrames frames_;
  std::vector<Output> out_;
  std::optional<mpegts::AudioSpecificConfig> config_;  // last sent
  std::optional<Format> format_;
  const char* refused_ = "";
  std::uint64_t broken_ = 0;
};

}  // namespace simulcast::repackage
