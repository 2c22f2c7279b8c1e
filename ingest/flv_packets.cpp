#include "ingest/flv_packets.hpp"

#include <chrono>
#include <utility>

#include "protocol/flv/script_data.hpp"
#include "protocol/flv/tag_body.hpp"

namespace simulcast::ingest {

using media::MediaKind;
using media::Packet;
using media::PacketRole;

namespace {
// Headers of one track that are kept beside each other.
constexpr std::uint8_t kConfiguration = 0;
constexpr std::uint8_t kDescription = 1;  // colour information, channel layout
}  // namespace

media::Time FlvPackets::unwrap(std::uint32_t timestamp) {
  // Serial arithmetic: the difference to the last message, as a signed number, is right across the wrap at
  // 2^32 ms.
  if (last_) {
    *last_ += static_cast<std::int32_t>(timestamp - static_cast<std::uint32_t>(*last_));
  } else {
    last_ = timestamp;
  }
  return std::chrono::milliseconds{*last_};
}

std::optional<Packet> FlvPackets::packet_of(rtmp::MediaMessage&& message) {
  Packet packet;
  packet.dts = packet.pts = unwrap(message.timestamp);
  packet.payload = std::move(message.body);
  switch (message.type) {
    case rtmp::MessageType::video:
      return video(std::move(packet));
    case rtmp::MessageType::audio:
      return audio(std::move(packet));
    default:
      return data(std::move(packet));
  }
}

std::optional<Packet> FlvPackets::video(Packet&& packet) {
  const auto tag = flv::parse_video(packet.payload.bytes());
  if (tag.has_error()) {
    ++malformed_;
    return std::nullopt;
  }
  if (tag->is_command) return std::nullopt;
  packet.kind = MediaKind::video;
  packet.track = tag->track;
  if (tag->is_end_of_sequence) {
    end_of_sequence_ = std::move(packet);
    return std::nullopt;
  }
  end_of_sequence_.reset();
  packet.keyframe = tag->is_keyframe;
  packet.pts += std::chrono::milliseconds{tag->composition_offset};
  if (tag->is_header) {
    packet.role = PacketRole::codec_header;
    packet.variant = tag->is_colour_info ? kDescription : kConfiguration;
  }
  return std::move(packet);
}

std::optional<Packet> FlvPackets::audio(Packet&& packet) {
  const auto tag = flv::parse_audio(packet.payload.bytes());
  if (tag.has_error()) {
    ++malformed_;
    return std::nullopt;
  }
  packet.kind = MediaKind::audio;
  packet.track = tag->track;
  if (tag->is_header) {
    packet.role = PacketRole::codec_header;
    packet.variant = tag->is_multichannel_config ? kDescription : kConfiguration;
  }
  return std::move(packet);
}

std::optional<Packet> FlvPackets::data(Packet&& packet) {
  packet.kind = MediaKind::data;
  if (flv::data_kind(packet.payload.bytes()).is_metadata) {
    packet.role = PacketRole::metadata;
    packet.payload = flv::with_set_data_frame(packet.payload);  // as every destination expects it
  }
  return std::move(packet);
}

std::optional<Packet> FlvPackets::take_end_of_sequence() {
  return std::exchange(end_of_sequence_, std::nullopt);
}

}  // namespace simulcast::ingest
