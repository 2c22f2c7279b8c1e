// Rewrites the access units of one H.264 or H.265 track from FLV's framing (lengths, parameter sets apart)
// into that of MPEG-TS (start codes, parameter sets before every keyframe, a delimiter first).
//
// ISO/IEC 14496-15 to ITU-T H.264/H.265, annex B; ISO/IEC 13818-1, 2.14. The NAL units themselves stay as
// they are. Owned by one repackager; any one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "protocol/nal/nal_units.hpp"

namespace simulcast::repackage {

class ToAnnexB {
 public:
  static constexpr std::size_t kMaxAccessUnit = std::size_t{16} << 20;
  // Far more than any encoder makes, few enough that a hostile one costs little.
  static constexpr std::size_t kMaxUnits = 16'384;
  static constexpr std::size_t kMaxSets = 512;

  explicit ToAnnexB(nal::Codec codec) : codec_(codec) {}
  ToAnnexB(ToAnnexB&&) = default;  // not copied: the sets point into their record
  ToAnnexB& operator=(ToAnnexB&&) = default;

  nal::Codec codec() const { return codec_; }

  // An avcC or hvcC, which takes effect at the next keyframe. False when it makes no sense; it is ignored
  // then.
  bool set_config(std::span<const std::byte> record);

  // Empty when the access unit is too long or has too many NAL units, its lengths make no sense or nothing is
  // in it. The bytes are good until the next call.
  std::span<const std::byte> rewrite(std::span<const std::byte> access_unit, bool keyframe);

 private:
  struct Config {
    std::vector<std::byte> record;
    std::size_t length_size = 4;
    std::vector<std::span<const std::byte>> sets;  // lie in `record`
  };

  bool has_few_units(std::span<const std::byte> access_unit) const;
  bool brings_sets() const;
  void append(std::span<const std::byte> unit);

  nal::Codec codec_;
  Config config_;
  Config next_;
  bool has_next_ = false;
  std::vector<nal::Unit> units_;
  std::vector<std::byte> annex_b_;
};

}  // namespace simulcast::repackage
