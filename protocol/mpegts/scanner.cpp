#include "protocol/mpegts/scanner.hpp"

#include <algorithm>
#include <iterator>

namespace simulcast::mpegts {

namespace {

constexpr std::uint8_t kUnseen = 0xFF;
constexpr std::uint8_t kRepeated = 0x10;  // the packet with this counter has come twice

// The elementary stream bytes of a payload that begins with a PES header; empty when it does not.
std::span<const std::byte> after_pes_header(std::span<const std::byte> payload) {
  constexpr std::size_t kFixed = 9;
  if (payload.size() < kFixed || load_u24(payload.data()) != 1) return {};
  const std::size_t header = kFixed + load_u8(&payload[8]);
  return header < payload.size() ? payload.subspan(header) : std::span<const std::byte>{};
}

bool has_sequence_header(std::span<const std::byte> bytes) {
  static constexpr std::byte kCode[] = {std::byte{0}, std::byte{0}, std::byte{1}, std::byte{0xB3}};
  return std::search(bytes.begin(), bytes.end(), std::begin(kCode), std::end(kCode)) != bytes.end();
}

}  // namespace

Scanner::Scanner() {
  continuity_.fill(kUnseen);
  units_.reserve(kPacketSize / 4);
}

Scanner::Datagram Scanner::scan(std::span<const std::byte> datagram) {
  Datagram result;
  result.malformed = datagram.empty() || datagram.size() % kPacketSize != 0 ||
                     datagram.size() > kMaxDatagramPackets * kPacketSize;
  for (std::size_t at = 0; !result.malformed && at < datagram.size(); at += kPacketSize) {
    result.malformed = datagram[at] != kSyncByte;
  }
  if (result.malformed) {
    ++malformed_;
    result.has_video = has_video_;
    return result;
  }
  for (std::size_t at = 0; at < datagram.size(); at += kPacketSize) {
    const auto packet = datagram.subspan(at, kPacketSize);
    const PacketView view = parse_packet(packet);
    if (view.transport_error || view.pid == kNullPid) continue;  // not even its PID can be relied on
    check_continuity(view);
    if (tables_.push(packet, view)) {
      follow_program();
      result.keyframe = false;  // of another program, or the tables to join with are not its own
    }
    if (view.pid != frame_pid_ || !view.unit_start || view.payload.empty()) continue;
    ++result.frames;
    if (has_video_ && !result.keyframe && begins_keyframe(view)) {
      result.keyframe = true;
      result.sync_offset = static_cast<std::uint16_t>(at);
    }
  }
  result.has_video = has_video_;
  return result;
}

void Scanner::check_continuity(const PacketView& view) {
  std::uint8_t& last = continuity_[view.pid];
  if (!view.has_payload) {
    // The counter stands still without payload, but may be set anew.
    if (view.discontinuity) last = kUnseen;
    return;
  }
  const bool is_first = last == kUnseen || view.discontinuity;
  const auto expected = static_cast<std::uint8_t>((last + 1) & 0x0F);
  if (!is_first && view.continuity != expected) {
    if (view.continuity == last) {  // a packet may be sent twice, not more often
      last |= kRepeated;
      return;
    }
    ++continuity_errors_;
  }
  last = view.continuity;
}

void Scanner::follow_program() {
  const Program* program = tables_.program();
  const ElementaryStream* video = program != nullptr ? program->video() : nullptr;
  const ElementaryStream* audio = program != nullptr ? program->audio() : nullptr;
  const ElementaryStream* counted = video != nullptr ? video : audio;
  has_video_ = video != nullptr;
  frame_pid_ = counted != nullptr ? counted->pid : kNullPid;
  frame_codec_ = counted != nullptr ? counted->codec : Codec::other;
}

// Many encoders do not set the random access indicator; the parameter sets or the picture itself then show in
// the first packet.
bool Scanner::begins_keyframe(const PacketView& view) {
  if (view.random_access) return true;
  const auto bytes = after_pes_header(view.payload);
  if (frame_codec_ == Codec::mpeg2_video) return has_sequence_header(bytes);
  if (frame_codec_ != Codec::h264 && frame_codec_ != Codec::h265) return false;
  const auto codec = frame_codec_ == Codec::h264 ? nal::Codec::h264 : nal::Codec::h265;
  nal::split_annex_b(bytes, units_);
  return std::ranges::any_of(units_, [codec](nal::Unit unit) {
    const nal::Kind kind = nal::kind_of(codec, unit);
    return kind == nal::Kind::random_access || kind == nal::Kind::sps || kind == nal::Kind::vps;
  });
}

}  // namespace simulcast::mpegts
