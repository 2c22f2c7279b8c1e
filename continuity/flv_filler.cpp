#include "continuity/flv_filler.hpp"

#include <algorithm>
#include <iterator>
#include <span>
#include <utility>

#include "protocol/flv/codec_config.hpp"
#include "protocol/flv/codec_config_build.hpp"

namespace simulcast::continuity {

using media::MediaKind;
using media::Packet;
using media::PacketRole;
using media::Payload;
using media::Time;
using Position = media::Timeline::Position;

namespace {

void add(const Position& position, Time time, const Payload& payload, std::vector<Packet>& out) {
  Packet& packet = out.emplace_back();
  packet.kind = position.kind;
  packet.track = position.track;
  packet.keyframe = position.kind == MediaKind::video;
  packet.dts = packet.pts = time;
  packet.payload = payload;
}

}  // namespace

FlvFiller::FlvFiller(const media::Lane& lane, const media::Timeline& timeline, const SlateChoice& slate,
                     Workshop& workshop)
    : slate_(slate), workshop_(workshop), parts_(std::make_shared<FlvParts>(lane, timeline)) {
  ordered_ = workshop_.begin(parts_);
}

void FlvFiller::take_parts() {
  if (!parts_) return;
  if (!ordered_) ordered_ = workshop_.begin(parts_);
  if (!parts_->ready()) return;
  for (FlvParts::Picture& made : parts_->take_pictures()) {
    const Position& from = made.from;
    const Time first = std::max(from.dts + kPicturePeriod, from.pts + kPictureGap);
    pictures_.push_back({.made = std::move(made), .next = first});
  }
  for (FlvParts::Sound& made : parts_->take_sounds()) {
    Sound sound{made.from, std::move(made.body), SoundClock(made.from.dts, *made.frame)};
    sound.clock.advance();  // the last frame that was sent takes its time
    sounds_.push_back(std::move(sound));
  }
  parts_.reset();
}

// From here on the slate is shown. Its header, which goes before it.
std::optional<Packet> FlvFiller::take_slate(Picture& picture) const {
  constexpr unsigned kLengthSize = 4;  // as the records have it that are built
  FlvParts::Picture& made = picture.made;
  if (picture.slate_shown || !made.format) return std::nullopt;
  const auto slate = slate_.find(*made.format);
  if (!slate) return std::nullopt;
  picture.slate_shown = true;
  const nal::Codec codec = made.format->codec;
  // With the sets of the stream: what was kept of them stays good.
  std::vector<nal::Unit> all =
      flv::parameter_sets(codec, std::span<const std::byte>(made.config).subspan(made.config_prefix));
  all.insert(all.end(), slate->sets.begin(), slate->sets.end());
  std::vector<nal::Unit> sets[3];
  for (const nal::Unit set : all) {
    const nal::Kind kind = nal::kind_of(codec, set);
    sets[kind == nal::Kind::vps ? 0 : kind == nal::Kind::sps ? 1 : 2].push_back(set);
  }
  const flv::PictureFormat format{made.format->chroma_format, made.format->depth, made.format->depth};
  const auto record = codec == nal::Codec::h264 ? flv::build_avc_config(sets[1], sets[2], format)
                                                : flv::build_hevc_config(sets[0], sets[1], sets[2], format);
  if (record.has_error()) return std::nullopt;
  for (std::size_t i = 0; i < std::size(made.versions); ++i) {
    made.versions[i] = flv_video_body(made.frame_prefix, slate->picture.version(i), kLengthSize);
  }
  std::vector<std::byte> body(made.config.begin(),
                              made.config.begin() + static_cast<std::ptrdiff_t>(made.config_prefix));
  body.insert(body.end(), record->begin(), record->end());
  Packet header;
  header.kind = made.from.kind;
  header.role = PacketRole::codec_header;
  header.track = made.from.track;
  header.payload = Payload::copy_of(body);
  return header;
}

void FlvFiller::fill(Picture& picture, media::Timeline::Clock::time_point now,
                     std::vector<Packet>& out) const {
  const Position& from = picture.made.from;
  const Time until = from.at(now);
  picture.next = first_picture_due(picture.next, until, picture.made.versions[0].size());
  for (; picture.next <= until; picture.next += kPicturePeriod) {
    if (auto header = take_slate(picture)) {
      header->dts = header->pts = picture.next;
      out.push_back(*std::move(header));
    }
    const Payload& version = picture.made.versions[picture.turn++ % 2];
    if (!version.empty()) add(from, picture.next, version, out);
  }
}

void FlvFiller::fill(media::Timeline::Clock::time_point now, std::vector<Packet>& out) {
  take_parts();
  const auto first = static_cast<std::ptrdiff_t>(out.size());
  for (Picture& picture : pictures_) fill(picture, now, out);
  for (Sound& sound : sounds_) {
    const Time until = sound.from.at(now);
    sound.clock.skip_to(until - kMostMissed);
    for (; sound.clock.next_end() <= until; sound.clock.advance()) {
      add(sound.from, sound.clock.next(), sound.body, out);
    }
  }
  std::stable_sort(out.begin() + first, out.end(),
                   [](const Packet& a, const Packet& b) { return a.dts < b.dts; });
}

}  // namespace simulcast::continuity
