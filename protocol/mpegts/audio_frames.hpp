// Splits PES packets of self-framed audio (ADTS, MPEG audio) into frames, and gives each its time.
//
// A PES packet may hold several frames and end within one; its time is that of the first frame that begins in
// it. Frames in between are timed by their samples, exactly. A frame that is not followed by another where
// its length says, or by the end, is broken: it is left out and counted. Owned by a repackager; no thread of
// its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "media/packet.hpp"

namespace simulcast::mpegts {

struct AudioFrameHeader {
  std::size_t frame_size = 0;  // header and all, at least 1
  std::uint32_t samples = 0;
  std::uint32_t sample_rate = 1;
};
// Reads the header that `bytes` begin with; nothing when they begin no frame or are too few for a header.
using AudioHeaderParser = std::optional<AudioFrameHeader> (*)(std::span<const std::byte> bytes);

class AudioFrames {
 public:
  static constexpr std::size_t kMaxFrame = 8191;  // what the 13 bits of ADTS can say; MP3 frames are shorter

  struct Frame {
    std::span<const std::byte> bytes;  // with its header; valid until the next push()
    media::Time time{};
  };

  AudioFrames(AudioHeaderParser parser, std::size_t header_size)
      : parser_(parser), header_size_(header_size) {}

  // The frames that are complete with this PES packet; those of the last call are gone. Frames before the
  // first known time are left out.
  const std::vector<Frame>& push(std::span<const std::byte> pes, std::optional<media::Time> pts);

  // What is incomplete stays so, and is given up.
  void end_run();

  std::uint64_t broken() const { return broken_; }

 private:
  bool is_plausible(std::size_t at) const;
  void add(std::size_t at, const AudioFrameHeader& header);

  AudioHeaderParser parser_;
  std::size_t header_size_;

  std::vector<std::byte> bytes_;  // what was left of the PES packets before, then the new one
  std::size_t left_from_ = 0;     // where in it the frame begins that is still incomplete
  bool in_step_ = true;
  std::vector<Frame> frames_;

  // Time of the next frame: base_ and the samples since, at rate_.
  std::optional<media::Time> base_;
  std::uint64_t samples_ = 0;
  std::uint32_t rate_ = 1;
  std::uint64_t broken_ = 0;
};

}  // namespace simulcast::mpegts
