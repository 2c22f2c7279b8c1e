#include "protocol/flv/tag_body.hpp"

#include <optional>

#include "protocol/big_endian.hpp"
#include "protocol/flv/error.hpp"

namespace simulcast::flv {

using boost::system::error_code;
using boost::system::result;

namespace {

enum FrameType : std::uint8_t { kKeyframe = 1, kDisposable = 3, kGeneratedKeyframe = 4, kCommand = 5 };
enum LegacyPacket : std::uint8_t { kLegacyHeader = 0, kLegacyFrames = 1, kLegacyEnd = 2 };
enum MultitrackType : std::uint8_t { kOneTrack = 0, kManyTracks = 1, kManyTracksManyCodecs = 2 };

// Packet types of Enhanced RTMP. Where audio and video have the same thing, it has the same number except
// multitrack.
enum PacketType : std::uint8_t {
  kSequenceStart = 0,
  kCodedFrames = 1,
  kSequenceEnd = 2,
  kCodedFramesX = 3,          // video: composition offset 0, left out
  kMetadata = 4,              // video: colour information; audio: channel layout
  kMpeg2TsSequenceStart = 5,  // video
  kAudioMultitrack = 5,
  kVideoMultitrack = 6,
  kModEx = 7,
};

class Cursor {
 public:
  explicit Cursor(std::span<const std::byte> body) : body_(body) {}

  // A big-endian number of that many bytes, if there are as many.
  std::optional<std::uint32_t> number(std::size_t bytes) {
    if (body_.size() - position_ < bytes) return std::nullopt;
    std::uint32_t value = 0;
    while (bytes-- > 0) value = value << 8 | load_u8(&body_[position_++]);
    return value;
  }
  bool skip(std::size_t bytes) {
    if (body_.size() - position_ < bytes) return false;
    position_ += bytes;
    return true;
  }
  std::size_t position() const { return position_; }

