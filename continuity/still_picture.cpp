#include "continuity/still_picture.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <utility>

#include "protocol/nal/h264_slice.hpp"

namespace simulcast::continuity {

namespace {

// Encoders count from zero or toggle between zero and one: these meet no picture before or after.
constexpr std::array<std::uint32_t, 2> kIdrPicIds{40'001, 40'002};

std::vector<std::byte> copy_of(nal::Unit unit) {
  return {unit.begin(), unit.end()};
}

class H264Sets {
 public:
  void add(nal::Unit unit) {
    if (const auto sps = nal::parse_h264_sps(unit)) sps_[sps->id] = *sps;
    if (const auto pps = nal::parse_h264_pps(unit)) pps_[pps->id] = *pps;
  }
  std::optional<std::pair<nal::H264Sps, nal::H264Pps>> of_slice(nal::Unit slice) const {
    const auto id = nal::h264_slice_pps(slice);
    const auto pps = id ? pps_.find(*id) : pps_.end();
    if (pps == pps_.end()) return std::nullopt;
    const auto sps = sps_.find(pps->second.sps_id);
    if (sps == sps_.end()) return std::nullopt;
    return std::pair(sps->second, pps->second);
  }

 private:
  std::map<std::uint32_t, nal::H264Sps> sps_;
  std::map<std::uint32_t, nal::H264Pps> pps_;
};

bool h264_left_out(unsigned type) {
  constexpr unsigned kSei = 6;
  constexpr unsigned kEndOfSequence = 10;
  constexpr unsigned kFillerData = 12;
  return type == kSei || (type >= kEndOfSequence && type <= kFillerData);
}

// The sets of the stream first, as the access unit may bring newer ones.
std::optional<StillPicture::Units> h264_version(std::span<const nal::Unit> units, const H264Sets& sets,
                                                std::uint32_t idr_pic_id) {
  StillPicture::Units made;
  bool idr = false;
  for (const nal::Unit unit : units) {
    const unsigned type = std::to_integer<unsigned>(unit[0]) & 0x1F;
    if (h264_left_out(type)) continue;
    const nal::Kind kind = nal::kind_of(nal::Codec::h264, unit);
    if (kind != nal::Kind::slice && kind != nal::Kind::random_access) {
      made.push_back(copy_of(unit));
      continue;
    }
    const auto its_sets = sets.of_slice(unit);
    auto slice =
        its_sets ? nal::as_idr_slice(unit, its_sets->first, its_sets->second, idr_pic_id) : std::nullopt;
    if (slice) {
      idr = true;
      made.push_back(std::move(*slice));
    } else if (kind == nal::Kind::slice && idr) {
      made.push_back(copy_of(unit));  // the second field, which refers to the first
    } else {
      return std::nullopt;
    }
  }
  if (!idr) return std::nullopt;
  return made;
}

std::optional<StillPicture::Units> h265_version(std::span<const nal::Unit> units) {
  constexpr unsigned kBlaNoLeading = 18;
  constexpr unsigned kCra = 21;
  constexpr unsigned kEndOfSequence = 36;
  constexpr unsigned kLastSei = 40;  // filler data and messages lie between
  StillPicture::Units made;
  bool random_access = false;
  for (const nal::Unit unit : units) {
    const unsigned type = std::to_integer<unsigned>(unit[0]) >> 1 & 0x3F;
    if (type >= kEndOfSequence && type <= kLastSei) continue;
    const nal::Kind kind = nal::kind_of(nal::Codec::h265, unit);
    if (kind == nal::Kind::slice) return std::nullopt;
    made.push_back(copy_of(unit));
    if (kind != nal::Kind::random_access) continue;
    random_access = true;
    // The header of a slice is the same for both (7.3.6.1).
    if (type == kCra) made.back()[0] = (unit[0] & std::byte{0x81}) | std::byte{kBlaNoLeading << 1};
  }
  if (!random_access) return std::nullopt;
  return made;
}

}  // namespace

std::optional<StillPicture> StillPicture::of(nal::Codec codec, std::span<const nal::Unit> units,
                                             std::span<const nal::Unit> sets) {
  StillPicture picture;
  if (codec == nal::Codec::h265) {
    auto version = h265_version(units);
    if (!version) return std::nullopt;
    picture.versions_.fill(*version);
    return picture;
  }
  H264Sets known;
  for (const nal::Unit unit : sets) known.add(unit);
  for (const nal::Unit unit : units) known.add(unit);
  for (std::size_t i = 0; i < kIdrPicIds.size(); ++i) {
    auto version = h264_version(units, known, kIdrPicIds[i]);
    if (!version) return std::nullopt;
    picture.versions_[i] = std::move(*version);
  }
  return picture;
}

}  // namespace simulcast::continuity
