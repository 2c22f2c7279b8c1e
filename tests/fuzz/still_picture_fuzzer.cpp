// Keyframes made to stand: H.264 slice headers rewritten, H.265 kinds changed. The input is flags, u16 the
// length of the parameter sets beside the stream, those, and the access unit; both with start codes. Flags: 1
// H.265.
#include "continuity/still_picture.hpp"

#include "protocol/big_endian.hpp"
#include "protocol/nal/bits.hpp"
#include "protocol/nal/h264_slice.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace simulcast;

namespace {

// Slices name the sets they were rewritten by, and can be rewritten once more.
void check_version(nal::Codec codec, const continuity::StillPicture& picture, std::size_t turn) {
  std::vector<nal::Unit> units;
  bool random_access = false;
  for (const auto& unit : picture.version(turn)) {
    fuzz::check(!unit.empty());
    units.push_back(unit);
    random_access = random_access || nal::kind_of(codec, unit) == nal::Kind::random_access;
    // Framed by start codes it is one unit.
    std::vector<std::byte> framed{std::byte{0}, std::byte{0}, std::byte{1}};
    framed.insert(framed.end(), unit.begin(), unit.end());
    std::vector<nal::Unit> again;
    nal::split_annex_b(framed, again);
    if (nal::kind_of(codec, unit) == nal::Kind::random_access && codec == nal::Codec::h264) {
      fuzz::check(again.size() == 1);
      fuzz::check(nal::h264_slice_pps(unit).has_value());
    }
  }
  fuzz::check(random_access);
}

}  // namespace

void fuzz::run(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kHead = 3;
  if (size < kHead) return;
  const auto all = std::as_bytes(std::span(data, size));
  const auto codec = (load_u8(all.data()) & 1) != 0 ? nal::Codec::h265 : nal::Codec::h264;
  const auto rest = all.subspan(kHead);
  const auto beside = rest.first(std::min<std::size_t>(load_u16(&all[1]), rest.size()));

  std::vector<nal::Unit> sets;
  nal::split_annex_b(beside, sets);
  std::vector<nal::Unit> units;
  nal::split_annex_b(rest.subspan(beside.size()), units);
  if (const auto picture = continuity::StillPicture::of(codec, units, sets)) {
    for (std::size_t turn = 0; turn < 2; ++turn) check_version(codec, *picture, turn);
  }

  // Emulation prevention goes in and out.
  const auto raw = nal::without_emulation_prevention(rest);
  std::vector<std::byte> escaped;
  nal::append_with_emulation_prevention(raw, escaped);
  std::size_t zeros = 0;
  for (const std::byte byte : escaped) {
    check(zeros < 2 || byte > std::byte{2});
    zeros = byte == std::byte{0} ? zeros + 1 : 0;
  }
  // A payload that ends in zeros is given a last byte, which counts as payload behind a single one.
  if (raw.empty() || raw.back() != std::byte{0}) {
    const auto back = nal::without_emulation_prevention(escaped);
    check(std::ranges::equal(back, raw));
  }
}
