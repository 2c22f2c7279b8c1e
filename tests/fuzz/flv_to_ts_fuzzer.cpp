// FLV messages made into MPEG-TS. The input is a row of records:
//
//   u8: 1 video, 2 flush after it, 4 a new publisher before it, 8 time goes back, 16 time runs fast
//   u8: milliseconds since the one before
//   u16: length, then the body
#include "media/payload.hpp"
#include "protocol/big_endian.hpp"
#include "protocol/flv/tag_body.hpp"
#include "repackage/flv_to_ts.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace simulcast;

namespace {

// As an ingest makes it, apart from the times, which are anything.
bool describe(media::Packet& packet, bool video) {
  bool header = false;
  packet.kind = video ? media::MediaKind::video : media::MediaKind::audio;
  if (video) {
    const auto tag = flv::parse_video(packet.payload.bytes());
    if (tag.has_error()) return false;
    packet.keyframe = tag->is_keyframe;
    packet.track = tag->track;
    packet.pts += std::chrono::milliseconds{tag->composition_offset};
    header = tag->is_header;
  } else {
    const auto tag = flv::parse_audio(packet.payload.bytes());
    if (tag.has_error()) return false;
    packet.track = tag->track;
    header = tag->is_header;
  }
  if (header) packet.role = media::PacketRole::codec_header;
  return true;
}

void check_datagrams(const std::vector<media::Packet>& out) {
  for (const media::Packet& packet : out) {
    const auto bytes = packet.payload.bytes();
    fuzz::check(!bytes.empty() && bytes.size() <= mpegts::kMaxDatagram);
    fuzz::check(bytes.size() % mpegts::kPacketSize == 0);
    for (std::size_t at = 0; at < bytes.size(); at += mpegts::kPacketSize) {
      fuzz::check(bytes[at] == std::byte{0x47});
    }
    if (packet.keyframe) fuzz::check((load_u16(&bytes[1]) & 0x1FFF) == 0);
    fuzz::check(packet.frames <= 7);
  }
}

}  // namespace

void fuzz::run(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kHead = 4;
  auto rest = std::as_bytes(std::span(data, size));
  repackage::FlvToTs repackager;
  std::vector<media::Packet> out;
  media::Time now{};
  while (rest.size() >= kHead) {
    const std::uint32_t flags = load_u8(&rest[0]);
    std::int64_t step = load_u8(&rest[1]);
    if ((flags & 16) != 0) step *= 1'000'000;
    now += std::chrono::milliseconds{(flags & 8) != 0 ? -step : step};
    const std::size_t length = std::min<std::size_t>(load_u16(&rest[2]), rest.size() - kHead);
    media::Packet packet;
    packet.dts = packet.pts = now;
    packet.payload = media::Payload::copy_of(rest.subspan(kHead, length));
    rest = rest.subspan(kHead + length);

    if ((flags & 4) != 0) repackager.begin_publisher();
    out.clear();
    if (describe(packet, (flags & 1) != 0)) repackager.push(packet, out);
    if ((flags & 2) != 0) repackager.flush(out);
    check_datagrams(out);
  }
}
