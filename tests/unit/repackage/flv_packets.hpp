// FLV for the tests of this folder: packets of a file, as an ingest would make them, and tag bodies built by
// hand.
#pragma once

#include <cstdint>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "media/packet.hpp"
#include "protocol/big_endian.hpp"
#include "protocol/flv/tag_body.hpp"
#include "tests/unit/protocol/bytes.hpp"

namespace simulcast::test {

inline Bytes file(const std::string& name) {
  std::ifstream stream(std::string(SIMULCASTD_FIXTURES) + "/" + name, std::ios::binary);
  if (!stream) throw std::runtime_error("no fixture " + name);
  const std::vector<char> content{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  const auto bytes = std::as_bytes(std::span(content));
  return {bytes.begin(), bytes.end()};
}

inline media::Packet video(std::int64_t ms, std::span<const std::byte> body) {
  const auto tag = flv::parse_video(body).value();
  media::Packet packet;
  packet.kind = media::MediaKind::video;
  packet.role = tag.is_header ? media::PacketRole::codec_header : media::PacketRole::frame;
  packet.track = tag.track;
  packet.keyframe = tag.is_keyframe;
  packet.dts = std::chrono::milliseconds{ms};
  packet.pts = packet.dts + std::chrono::milliseconds{tag.composition_offset};
  packet.payload = media::Payload::copy_of(body);
  return packet;
}

inline media::Packet audio(std::int64_t ms, std::span<const std::byte> body) {
  const auto tag = flv::parse_audio(body).value();
  media::Packet packet;
  packet.kind = media::MediaKind::audio;
  packet.role = tag.is_header ? media::PacketRole::codec_header : media::PacketRole::frame;
  packet.track = tag.track;
  packet.dts = packet.pts = std::chrono::milliseconds{ms};
  packet.payload = media::Payload::copy_of(body);
  return packet;
}

// Audio and video of a file, without the end of sequence; times as in the file.
inline std::vector<media::Packet> flv_file(const std::string& name) {
  const Bytes bytes = file(name);
  std::vector<media::Packet> packets;
  for (std::size_t at = 13; at + 11 < bytes.size();) {
    const std::uint32_t type = load_u8(&bytes[at]);
    const std::size_t size = load_u24(&bytes[at + 1]);
    const std::uint32_t time = load_u24(&bytes[at + 4]) | load_u8(&bytes[at + 7]) << 24;
    const auto body = std::span(bytes).subspan(at + 11, size);
    if (type == 9 && !flv::parse_video(body)->is_end_of_sequence) packets.push_back(video(time, body));
    if (type == 8) packets.push_back(audio(time, body));
    at += 11 + size + 4;
  }
  return packets;
}

}  // namespace simulcast::test
