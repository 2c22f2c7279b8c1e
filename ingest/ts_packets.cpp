#include "ingest/ts_packets.hpp"

#include <utility>

namespace simulcast::ingest {

using media::MediaKind;
using media::PacketRole;

std::optional<TsPackets::Packets> TsPackets::packets_of(media::Payload&& datagram) {
  const auto seen = scanner_.scan(datagram.bytes());
  if (seen.malformed) {
    ++malformed_;
    return std::nullopt;
  }
  Packets made;
  media::Packet& packet = made.datagram;
  // Until the tables are known it counts as video: nothing can begin there, and nothing has to be kept.
  const bool audio_only = scanner_.program() != nullptr && !seen.has_video;
  packet.kind = audio_only ? MediaKind::audio : MediaKind::video;
  packet.role = PacketRole::frame;
  packet.keyframe = seen.keyframe;
  packet.frames = seen.frames;
  packet.sync_offset = seen.sync_offset;
  packet.payload = std::move(datagram);
  // An output can begin at a keyframe, or where there is no video wherever a frame begins.
  if (seen.keyframe || (audio_only && seen.frames > 0)) {
    media::Packet& header = made.join_header.emplace();
    header.kind = packet.kind;
    header.role = PacketRole::join_header;
    header.payload = scanner_.join_header();
  }
  return made;
}

}  // namespace simulcast::ingest
