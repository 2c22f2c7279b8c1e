// Turns the H.264 or H.265 access units of an MPEG-TS into FLV tag bodies: start codes become lengths, and
// the parameter sets become a sequence header whenever a keyframe comes with others.
//
// Transparent: only access unit delimiters are left out, parameter sets and supplemental messages stay in the
// frames. Nothing is given out before the first keyframe whose parameter sets are known. Owned by TsToFlv.
// ISO/IEC 14496-15.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "media/payload.hpp"
#include "protocol/nal/nal_units.hpp"
#include "repackage/picture.hpp"

namespace simulcast::repackage {

class TsVideo {
 public:
  explicit TsVideo(nal::Codec codec) : codec_(codec) {}

  struct Output {
    media::Payload header;  // to be sent before the frame; empty when the one before still holds
    media::Payload frame;   // empty when there is nothing to send
    bool keyframe = false;
  };
  // One access unit; the times in milliseconds, pts - dts.
  Output push(std::span<const std::byte> access_unit, std::int64_t composition_milliseconds);

  nal::Codec codec() const { return codec_; }
  bool started() const { return started_; }
  // Of the newest header; nothing when it could not be told.
  const std::optional<Picture>& picture() const { return picture_; }
  // Frames of too many units, and keyframes whose parameter sets make no header.
  std::uint64_t broken() const { return broken_; }

 private:
  enum SetKind : std::uint8_t { vps, sps, pps, kind_count };
  using Sets = std::vector<std::vector<std::byte>>;

  std::optional<SetKind> set_kind_of(nal::Unit unit) const;
  bool is_keyframe() const;
  void collect_sets(bool keyframe);
  void collect(SetKind kind, bool keyframe);
  media::Payload make_header();

  nal::Codec codec_;
  std::vector<nal::Unit> units_;       // of the access unit in hand
  std::vector<nal::Unit> found_;       // scratch: its sets of one kind
  std::array<Sets, kind_count> sets_;  // that hold now
  bool sets_changed_ = false;          // since the last header
  bool started_ = false;
  std::optional<Picture> picture_;
  std::uint64_t broken_ = 0;
};

}  // namespace simulcast::repackage
