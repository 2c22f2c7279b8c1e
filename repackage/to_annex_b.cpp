#include "repackage/to_annex_b.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "protocol/big_endian.hpp"
#include "protocol/flv/codec_config.hpp"

namespace simulcast::repackage {

namespace {

constexpr std::array kStartCode{std::byte{0}, std::byte{0}, std::byte{0}, std::byte{1}};
// Any slice type may follow; stop bit. H.264, 7.3.2.4; H.265, 7.3.2.5.
constexpr std::array kDelimiterH264{std::byte{0x09}, std::byte{0xF0}};
constexpr std::array kDelimiterH265{std::byte{0x46}, std::byte{0x01}, std::byte{0x50}};

}  // namespace

bool ToAnnexB::set_config(std::span<const std::byte> record) {
  const auto parsed = flv::parse_config(codec_, record);
  if (parsed.has_error() || parsed->parameter_sets > kMaxSets) return false;
  next_ = {{record.begin(), record.end()}, parsed->nal_length_size, {}};
  next_.sets = flv::parameter_sets(codec_, next_.record);
  has_next_ = true;
  return true;
}

// Before memory is taken for them: a hostile access unit could hold millions.
bool ToAnnexB::has_few_units(std::span<const std::byte> access_unit) const {
  for (std::size_t units = 0; access_unit.size() >= config_.length_size; ++units) {
    if (units == kMaxUnits) return false;
    std::size_t length = 0;
    for (std::size_t i = 0; i < config_.length_size; ++i) length = length << 8 | load_u8(&access_unit[i]);
    access_unit = access_unit.subspan(config_.length_size);
    access_unit = access_unit.subspan(std::min(length, access_unit.size()));
  }
  return true;
}

bool ToAnnexB::brings_sets() const {
  return std::ranges::all_of(config_.sets, [&](nal::Unit set) {
    return std::ranges::any_of(units_, [&](nal::Unit unit) { return std::ranges::equal(unit, set); });
  });
}

void ToAnnexB::append(nal::Unit unit) {
  annex_b_.insert(annex_b_.end(), kStartCode.begin(), kStartCode.end());
  annex_b_.insert(annex_b_.end(), unit.begin(), unit.end());
}

std::span<const std::byte> ToAnnexB::rewrite(std::span<const std::byte> access_unit, bool keyframe) {
  if (access_unit.size() > kMaxAccessUnit) return {};
  if (keyframe && std::exchange(has_next_, false)) config_ = std::move(next_);
  if (!has_few_units(access_unit)) return {};
  if (!nal::split_length_prefixed(access_unit, config_.length_size, units_) || units_.empty()) return {};

  annex_b_.clear();
  const auto is_delimiter = [&](nal::Unit unit) {
    return nal::kind_of(codec_, unit) == nal::Kind::delimiter;
  };
  const auto delimiter = std::ranges::find_if(units_, is_delimiter);
  if (delimiter != units_.end()) {
    append(*delimiter);
  } else if (codec_ == nal::Codec::h264) {
    append(kDelimiterH264);
  } else {
    append(kDelimiterH265);
  }
  // All or none: a picture parameter set is of use only behind the sequence parameter set that it refers to.
  if (keyframe && !brings_sets()) {
    for (const nal::Unit set : config_.sets) append(set);
  }
  for (const nal::Unit unit : units_) {
    if (!is_delimiter(unit)) append(unit);
  }
  return annex_b_;
}

}  // namespace simulcast::repackage
