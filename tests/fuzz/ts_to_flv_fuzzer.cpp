// A whole MPEG-TS publisher taken apart for RTMP outputs, libavformat included.
#include <vector>

extern "C" {
#include <libavutil/log.h>
}

#include "protocol/flv/codec_config.hpp"
#include "protocol/flv/script_data.hpp"
#include "protocol/flv/tag_body.hpp"
#include "repackage/ts_to_flv.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/fuzz/ts_input.hpp"

using namespace simulcast;

namespace {

void check_packet(const media::Packet& packet) {
  const auto body = packet.payload.bytes();
  fuzz::check(packet.dts.count() % 90 == 0 && packet.pts.count() % 90 == 0);
  if (packet.kind == media::MediaKind::data) {
    fuzz::check(flv::data_kind(body).has_set_data_frame && flv::parse_metadata(body).has_value());
  } else if (packet.kind == media::MediaKind::audio) {
    const auto tag = flv::parse_audio(body);
    fuzz::check(tag.has_value() && tag->is_header == (packet.role == media::PacketRole::codec_header));
  } else {
    const auto tag = flv::parse_video(body);
    fuzz::check(tag.has_value() && tag->is_keyframe == packet.keyframe);
    fuzz::check(tag->is_header == (packet.role == media::PacketRole::codec_header));
    const auto rest = body.subspan(tag->data_offset);
    if (tag->is_header) {
      fuzz::check(flv::parse_avc_config(rest).has_value() || flv::parse_hevc_config(rest).has_value());
    } else {
      std::vector<nal::Unit> units;
      fuzz::check(nal::split_length_prefixed(rest, 4, units) && !units.empty());
    }
  }
}

}  // namespace

void fuzz::run(const std::uint8_t* data, std::size_t size) {
  av_log_set_level(AV_LOG_QUIET);
  fuzz::Input input(data, size);
  const auto bytes = fuzz::with_checksums(input.bytes);
  input.bytes = bytes;
  repackage::TsToFlv repackager;
  std::vector<media::Packet> out;
  const std::size_t packets = (input.flags & 7) + 1;
  while (!input.bytes.empty()) {
    const auto piece = input.bytes.first(std::min(packets * mpegts::kPacketSize, input.bytes.size()));
    input.bytes = input.bytes.subspan(piece.size());
    media::Packet packet;
    packet.payload = media::Payload::copy_of(piece);
    packet.after_hole = (input.flags & 64) != 0 && input.bytes.size() % 5 == 0;
    repackager.push(packet, out);
    if ((input.flags & 16) != 0 && input.bytes.size() % 7 == 0) repackager.end_run(out);
    for (const auto& made : out) check_packet(made);
    out.clear();
  }
}
