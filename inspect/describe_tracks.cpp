#include "inspect/describe_tracks.hpp"

extern "C" {
#include <libavcodec/avcodec.h>
}

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <deque>
#include <utility>
#include <vector>

#include "continuity/sound_format.hpp"
#include "media/cut_text.hpp"
#include "protocol/flv/codec_config.hpp"
#include "protocol/flv/script_data.hpp"
#include "protocol/flv/tag_body.hpp"
#include "protocol/mpegts/tables.hpp"
#include "protocol/rtmp/peer_text.hpp"
#include "repackage/make_repackager.hpp"
#include "repackage/picture.hpp"

namespace simulcast::inspect {

using media::AudioTrack;
using media::MediaKind;
using media::Packet;
using media::PacketRole;
using media::VideoTrack;

namespace {

// Enough for the first frames of sound that are interleaved with a large keyframe.
constexpr std::size_t kMaxDatagrams = 2048;
constexpr std::size_t kMaxUnits = 1024;   // of a keyframe, among which its first slice is looked for
constexpr std::size_t kMaxEncoder = 100;  // bytes of its name

std::string video_name(const flv::VideoTag& tag) {
  switch (tag.codec) {
    case flv::VideoCodec::avc:
      return "h264";
    case flv::VideoCodec::hevc:
      return "hevc";
    case flv::VideoCodec::vvc:
      return "vvc";
    case flv::VideoCodec::av1:
      return "av1";
    case flv::VideoCodec::vp8:
      return "vp8";
    case flv::VideoCodec::vp9:
      return "vp9";
    case flv::VideoCodec::unknown:
      break;
  }
  return fmt::format("flv-video-{}", tag.legacy_codec_id);
}

std::string audio_name(const flv::AudioTag& tag) {
  switch (tag.codec) {
    case flv::AudioCodec::aac:
      return "aac";
    case flv::AudioCodec::mp3:
      return "mp3";
    case flv::AudioCodec::opus:
      return "opus";
    case flv::AudioCodec::flac:
      return "flac";
    case flv::AudioCodec::ac3:
      return "ac3";
    case flv::AudioCodec::eac3:
      return "eac3";
    case flv::AudioCodec::unknown:
      break;
  }
  return fmt::format("flv-audio-{}", tag.legacy_format);
}

std::string name_of(AVCodecID codec, int profile) {
  const char* name = avcodec_profile_name(codec, profile);
  return name != nullptr ? name : std::string();
}

// ITU-T H.264, 7.4.2.1.1 and annex A: profile, constraints and level are the first three bytes of an SPS.
void describe_h264(nal::Unit sps, VideoTrack& track) {
  constexpr std::size_t kEnd = 4;
  constexpr unsigned kConstraint1 = 0x40;
  constexpr unsigned kConstraint3 = 0x10;
  constexpr unsigned kLevel11 = 11;
  if (sps.size() < kEnd) return;
  int profile = std::to_integer<int>(sps[1]);
  const auto constraints = std::to_integer<unsigned>(sps[2]);
  const auto level = std::to_integer<unsigned>(sps[3]);
  if (profile == FF_PROFILE_H264_BASELINE && (constraints & kConstraint1) != 0) {
    profile |= FF_PROFILE_H264_CONSTRAINED;
  }
  track.profile = name_of(AV_CODEC_ID_H264, profile);
  const bool is_1b = level == 9 || (level == kLevel11 && profile < FF_PROFILE_H264_HIGH &&
                                    (constraints & kConstraint3) != 0);
  track.level = is_1b ? "1b" : fmt::format("{}.{}", level / 10, level % 10);
}

bool is_slice(nal::Codec codec, nal::Unit unit) {
  const nal::Kind kind = nal::kind_of(codec, unit);
  return kind == nal::Kind::slice || kind == nal::Kind::random_access;
}

// `record`: the decoder configuration; `keyframe`: coded data that follows it.
void describe_nal_video(nal::Codec codec, std::span<const std::byte> record,
                        std::span<const std::byte> keyframe, VideoTrack& track) {
  const auto config = flv::parse_config(codec, record);
  if (config.has_error()) return;
  std::vector<nal::Unit> units = flv::parameter_sets(codec, record);
  if (codec == nal::Codec::h264) {
    if (!units.empty()) describe_h264(units.front(), track);
  } else {
    constexpr int kTimesThirty = 30;  // general_level_idc; ITU-T H.265, A.4
    track.profile = name_of(AV_CODEC_ID_HEVC, config->profile);
    track.level = fmt::format("{}.{}", config->level / kTimesThirty, config->level % kTimesThirty / 3);
  }
  std::vector<nal::Unit> coded;
  nal::split_length_prefixed(keyframe, config->nal_length_size, coded, kMaxUnits);
  const auto slice = std::ranges::find_if(coded, [&](nal::Unit unit) { return is_slice(codec, unit); });
  if (slice == coded.end()) return;
  units.push_back(*slice);
  if (const auto picture = repackage::picture_of(codec, units)) {
    track.width = picture->width;
    track.height = picture->height;
  }
}

void describe_aac(std::span<const std::byte> config, AudioTrack& track) {
  constexpr std::size_t kShortest = 2;
  constexpr int kSbr = 5;
  constexpr int kPs = 29;
  if (config.size() < kShortest) return;
  // The type it is signalled as: HE-AAC has that of its extension first. ISO/IEC 14496-3, 1.6.2.1
  const int type = std::to_integer<int>(config[0]) >> 3;
  track.profile = name_of(AV_CODEC_ID_AAC, type - 1);
  if (type == kSbr) track.profile = "HE-AAC";
  if (type == kPs) track.profile = "HE-AACv2";
  if (const auto format = continuity::format_of_aac(config)) {
    const bool doubled = type == kSbr || type == kPs;
    track.sample_rate = static_cast<unsigned>(doubled ? 2 * format->sample_rate : format->sample_rate);
    track.channels = type == kPs ? 2 : static_cast<unsigned>(format->channels);
  }
}

std::span<const std::byte> data_of(const Packet& packet, std::size_t offset) {
  const auto bytes = packet.payload.bytes();
  return bytes.subspan(std::min(offset, bytes.size()));
}

void describe_video(const std::vector<Packet>& headers, const std::deque<Packet>& frames, Tracks& tracks) {
  const auto is_first = [](const Packet& packet) {
    return packet.kind == MediaKind::video && packet.track == 0 && packet.role == PacketRole::frame &&
           packet.keyframe;
  };
  const auto keyframe = std::ranges::find_if(frames, is_first);
  if (keyframe == frames.end()) return;
  const auto coded = flv::parse_video(keyframe->payload.bytes());
  if (coded.has_error()) return;
  VideoTrack track;
  track.codec = video_name(*coded);
  for (const Packet& header : headers) {
    if (header.kind != MediaKind::video || header.track != 0) continue;
    const auto tag = flv::parse_video(header.payload.bytes());
    if (tag.has_error() || !tag->is_header || tag->is_colour_info || tag->codec != coded->codec) continue;
    if (tag->codec != flv::VideoCodec::avc && tag->codec != flv::VideoCodec::hevc) continue;
    const auto codec = tag->codec == flv::VideoCodec::avc ? nal::Codec::h264 : nal::Codec::h265;
    describe_nal_video(codec, data_of(header, tag->data_offset), data_of(*keyframe, coded->data_offset),
                       track);
  }
  tracks.video = std::move(track);
}

void describe_audio(const std::vector<Packet>& headers, const std::deque<Packet>& frames, Tracks& tracks) {
  const auto is_first = [](const Packet& packet) {
    return packet.kind == MediaKind::audio && packet.track == 0 && !packet.payload.empty();
  };
  const auto frame = std::ranges::find_if(frames, is_first);
  const auto header = std::ranges::find_if(headers, is_first);
  if (frame == frames.end() && header == headers.end()) return;
  const Packet& any = frame != frames.end() ? *frame : *header;
  const auto tag = flv::parse_audio(any.payload.bytes());
  if (tag.has_error()) return;
  AudioTrack track;
  track.codec = audio_name(*tag);
  if (tag->codec == flv::AudioCodec::aac && header != headers.end()) {
    const auto config = flv::parse_audio(header->payload.bytes());
    if (!config.has_error() && config->is_header) describe_aac(data_of(*header, config->data_offset), track);
  } else if (tag->codec == flv::AudioCodec::mp3 && frame != frames.end()) {
    if (const auto format = continuity::format_of_mpeg_audio(data_of(*frame, tag->data_offset))) {
      track.sample_rate = static_cast<unsigned>(format->sample_rate);
      track.channels = static_cast<unsigned>(format->channels);
    }
  }
  tracks.audio = std::move(track);
}

void describe_metadata(const std::vector<Packet>& headers, Tracks& tracks) {
  for (const Packet& header : headers) {
    if (header.role != PacketRole::metadata) continue;
    const auto metadata = flv::parse_metadata(header.payload.bytes());
    if (metadata.has_error()) continue;
    // People read it, in JSON as well. Only the beginning is looked at.
    const auto words = std::string_view(metadata->encoder).substr(0, 4 * kMaxEncoder);
    tracks.encoder = media::cut_text(rtmp::clean_peer_text(words, {}), kMaxEncoder);
    // Of codecs whose headers are not looked into.
    if (tracks.video && tracks.video->width == 0 && metadata->width && metadata->height) {
      constexpr double kMaxSide = 65'535;
      tracks.video->width = static_cast<unsigned>(std::clamp(*metadata->width, 0.0, kMaxSide));
      tracks.video->height = static_cast<unsigned>(std::clamp(*metadata->height, 0.0, kMaxSide));
    }
  }
}

Tracks describe_flv(const std::vector<Packet>& headers, const std::deque<Packet>& frames) {
  Tracks tracks;
  describe_video(headers, frames, tracks);
  describe_audio(headers, frames, tracks);
  describe_metadata(headers, tracks);
  return tracks;
}

const char* ts_name(mpegts::Codec codec) {
  using enum mpegts::Codec;
  switch (codec) {
    case h264:
      return "h264";
    case h265:
      return "hevc";
    case mpeg2_video:
      return "mpeg2video";
    case aac:
      return "aac";
    case aac_latm:
      return "aac_latm";
    case mpeg_audio:
      return "mp2";
    case ac3:
      return "ac3";
    case eac3:
      return "eac3";
    case opus:
      return "opus";
    case dts:
      return "dts";
    default:
      return "unknown";
  }
}

// What the tables alone tell, of tracks that could not be looked into.
void describe_tables(const std::vector<Packet>& headers, Tracks& tracks) {
  mpegts::Tables tables;
  for (const Packet& header : headers) {
    auto bytes = header.payload.bytes();
    for (; bytes.size() >= mpegts::kPacketSize; bytes = bytes.subspan(mpegts::kPacketSize)) {
      const auto packet = bytes.first(mpegts::kPacketSize);
      if (packet.front() == mpegts::kSyncByte) tables.push(packet, mpegts::parse_packet(packet));
    }
  }
  const mpegts::Program* program = tables.program();
  if (program == nullptr) return;
  const auto* video = program->video();
  const auto* audio = program->audio();
  if (video != nullptr && !tracks.video) tracks.video.emplace().codec = ts_name(video->codec);
  if (audio != nullptr && !tracks.audio) tracks.audio.emplace().codec = ts_name(audio->codec);
}

Tracks describe_mpegts(const std::vector<Packet>& headers, const std::deque<Packet>& datagrams) {
  const auto repackager = repackage::make_repackager(media::PacketForm::mpegts, media::PacketForm::flv);
  std::vector<Packet> made;
  for (const Packet& header : headers) repackager->push(header, made);
  for (std::size_t i = 0; i < std::min(datagrams.size(), kMaxDatagrams); ++i) {
    repackager->push(datagrams[i], made);
  }
  repackager->flush(made);
  std::vector<Packet> flv_headers;
  std::deque<Packet> frames;
  for (Packet& packet : made) {
    if (packet.role == PacketRole::frame) {
      frames.push_back(std::move(packet));
    } else {
      flv_headers.push_back(std::move(packet));
    }
  }
  Tracks tracks = describe_flv(flv_headers, frames);
  tracks.encoder.clear();  // the metadata is ours
  describe_tables(headers, tracks);
  return tracks;
}

}  // namespace

Tracks describe_tracks(const media::Lane& lane, media::PacketForm form) {
  return form == media::PacketForm::flv ? describe_flv(lane.headers(), lane.gop())
                                        : describe_mpegts(lane.headers(), lane.gop());
}

}  // namespace simulcast::inspect