 private:
  std::span<const std::byte> body_;
  std::size_t position_ = 0;
};

// ModEx prefixes: size u8 + 1 (256: u16 + 1 instead), that many bytes, then type and the next packet type in
// one byte. Each takes at least three bytes, which bounds the loop.
error_code skip_mod_ex(Cursor& cursor, std::uint32_t& packet_type) {
  while (packet_type == kModEx) {
    auto size = cursor.number(1);
    if (size == 255) {
      size = cursor.number(2);
    }
    if (!size || !cursor.skip(*size + 1)) return Error::truncated;
    const auto next = cursor.number(1);
    if (!next) return Error::truncated;
    packet_type = *next & 0x0F;
  }
  return {};
}

struct Track {
  std::uint32_t four_cc = 0;
  std::uint8_t id = 0;
  bool several = false;
};

// From the multitrack byte, if there is one, to the end of the FourCC and track number.
error_code read_track(Cursor& cursor, bool multitrack, std::uint32_t& packet_type, Track& track) {
  std::uint32_t type = kOneTrack;
  if (multitrack) {
    const auto byte = cursor.number(1);
    if (!byte) return Error::truncated;
    type = *byte >> 4;
    if (type > kManyTracksManyCodecs) return Error::bad_multitrack;
    packet_type = *byte & 0x0F;
  }
  // One FourCC for all, or one for each track: the first is read either way.
  const auto codec = cursor.number(4);
  if (!codec) return Error::truncated;
  track.four_cc = *codec;
  if (!multitrack) return {};
  const auto id = cursor.number(1);
  if (!id) return Error::truncated;
  track.id = static_cast<std::uint8_t>(*id);
  track.several = type != kOneTrack;
  if (track.several && !cursor.skip(3)) return Error::truncated;
  return {};
}

VideoCodec video_codec(FourCc code) {
  switch (const auto codec = static_cast<VideoCodec>(code)) {
    case VideoCodec::avc:
    case VideoCodec::hevc:
    case VideoCodec::vvc:
    case VideoCodec::av1:
    case VideoCodec::vp8:
    case VideoCodec::vp9:
      return codec;
    case VideoCodec::unknown:
      break;
  }
  return VideoCodec::unknown;
}

AudioCodec audio_codec(FourCc code) {
  switch (const auto codec = static_cast<AudioCodec>(code)) {
    case AudioCodec::aac:
    case AudioCodec::mp3:
    case AudioCodec::opus:
    case AudioCodec::flac:
    case AudioCodec::ac3:
    case AudioCodec::eac3:
      return codec;
    case AudioCodec::unknown:
      break;
  }
  return AudioCodec::unknown;
}

// 12 and 13 are not in the specification, but Chinese encoders and services use them in AVC's layout.
VideoCodec legacy_video_codec(std::uint8_t id) {
  switch (id) {
    case 7:
      return VideoCodec::avc;
    case 12:
      return VideoCodec::hevc;
    case 13:
      return VideoCodec::av1;
    default:
      return VideoCodec::unknown;
  }
}

AudioCodec legacy_audio_codec(std::uint8_t format) {
  switch (format) {
    case 2:
    case 14:
      return AudioCodec::mp3;
    case 10:
      return AudioCodec::aac;
    case 13:
      return AudioCodec::opus;
    default:
      return AudioCodec::unknown;
  }
}

std::int32_t sign_extend_24(std::uint32_t value) {
  return static_cast<std::int32_t>(value << 8) >> 8;
}

error_code read_composition_offset(Cursor& cursor, VideoTag& tag) {
  const auto offset = cursor.number(3);
  if (!offset) return Error::truncated;
  tag.composition_offset = sign_extend_24(*offset);
  return {};
}

result<VideoTag> parse_legacy_video(Cursor cursor, std::uint32_t first) {
  const auto frame_type = static_cast<std::uint8_t>(first >> 4);
  VideoTag tag;
  tag.legacy_codec_id = static_cast<std::uint8_t>(first & 0x0F);
  tag.codec = legacy_video_codec(tag.legacy_codec_id);
  tag.is_command = frame_type == kCommand;
  tag.is_droppable = frame_type == kDisposable;
  const bool key = frame_type == kKeyframe || frame_type == kGeneratedKeyframe;
  tag.data_offset = cursor.position();
  if (tag.is_command) return tag;
  if (tag.codec == VideoCodec::unknown) {
    tag.is_keyframe = key;
    return tag;
  }
  const auto packet_type = cursor.number(1);
  if (!packet_type) return Error::truncated;
  tag.is_end_of_sequence = packet_type == kLegacyEnd;
  if (tag.is_end_of_sequence) return tag;
  if (const auto error = read_composition_offset(cursor, tag)) return error;
  tag.is_header = packet_type == kLegacyHeader;
  if (tag.is_header) tag.composition_offset = 0;
  tag.is_keyframe = key && packet_type == kLegacyFrames;
  tag.data_offset = cursor.position();
  return tag;
}

}  // namespace

result<VideoTag> parse_video(std::span<const std::byte> body) {
  if (body.empty()) return VideoTag{};
  Cursor cursor(body);
  const std::uint32_t first = *cursor.number(1);
  if ((first & 0x80) == 0) return parse_legacy_video(cursor, first);

  VideoTag tag;
  tag.enhanced = true;
  const std::uint32_t frame_type = first >> 4 & 0x07;
  std::uint32_t packet_type = first & 0x0F;
  if (const auto error = skip_mod_ex(cursor, packet_type)) return error;
  tag.data_offset = cursor.position();
  if (packet_type != kMetadata && frame_type == kCommand) {
    tag.is_command = true;
    return tag;
  }
  if (packet_type > kModEx) return tag;  // of a later version: opaque

  Track track;
  if (const auto error = read_track(cursor, packet_type == kVideoMultitrack, packet_type, track))
    return error;
  tag.codec = video_codec(track.four_cc);
  tag.track = track.id;
  tag.several_tracks = track.several;
  switch (packet_type) {
    case kMetadata:
      tag.is_colour_info = true;
      [[fallthrough]];
    case kSequenceStart:
    case kMpeg2TsSequenceStart:
      tag.is_header = true;
      break;
    case kSequenceEnd:
      tag.is_end_of_sequence = true;
      break;
    case kCodedFrames:
      if (tag.codec == VideoCodec::avc || tag.codec == VideoCodec::hevc || tag.codec == VideoCodec::vvc) {
        if (const auto error = read_composition_offset(cursor, tag)) return error;
      }
      [[fallthrough]];
    case kCodedFramesX:
      tag.is_keyframe = frame_type == kKeyframe || frame_type == kGeneratedKeyframe;
      tag.is_droppable = frame_type == kDisposable;
      break;
    default:
      break;
  }
  tag.data_offset = cursor.position();
  return tag;
}

result<AudioTag> parse_audio(std::span<const std::byte> body) {
  static constexpr std::uint32_t kEnhancedFormat = 9;
  if (body.empty()) return AudioTag{};
  Cursor cursor(body);
  const std::uint32_t first = *cursor.number(1);
  AudioTag tag;
  if (first >> 4 != kEnhancedFormat) {
    tag.legacy_format = static_cast<std::uint8_t>(first >> 4);
    tag.codec = legacy_audio_codec(tag.legacy_format);
    if (tag.codec == AudioCodec::aac) {
      const auto packet_type = cursor.number(1);
      if (!packet_type) return Error::truncated;
      tag.is_header = packet_type == kLegacyHeader;
    }
    tag.data_offset = cursor.position();
    return tag;
  }

  tag.enhanced = true;
  std::uint32_t packet_type = first & 0x0F;
  if (const auto error = skip_mod_ex(cursor, packet_type)) return error;
  tag.data_offset = cursor.position();
  if (packet_type > kModEx) return tag;

  Track track;
  if (const auto error = read_track(cursor, packet_type == kAudioMultitrack, packet_type, track))
    return error;
  tag.codec = audio_codec(track.four_cc);
  tag.track = track.id;
  tag.several_tracks = track.several;
  tag.is_multichannel_config = packet_type == kMetadata;
  tag.is_header = packet_type == kSequenceStart || packet_type == kMetadata;
  tag.is_end_of_sequence = packet_type == kSequenceEnd;
  tag.data_offset = cursor.position();
  return tag;
}

}  // namespace simulcast::flv
