// The NAL units of an H.264 or H.265 access unit, in both framings: with start codes (Annex B) as MPEG-TS
// carries them, and with a length before each as FLV does.
//
// ITU-T H.264 and H.265, annex B; ISO/IEC 14496-15, 5.3.2. Pure functions, any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace simulcast::nal {

enum class Codec : std::uint8_t { h264, h265 };

using Unit = std::span<const std::byte>;  // header byte(s) and payload, emulation prevention as it came

// What a relay tells apart; everything else is `other`.
enum class Kind : std::uint8_t { other, slice, random_access, vps, sps, pps, delimiter };
Kind kind_of(Codec codec, Unit unit);

// Trailing zero bytes belong to no unit. Bytes before the first start code are ignored. Empty units are left
// out. `units` is cleared first; its capacity is kept, so that a caller may use it again without allocating.
// No more than `most` are looked for.
void split_annex_b(std::span<const std::byte> access_unit, std::vector<Unit>& units,
                   std::size_t most = SIZE_MAX);

// `length_size` is 1, 2, 3 or 4. False when a length reaches beyond the end, or there are more than `most`:
// `units` then holds what came before.
bool split_length_prefixed(std::span<const std::byte> access_unit, std::size_t length_size,
                           std::vector<Unit>& units, std::size_t most = SIZE_MAX);

// The first bytes of a unit with the emulation prevention taken out, as many as `out` has room for; how many
// that were.
std::size_t copy_raw(Unit unit, std::span<std::byte> out);

// H.264: a supplemental message that says decoding may start here although the picture is no IDR (ITU-T
// H.264, D.2.8). False for any other unit.
bool has_recovery_point(Unit unit);

}  // namespace simulcast::nal
