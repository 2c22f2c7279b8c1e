#include "continuity/flv_filler.hpp"

#include <algorithm>
#include <iterator>
#include <optional>
#include <span>
#include <utility>

#include "continuity/sound_format.hpp"
#include "continuity/still_picture.hpp"
#include "protocol/flv/codec_config.hpp"
#include "protocol/flv/codec_config_build.hpp"
#include "protocol/flv/tag_body.hpp"
#include "repackage/picture.hpp"

namespace simulcast::continuity {

using media::MediaKind;
using media::Packet;
using media::PacketRole;
using media::Payload;
using media::Time;
using Position = media::Timeline::Position;

namespace {

bool is_of(const Packet& packet, const Position& position, PacketRole role) {
  return packet.kind == position.kind && packet.track == position.track && packet.role == role;
}

std::optional<nal::Codec> nal_codec(flv::VideoCodec codec) {
  if (codec == flv::VideoCodec::avc) return nal::Codec::h264;
  if (codec == flv::VideoCodec::hevc) return nal::Codec::h265;
  return std::nullopt;
}

// The configuration record of the track, which the tag body ends with.
struct Config {
  Payload body;  // keeps it alive
  std::size_t prefix;
  std::span<const std::byte> record;
};
std::optional<Config> config_of(const media::Lane& lane, const Position& position) {
  for (const Packet& header : lane.headers()) {
    if (!is_of(header, position, PacketRole::codec_header)) continue;
    const auto tag = flv::parse_video(header.payload.bytes());
    if (tag.has_error() || !tag->is_header || tag->is_colour_info) continue;
    const auto bytes = header.payload.bytes();
    return Config{header.payload, tag->data_offset, bytes.subspan(tag->data_offset)};
  }
  return std::nullopt;
}

void append_length(std::vector<std::byte>& body, std::size_t length, unsigned size) {
  for (unsigned i = size; i > 0; --i) body.push_back(static_cast<std::byte>(length >> (8 * (i - 1))));
}

// Everything before the NAL units as in the tag it is made of, but shown when it is decoded.
std::vector<std::byte> frame_prefix(std::span<const std::byte> tag_header, bool has_composition_offset) {
  constexpr std::size_t kOffsetSize = 3;
  std::vector<std::byte> prefix(tag_header.begin(), tag_header.end());
  if (has_composition_offset) std::fill(prefix.end() - kOffsetSize, prefix.end(), std::byte{0});
  return prefix;
}

Payload video_body(std::vector<std::byte> body, const StillPicture::Units& units, unsigned length_size) {
  for (const auto& unit : units) {
    append_length(body, unit.size(), length_size);
    body.insert(body.end(), unit.begin(), unit.end());
  }
  return Payload::copy_of(body);
}

std::optional<SlateFormat> slate_format(nal::Codec codec, std::uint8_t profile, std::vector<nal::Unit> sets,
                                        std::span<const nal::Unit> units) {
  const auto slice = std::ranges::find_if(units, [codec](nal::Unit unit) {
    const nal::Kind kind = nal::kind_of(codec, unit);
    return kind == nal::Kind::slice || kind == nal::Kind::random_access;
  });
  if (slice != units.end()) sets.push_back(*slice);
  const auto picture = repackage::picture_of(codec, sets);
  if (!picture) return std::nullopt;
  return SlateFormat{.codec = codec,
                     .width = picture->width,
                     .height = picture->height,
                     .chroma_format = picture->format.chroma_format,
                     .depth = picture->format.luma_depth,
                     .profile = profile};
}

// What the frames of the track begin with, before the coded data.
std::vector<std::byte> sound_prefix(const media::Lane& lane, const Position& position) {
  for (const Packet& packet : lane.gop()) {
    if (!is_of(packet, position, PacketRole::frame)) continue;
    const auto bytes = packet.payload.bytes();
    const auto tag = flv::parse_audio(bytes);
    if (tag.has_error() || tag->several_tracks || tag->data_offset > bytes.size()) continue;
    return {bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(tag->data_offset)};
  }
  return {};
}

std::optional<SoundFormat> format_of_frame(const media::Lane& lane, const Position& position) {
  for (const Packet& packet : lane.gop()) {
    if (!is_of(packet, position, PacketRole::frame)) continue;
    const auto tag = flv::parse_audio(packet.payload.bytes());
    if (tag.has_error() || tag->codec != flv::AudioCodec::mp3) return std::nullopt;
    return format_of_mpeg_audio(packet.payload.bytes().subspan(tag->data_offset));
  }
  return std::nullopt;
}

std::optional<SoundFormat> format_of(const media::Lane& lane, const Position& position) {
  for (const Packet& header : lane.headers()) {
    if (!is_of(header, position, PacketRole::codec_header)) continue;
    const auto tag = flv::parse_audio(header.payload.bytes());
    if (tag.has_error() || !tag->is_header || tag->codec != flv::AudioCodec::aac) continue;
    return format_of_aac(header.payload.bytes().subspan(tag->data_offset));
  }
  return format_of_frame(lane, position);
}

}  // namespace

FlvFiller::FlvFiller(const media::Lane& lane, const media::Timeline& timeline, const SlateChoice& slate)
    : slate_(slate) {
  for (const Position& position : timeline.positions()) {
    if (position.kind == MediaKind::video) add_picture(lane, position);
    if (position.kind == MediaKind::audio) add_sound(lane, position);
  }
}

void FlvFiller::add_picture(const media::Lane& lane, const Position& position) {
  const auto keyframe = std::ranges::find_if(lane.gop(), [&](const Packet& packet) {
    return is_of(packet, position, PacketRole::frame) && packet.keyframe;
  });
  const auto config = config_of(lane, position);
  if (keyframe == lane.gop().end() || !config) return;
  const auto bytes = keyframe->payload.bytes();
  const auto tag = flv::parse_video(bytes);
  if (tag.has_error() || tag->several_tracks) return;
  const auto codec = nal_codec(tag->codec);
  if (!codec) return;
  const auto record = flv::parse_config(*codec, config->record);
  if (record.has_error()) return;
  std::vector<nal::Unit> units;
  if (!nal::split_length_prefixed(bytes.subspan(tag->data_offset), record->nal_length_size, units)) return;
  const auto sets = flv::parameter_sets(*codec, config->record);
  const auto still = StillPicture::of(*codec, units, sets);
  if (!still) return;
  Picture picture{.from = position,
                  .versions = {},
                  .next = std::max(position.dts + kPicturePeriod, position.pts + kPictureGap),
                  .format = slate_format(*codec, record->profile, sets, units),
                  .config = {config->body.bytes().begin(), config->body.bytes().end()},
                  .config_prefix = config->prefix,
                  .frame_prefix = frame_prefix(bytes.first(tag->data_offset), tag->composition_offset != 0)};
  for (std::size_t i = 0; i < std::size(picture.versions); ++i) {
    picture.versions[i] = video_body(picture.frame_prefix, still->version(i), record->nal_length_size);
  }
  pictures_.push_back(std::move(picture));
}

// From here on the slate is shown. Its header, which goes before it.
std::optional<Packet> FlvFiller::take_slate(Picture& picture) const {
  constexpr unsigned kLengthSize = 4;  // as the records have it that are built
  if (picture.slate_shown || !picture.format) return std::nullopt;
  const auto slate = slate_.find(*picture.format);
  if (!slate) return std::nullopt;
  picture.slate_shown = true;
  const nal::Codec codec = picture.format->codec;
  // With the sets of the stream: what was kept of them stays good.
  std::vector<nal::Unit> all =
      flv::parameter_sets(codec, std::span<const std::byte>(picture.config).subspan(picture.config_prefix));
  all.insert(all.end(), slate->sets.begin(), slate->sets.end());
  std::vector<nal::Unit> sets[3];
  for (const nal::Unit set : all) {
    const nal::Kind kind = nal::kind_of(codec, set);
    sets[kind == nal::Kind::vps ? 0 : kind == nal::Kind::sps ? 1 : 2].push_back(set);
  }
  const flv::PictureFormat format{picture.format->chroma_format, picture.format->depth,
                                  picture.format->depth};
  const auto record = codec == nal::Codec::h264 ? flv::build_avc_config(sets[1], sets[2], format)
                                                : flv::build_hevc_config(sets[0], sets[1], sets[2], format);
  if (record.has_error()) return std::nullopt;
  for (std::size_t i = 0; i < std::size(picture.versions); ++i) {
    picture.versions[i] = video_body(picture.frame_prefix, slate->picture.version(i), kLengthSize);
  }
  std::vector<std::byte> body(picture.config.begin(),
                              picture.config.begin() + static_cast<std::ptrdiff_t>(picture.config_prefix));
  body.insert(body.end(), record->begin(), record->end());
  Packet header;
  header.kind = picture.from.kind;
  header.role = PacketRole::codec_header;
  header.track = picture.from.track;
  header.payload = Payload::copy_of(body);
  return header;
}

void FlvFiller::add_sound(const media::Lane& lane, const Position& position) {
  const auto format = format_of(lane, position);
  std::vector<std::byte> body = sound_prefix(lane, position);
  if (!format || body.empty()) return;
  const auto frame = make_silence(*format);
  if (!frame) return;
  body.insert(body.end(), frame->bytes.begin(), frame->bytes.end());
  Sound sound{position, Payload::copy_of(body), SoundClock(position.dts, *frame)};
  sound.clock.advance();  // the last frame that was sent takes its time
  sounds_.push_back(std::move(sound));
}

void FlvFiller::fill(media::Timeline::Clock::time_point now, std::vector<Packet>& out) {
  const auto first = static_cast<std::ptrdiff_t>(out.size());
  const auto add = [&](const Position& position, Time time, const Payload& payload) {
    Packet& packet = out.emplace_back();
    packet.kind = position.kind;
    packet.track = position.track;
    packet.keyframe = position.kind == MediaKind::video;
    packet.dts = packet.pts = time;
    packet.payload = payload;
  };
  for (Picture& picture : pictures_) {
    const Time until = picture.from.at(now);
    picture.next = std::max(picture.next, until - kMostMissed);
    for (; picture.next <= until; picture.next += kPicturePeriod) {
      if (auto header = take_slate(picture)) {
        header->dts = header->pts = picture.next;
        out.push_back(*std::move(header));
      }
      add(picture.from, picture.next, picture.versions[picture.turn++ % 2]);
    }
  }
  for (Sound& sound : sounds_) {
    for (const Time until = sound.from.at(now); sound.clock.next_end() <= until; sound.clock.advance()) {
      add(sound.from, sound.clock.next(), sound.body);
    }
  }
  std::stable_sort(out.begin() + first, out.end(),
                   [](const Packet& a, const Packet& b) { return a.dts < b.dts; });
}

}  // namespace simulcast::continuity
