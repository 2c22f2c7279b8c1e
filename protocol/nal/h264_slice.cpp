#include "protocol/nal/h264_slice.hpp"

#include <algorithm>
#include <array>

#include "protocol/nal/bits.hpp"

namespace simulcast::nal {

namespace {

constexpr unsigned kTypeSlice = 1;
constexpr unsigned kTypeIdr = 5;
constexpr unsigned kTypeSps = 7;
constexpr unsigned kTypePps = 8;
constexpr std::uint32_t kMaxSpsId = 31;
constexpr std::uint32_t kMaxPpsId = 255;
// Real ones are below 200 bytes, with scaling matrices and display information.
constexpr std::size_t kMaxSet = 4096;

unsigned type_of(Unit unit) {
  return std::to_integer<unsigned>(unit[0]) & 0x1F;
}

void skip_scaling_list(BitReader& in, unsigned size) {
  std::int32_t last = 8;
  std::int32_t next = 8;
  for (unsigned i = 0; i < size && !in.failed(); ++i) {
    // Legal steps are of 8 bits; what others make of it does not matter.
    if (next != 0) next = (last + in.se() % 256 + 256) % 256;
    if (next != 0) last = next;
  }
}

void skip_high_profile(BitReader& in, H264Sps& sps) {
  const std::uint32_t chroma_format = in.ue();
  if (chroma_format == 3) sps.separate_colour_planes = in.flag();
  in.ue();    // luma depth
  in.ue();    // chroma depth
  in.flag();  // lossless
  if (!in.flag()) return;
  const unsigned lists = chroma_format == 3 ? 12 : 8;
  for (unsigned i = 0; i < lists; ++i) {
    if (in.flag()) skip_scaling_list(in, i < 6 ? 16 : 64);
  }
}

bool has_high_profile_fields(unsigned profile) {
  static constexpr std::array kProfiles{100U, 110U, 122U, 244U, 44U,  83U, 86U,
                                        118U, 128U, 138U, 139U, 134U, 135U};
  return std::ranges::find(kProfiles, profile) != kProfiles.end();
}

bool is_intra(std::uint32_t slice_type) {
  return slice_type == 2 || slice_type == 7;
}

// What of a slice header stays when the picture becomes an IDR picture.
struct Header {
  std::uint32_t first_macroblock = 0;
  std::uint32_t slice_type = 0;
  std::uint32_t colour_plane = 0;
  bool field = false;
  bool bottom = false;
  std::uint32_t poc_lsb = 0;
  std::int32_t delta_bottom = 0;
  std::array<std::int32_t, 2> delta_poc{};
  std::uint32_t redundant_picture = 0;
  std::int32_t qp_delta = 0;
  std::uint32_t no_deblocking = 0;
  std::int32_t alpha = 0;
  std::int32_t beta = 0;
};

// dec_ref_pic_marking(), 7.3.3.3.
void skip_marking(BitReader& in, bool idr) {
  if (idr) {
    in.bits(2);
    return;
  }
  if (!in.flag()) return;
  while (!in.failed()) {
    const std::uint32_t operation = in.ue();
    if (operation == 0) return;
    if (operation != 5) in.ue();
    if (operation == 3) in.ue();
  }
}

std::optional<Header> read_header(BitReader& in, bool idr, bool reference, const H264Sps& sps,
                                  const H264Pps& pps) {
  Header header;
  header.first_macroblock = in.ue();
  header.slice_type = in.ue();
  if (!is_intra(header.slice_type) || in.ue() != pps.id) return std::nullopt;
  if (sps.separate_colour_planes) header.colour_plane = in.bits(2);
  in.bits(sps.frame_num_bits);
  if (!sps.frames_only) {
    header.field = in.flag();
    if (header.field) header.bottom = in.flag();
    // The second field of an IDR picture is none itself (7.4.1.2.4).
    if (header.field && !idr) return std::nullopt;
  }
  if (idr) in.ue();  // idr_pic_id
  if (sps.poc_type == 0) {
    header.poc_lsb = in.bits(sps.poc_bits);
    if (pps.bottom_field_poc && !header.field) header.delta_bottom = in.se();
  }
  if (sps.poc_type == 1 && !sps.delta_poc_always_zero) {
    header.delta_poc[0] = in.se();
    if (pps.bottom_field_poc && !header.field) header.delta_poc[1] = in.se();
  }
  if (pps.redundant_pictures) header.redundant_picture = in.ue();
  if (reference) skip_marking(in, idr);
  header.qp_delta = in.se();
  if (pps.deblocking_control) {
    header.no_deblocking = in.ue();
    if (header.no_deblocking != 1) {
      header.alpha = in.se();
      header.beta = in.se();
    }
  }
  if (in.failed()) return std::nullopt;
  // Only an IDR picture counts from zero; of one that becomes it the count is its own (8.2.1).
  if (!idr) {
    header.poc_lsb = 0;
    header.delta_poc = {};
  }
  return header;
}

void write_header(BitWriter& out, const Header& header, const H264Sps& sps, const H264Pps& pps,
                  std::uint32_t idr_pic_id) {
  out.ue(header.first_macroblock);
  out.ue(header.slice_type);
  out.ue(pps.id);
  if (sps.separate_colour_planes) out.bits(header.colour_plane, 2);
  out.bits(0, sps.frame_num_bits);
  if (!sps.frames_only) {
    out.flag(header.field);
    if (header.field) out.flag(header.bottom);
  }
  out.ue(idr_pic_id);
  if (sps.poc_type == 0) {
    out.bits(header.poc_lsb, sps.poc_bits);
    if (pps.bottom_field_poc && !header.field) out.se(header.delta_bottom);
  }
  if (sps.poc_type == 1 && !sps.delta_poc_always_zero) {
    out.se(header.delta_poc[0]);
    if (pps.bottom_field_poc && !header.field) out.se(header.delta_poc[1]);
  }
  if (pps.redundant_pictures) out.ue(header.redundant_picture);
  out.flag(false);  // no_output_of_prior_pics_flag
  out.flag(false);  // long_term_reference_flag
  out.se(header.qp_delta);
  if (pps.deblocking_control) {
    out.ue(header.no_deblocking);
    if (header.no_deblocking != 1) {
      out.se(header.alpha);
      out.se(header.beta);
    }
  }
}

// The bit after the last of the slice's data: its stop bit.
std::size_t stop_bit(std::span<const std::byte> raw) {
  std::size_t bytes = raw.size();
  while (bytes > 0 && raw[bytes - 1] == std::byte{0}) --bytes;
  if (bytes == 0) return 0;
  const auto last = std::to_integer<unsigned>(raw[bytes - 1]);
  unsigned zeros = 0;
  while ((last >> zeros & 1) == 0) ++zeros;
  return bytes * 8 - zeros - 1;
}

}  // namespace

std::optional<H264Sps> parse_h264_sps(Unit unit) {
  constexpr std::uint32_t kMaxCycle = 255;
  constexpr std::uint32_t kMaxLog2 = 12;
  if (unit.size() < 4 || unit.size() > kMaxSet || type_of(unit) != kTypeSps) return std::nullopt;
  const auto raw = without_emulation_prevention(unit.subspan(1));
  BitReader in(raw);
  H264Sps sps;
  const unsigned profile = in.bits(8);
  in.bits(16);  // constraints, level
  sps.id = in.ue();
  if (has_high_profile_fields(profile)) skip_high_profile(in, sps);
  const std::uint32_t frame_num = in.ue();
  sps.poc_type = in.ue();
  std::uint32_t poc = 0;
  if (sps.poc_type == 0) {
    poc = in.ue();
  } else if (sps.poc_type == 1) {
    sps.delta_poc_always_zero = in.flag();
    in.se();
    in.se();
    const std::uint32_t cycle = in.ue();
    if (cycle > kMaxCycle) return std::nullopt;
    for (std::uint32_t i = 0; i < cycle; ++i) in.se();
  }
  in.ue();    // reference frames
  in.flag();  // gaps allowed
  in.ue();    // width
  in.ue();    // height
  sps.frames_only = in.flag();
  if (in.failed() || sps.id > kMaxSpsId || sps.poc_type > 2 || frame_num > kMaxLog2 || poc > kMaxLog2) {
    return std::nullopt;
  }
  sps.frame_num_bits = frame_num + 4;
  sps.poc_bits = poc + 4;
  return sps;
}

std::optional<H264Pps> parse_h264_pps(Unit unit) {
  if (unit.size() < 2 || unit.size() > kMaxSet || type_of(unit) != kTypePps) return std::nullopt;
  const auto raw = without_emulation_prevention(unit.subspan(1));
  BitReader in(raw);
  H264Pps pps;
  pps.id = in.ue();
  pps.sps_id = in.ue();
  pps.cabac = in.flag();
  pps.bottom_field_poc = in.flag();
  if (in.ue() != 0) return std::nullopt;  // slice groups
  in.ue();                                // references
  in.ue();
  in.bits(3);  // weighted prediction
  in.se();     // quantisers
  in.se();
  in.se();
  pps.deblocking_control = in.flag();
  in.flag();  // constrained intra prediction
  pps.redundant_pictures = in.flag();
  if (in.failed() || pps.id > kMaxPpsId || pps.sps_id > kMaxSpsId) return std::nullopt;
  return pps;
}

std::optional<std::uint32_t> h264_slice_pps(Unit slice) {
  std::array<std::byte, 16> head{};  // three codes of at most 5 bytes
  if (slice.size() < 2) return std::nullopt;
  const std::size_t size = copy_raw(slice.subspan(1), head);
  BitReader in{std::span<const std::byte>(head).first(size)};
  in.ue();
  in.ue();
  const std::uint32_t id = in.ue();
  if (in.failed()) return std::nullopt;
  return id;
}

std::optional<std::vector<std::byte>> as_idr_slice(Unit slice, const H264Sps& sps, const H264Pps& pps,
                                                   std::uint32_t idr_pic_id) {
  if (slice.size() < 2) return std::nullopt;
  const unsigned type = type_of(slice);
  if (type != kTypeIdr && type != kTypeSlice) return std::nullopt;
  const unsigned ref_idc = std::to_integer<unsigned>(slice[0]) >> 5 & 3;
  if (type == kTypeIdr && ref_idc == 0) return std::nullopt;

  const auto raw = without_emulation_prevention(slice.subspan(1));
  BitReader in(raw);
  const auto header = read_header(in, type == kTypeIdr, ref_idc != 0, sps, pps);
  if (!header) return std::nullopt;

  BitWriter out;
  write_header(out, *header, sps, pps, std::min(idr_pic_id, kMaxIdrPicId));
  if (pps.cabac) {
    // The data begins on a whole byte, behind ones (7.3.4).
    const std::size_t data = (in.position() + 7) / 8;
    while (!out.aligned()) out.flag(true);
    out.bytes(std::span(raw).subspan(std::min(data, raw.size())));
  } else {
    const std::size_t stop = stop_bit(raw);
    if (stop < in.position()) return std::nullopt;
    while (in.position() < stop) {
      const auto count = static_cast<unsigned>(std::min<std::size_t>(stop - in.position(), 32));
      out.bits(in.bits(count), count);
    }
    out.flag(true);
  }

  std::vector<std::byte> made;
  made.push_back(static_cast<std::byte>(std::max(ref_idc, 1U) << 5 | kTypeIdr));
  append_with_emulation_prevention(out.out(), made);
  return made;
}

}  // namespace simulcast::nal
