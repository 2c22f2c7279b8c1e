#include "repackage/ts_video.hpp"

#include <algorithm>
#include <utility>

#include "protocol/flv/codec_config.hpp"
#include "protocol/flv/codec_config_build.hpp"
#include "protocol/flv/tag_build.hpp"

namespace simulcast::repackage {

namespace {

// More of one kind than any encoder uses; a frame that is nothing but parameter sets costs no more than this.
constexpr std::size_t kMaxSets = 31;
// Far beyond any picture's slices and messages: start codes alone could fill a PES packet with millions.
constexpr std::size_t kMaxUnits = 16 * 1024;

template <typename List>
bool contains(const List& list, nal::Unit unit) {
  return std::ranges::any_of(list, [unit](const auto& other) { return std::ranges::equal(other, unit); });
}

}  // namespace

std::optional<TsVideo::SetKind> TsVideo::set_kind_of(nal::Unit unit) const {
  switch (nal::kind_of(codec_, unit)) {
    case nal::Kind::vps:
      return vps;
    case nal::Kind::sps:
      return sps;
    case nal::Kind::pps:
      return pps;
    default:
      return std::nullopt;
  }
}

bool TsVideo::is_keyframe() const {
  return std::ranges::any_of(units_, [this](nal::Unit unit) {
    return nal::kind_of(codec_, unit) == nal::Kind::random_access ||
           (codec_ == nal::Codec::h264 && nal::has_recovery_point(unit));
  });
}

TsVideo::Output TsVideo::push(std::span<const std::byte> access_unit, std::int64_t composition_milliseconds) {
  Output output;
  nal::split_annex_b(access_unit, units_, kMaxUnits);
  if (units_.size() == kMaxUnits) {
    ++broken_;
    return output;
  }
  output.keyframe = is_keyframe();
  collect_sets(output.keyframe);
  if (output.keyframe && sets_changed_) {
    output.header = make_header();
    if (output.header.empty()) {
      ++broken_;
    } else {
      started_ = true;
      sets_changed_ = false;
    }
  }
  std::erase_if(units_,
                [this](nal::Unit unit) { return nal::kind_of(codec_, unit) == nal::Kind::delimiter; });
  if (started_ && !units_.empty()) {
    output.frame = flv::build_video_frame(codec_, output.keyframe, composition_milliseconds, units_);
  }
  return output;
}

void TsVideo::collect_sets(bool keyframe) {
  for (const SetKind kind : {vps, sps, pps}) collect(kind, keyframe);
}

// A keyframe brings the sets that hold from it on; what other frames bring comes beside them, and is told at
// the next keyframe.
void TsVideo::collect(SetKind kind, bool keyframe) {
  found_.clear();
  for (const nal::Unit unit : units_) {
    if (set_kind_of(unit) != kind || found_.size() == kMaxSets) continue;
    if (unit.size() <= flv::kMaxConfigRecord && !contains(found_, unit)) found_.push_back(unit);
  }
  if (found_.empty()) return;
  Sets& known = sets_[kind];
  if (keyframe) {
    const auto is_same = [](const std::vector<std::byte>& set, nal::Unit unit) {
      return std::ranges::equal(set, unit);
    };
    if (std::ranges::equal(known, found_, is_same)) return;
    known.clear();
  }
  for (const nal::Unit unit : found_) {
    if (known.size() == kMaxSets || contains(known, unit)) continue;
    known.emplace_back(unit.begin(), unit.end());
    sets_changed_ = true;
  }
}

media::Payload TsVideo::make_header() {
  std::array<std::vector<nal::Unit>, kind_count> sets;
  std::vector<nal::Unit> units;  // the sets, then the first slice
  for (const SetKind kind : {vps, sps, pps}) {
    sets[kind].assign(sets_[kind].begin(), sets_[kind].end());
    units.insert(units.end(), sets[kind].begin(), sets[kind].end());
  }
  const auto slice = std::ranges::find_if(units_, [this](nal::Unit unit) {
    const nal::Kind kind = nal::kind_of(codec_, unit);
    return kind == nal::Kind::slice || kind == nal::Kind::random_access;
  });
  if (slice != units_.end()) units.push_back(*slice);
  picture_ = picture_of(codec_, units);
  const flv::PictureFormat format = picture_ ? picture_->format : flv::PictureFormat{};
  const auto record = codec_ == nal::Codec::h264
                          ? flv::build_avc_config(sets[sps], sets[pps], format)
                          : flv::build_hevc_config(sets[vps], sets[sps], sets[pps], format);
  if (record.has_error()) return {};
  return flv::build_video_header(codec_, *record);
}

}  // namespace simulcast::repackage
