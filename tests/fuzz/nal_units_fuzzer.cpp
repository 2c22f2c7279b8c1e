// Access units in both framings, and the configuration records made of their parameter sets. The input is
// flags, u16 the length of a configuration record, the record, and the access unit. Flags: 1 H.265, 2 the
// access unit is a keyframe, 4-8 the length size - 1 when it is split by itself.
#include "protocol/nal/nal_units.hpp"

#include <array>
#include <vector>

#include "protocol/big_endian.hpp"
#include "protocol/flv/codec_config.hpp"
#include "protocol/flv/codec_config_build.hpp"
#include "protocol/flv/tag_body.hpp"
#include "protocol/flv/tag_build.hpp"
#include "repackage/to_annex_b.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace simulcast;

namespace {

bool same(const std::vector<nal::Unit>& left, const std::vector<nal::Unit>& right) {
  return std::ranges::equal(left, right, [](nal::Unit a, nal::Unit b) { return std::ranges::equal(a, b); });
}

void look_at(nal::Codec codec, const std::vector<nal::Unit>& units) {
  std::vector<nal::Unit> sets[3];  // VPS, SPS, PPS
  for (const nal::Unit unit : units) {
    fuzz::check(!unit.empty());
    (void)nal::has_recovery_point(unit);
    std::array<std::byte, 40> raw;
    fuzz::check(nal::copy_raw(unit, raw) <= std::min(raw.size(), unit.size()));
    const auto kind = nal::kind_of(codec, unit);
    if (kind == nal::Kind::vps) sets[0].push_back(unit);
    if (kind == nal::Kind::sps) sets[1].push_back(unit);
    if (kind == nal::Kind::pps) sets[2].push_back(unit);
  }
  // A record of our own making holds what it was made of.
  if (codec == nal::Codec::h264) {
    const auto record = flv::build_avc_config(sets[1], sets[2], {});
    if (record.has_error()) return;
    const auto parsed = flv::parse_avc_config(*record);
    fuzz::check(parsed.has_value() && parsed->parameter_sets == sets[1].size() + sets[2].size());
  } else {
    const auto record = flv::build_hevc_config(sets[0], sets[1], sets[2], {});
    if (record.has_error()) return;
    const auto parsed = flv::parse_hevc_config(*record);
    fuzz::check(parsed.has_value() &&
                parsed->parameter_sets == sets[0].size() + sets[1].size() + sets[2].size());
  }
}

}  // namespace

void fuzz::run(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kHead = 3;
  if (size < kHead) return;
  const auto all = std::as_bytes(std::span(data, size));
  const std::uint32_t flags = load_u8(all.data());
  const auto codec = (flags & 1) != 0 ? nal::Codec::h265 : nal::Codec::h264;
  const auto rest = all.subspan(kHead);
  const auto record = rest.first(std::min<std::size_t>(load_u16(&all[1]), rest.size()));
  const auto access_unit = rest.subspan(record.size());

  std::vector<nal::Unit> units;
  nal::split_annex_b(access_unit, units);
  look_at(codec, units);
  if (!units.empty()) {
    // Through FLV's framing they come out as they went in.
    const auto body = flv::build_video_frame(codec, (flags & 2) != 0, -1, units);
    const auto tag = flv::parse_video(body.bytes());
    check(tag.has_value());
    std::vector<nal::Unit> again;
    check(nal::split_length_prefixed(body.bytes().subspan(tag->data_offset), 4, again));
    check(same(units, again));
  }
  std::vector<nal::Unit> few;
  nal::split_annex_b(access_unit, few, 2);
  check(few.size() == std::min<std::size_t>(2, units.size()));

  if (nal::split_length_prefixed(access_unit, (flags >> 2 & 3) + 1, units)) look_at(codec, units);
  repackage::ToAnnexB rewriter(codec);
  const bool configured = rewriter.set_config(record);
  for (const bool keyframe : {(flags & 2) != 0, true}) {
    const auto annex_b = rewriter.rewrite(access_unit, keyframe);
    if (annex_b.empty()) continue;
    nal::split_annex_b(annex_b, units);
    check(!units.empty() && nal::kind_of(codec, units.front()) == nal::Kind::delimiter);
  }
  if (configured) check(rewriter.set_config(record));
}
