#include "continuity/flv_parts.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <span>
#include <utility>

#include "continuity/sound_format.hpp"
#include "continuity/still_picture.hpp"
#include "protocol/flv/codec_config.hpp"
#include "protocol/flv/tag_body.hpp"
#include "repackage/picture.hpp"

namespace simulcast::continuity {

using media::MediaKind;
using media::Packet;
using media::PacketRole;
using media::Payload;
using Position = media::Timeline::Position;

namespace {

std::optional<nal::Codec> nal_codec(flv::VideoCodec codec) {
  if (codec == flv::VideoCodec::avc) return nal::Codec::h264;
  if (codec == flv::VideoCodec::hevc) return nal::Codec::h265;
  return std::nullopt;
}

// Where the tracks of one kind lie among those that are filled.
class Places {
 public:
  static constexpr std::uint8_t kNone = 0xFF;
  Places() { places_.fill(kNone); }
  std::uint8_t& operator[](std::uint8_t track) { return places_[track]; }

 private:
  std::array<std::uint8_t, 256> places_;
};

// A header that tells the codec's configuration, not how it is to be shown or heard.
bool is_configuration(const Packet& header) {
  const auto bytes = header.payload.bytes();
  if (header.kind == MediaKind::video) {
    const auto tag = flv::parse_video(bytes);
    return !tag.has_error() && tag->is_header && !tag->is_colour_info;
  }
  const auto tag = flv::parse_audio(bytes);
  return !tag.has_error() && tag->is_header && tag->codec == flv::AudioCodec::aac;
}

bool shows_what_is_wanted(const Packet& packet) {
  if (packet.role != PacketRole::frame || packet.payload.empty()) return false;
  if (packet.kind == MediaKind::video) return packet.keyframe;
  const auto bytes = packet.payload.bytes();
  const auto tag = flv::parse_audio(bytes);
  return !tag.has_error() && !tag->several_tracks && tag->data_offset <= bytes.size();
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

}  // namespace

Payload flv_video_body(std::vector<std::byte> body, const StillPicture::Units& units, unsigned length_size) {
  std::size_t size = body.size();
  for (const auto& unit : units) size += length_size + unit.size();
  body.reserve(size);
  for (const auto& unit : units) {
    append_length(body, unit.size(), length_size);
    body.insert(body.end(), unit.begin(), unit.end());
  }
  return Payload::copy_of(body);
}

FlvParts::FlvParts(const media::Lane& lane, const media::Timeline& timeline) {
  choose_tracks(timeline);
  Places video;
  Places audio;
  for (std::size_t i = 0; i < tracks_.size(); ++i) {
    const Position& from = tracks_[i].from;
    (from.kind == MediaKind::video ? video : audio)[from.track] = static_cast<std::uint8_t>(i);
  }
  const auto find = [&](const Packet& packet) -> Track* {
    if (packet.kind != MediaKind::video && packet.kind != MediaKind::audio) return nullptr;
    const std::uint8_t place = (packet.kind == MediaKind::video ? video : audio)[packet.track];
    return place == Places::kNone ? nullptr : &tracks_[place];
  };
  for (const Packet& header : lane.headers()) {
    if (header.role != PacketRole::codec_header) continue;
    Track* track = find(header);
    if (track != nullptr && track->header.empty() && is_configuration(header)) track->header = header.payload;
  }
  std::size_t missing = tracks_.size();
  std::size_t looked_at = 0;
  for (const Packet& packet : lane.gop()) {
    if (missing == 0 || ++looked_at > kMostLookedAt) break;
    Track* track = find(packet);
    if (track == nullptr || !track->frame.empty() || !shows_what_is_wanted(packet)) continue;
    track->frame = packet.payload;
    --missing;
  }
}

void FlvParts::choose_tracks(const media::Timeline& timeline) {
  std::size_t pictures = 0;
  std::size_t sounds = 0;
  for (const Position& position : timeline.positions()) {
    if ((position.kind == MediaKind::video && pictures++ < kMostPictureTracks) ||
        (position.kind == MediaKind::audio && sounds++ < kMostSilentTracks)) {
      tracks_.push_back({position, {}, {}});
    }
  }
}

void FlvParts::make(Silences& silences) {
  for (const Track& track : tracks_) {
    if (track.frame.empty()) continue;
    if (track.from.kind == MediaKind::video) {
      if (auto picture = picture_of(track)) pictures_.push_back(*std::move(picture));
    } else if (auto sound = sound_of(track, silences)) {
      sounds_.push_back(*std::move(sound));
    }
  }
  tracks_.clear();
}

std::optional<FlvParts::Picture> FlvParts::picture_of(const Track& track) {
  const auto config = track.header.bytes();
  const auto bytes = track.frame.bytes();
  const auto header = flv::parse_video(config);
  const auto tag = flv::parse_video(bytes);
  if (config.empty() || header.has_error() || tag.has_error() || tag->several_tracks) return std::nullopt;
  const auto codec = nal_codec(tag->codec);
  if (!codec) return std::nullopt;
  const auto in_record = config.subspan(header->data_offset);
  const auto record = flv::parse_config(*codec, in_record);
  if (record.has_error()) return std::nullopt;
  std::vector<nal::Unit> units;
  const auto coded = bytes.subspan(tag->data_offset);
  const bool whole = nal::split_length_prefixed(coded, record->nal_length_size, units, kMostStillUnits);
  const auto sets = flv::parameter_sets(*codec, in_record);
  Picture picture{.from = track.from,
                  .versions = {},
                  .format = slate_format(*codec, record->profile, sets, units),
                  .config = {config.begin(), config.end()},
                  .config_prefix = header->data_offset,
                  .frame_prefix = frame_prefix(bytes.first(tag->data_offset), tag->composition_offset != 0)};
  if (!whole || coded.size() > kLargestStill) return picture;
  const auto still = StillPicture::of(*codec, units, sets);
  if (!still) return picture;
  for (std::size_t i = 0; i < std::size(picture.versions); ++i) {
    picture.versions[i] = flv_video_body(picture.frame_prefix, still->version(i), record->nal_length_size);
  }
  return picture;
}

std::optional<FlvParts::Sound> FlvParts::sound_of(const Track& track, Silences& silences) {
  const auto bytes = track.frame.bytes();
  const auto tag = flv::parse_audio(bytes);
  if (tag.has_error() || tag->data_offset > bytes.size()) return std::nullopt;
  std::optional<SoundFormat> format;
  if (!track.header.empty()) {
    const auto header = flv::parse_audio(track.header.bytes());
    if (header.has_value()) format = format_of_aac(track.header.bytes().subspan(header->data_offset));
  } else if (tag->codec == flv::AudioCodec::mp3) {
    format = format_of_mpeg_audio(bytes.subspan(tag->data_offset));
  }
  const auto silence = format ? silences.of(*format) : nullptr;
  if (!silence) return std::nullopt;
  std::vector<std::byte> body(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(tag->data_offset));
  body.insert(body.end(), silence->bytes.begin(), silence->bytes.end());
  return Sound{track.from, Payload::copy_of(body), silence};
}

}  // namespace simulcast::continuity
