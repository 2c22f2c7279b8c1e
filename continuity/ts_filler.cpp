#include "continuity/ts_filler.hpp"

#include <algorithm>
#include <iterator>
#include <span>
#include <utility>

#include "protocol/mpegts/packet_writer.hpp"

namespace simulcast::continuity {

using media::MediaKind;
using media::Packet;
using media::Time;

namespace {

constexpr std::size_t kDatagram = 7 * mpegts::kPacketSize;
constexpr std::chrono::milliseconds kTablesPeriod{100};
// Silence ends this much before the present: sound that an encoder sends a little before its first picture
// still comes behind it.
constexpr Time kMargin = std::chrono::milliseconds{60};
}  // namespace

TsFiller::TsFiller(const media::Lane& lane, TsSplice& splice, const SlateChoice& slate, Workshop& workshop)
    : splice_(splice),
      slate_(slate),
      workshop_(workshop),
      reference_(splice.reference()),
      tracks_(splice.tracks()),
      parts_(std::make_shared<TsParts>(lane)) {
  tables_.assign(parts_->tables().begin(), parts_->tables().end());
  ordered_ = workshop_.begin(parts_);
}

void TsFiller::take_parts() {
  if (!parts_) return;
  if (!ordered_) ordered_ = workshop_.begin(parts_);
  if (!parts_->ready()) return;
  const auto find = [this](std::uint16_t pid) {
    return std::ranges::find(tracks_, pid, &TsSplice::Track::pid);
  };
  if (auto& made = parts_->picture) {
    if (const auto track = find(made->pid); track != tracks_.end()) {
      const Time first = std::max(track->dts + kPicturePeriod, track->pts + kPictureGap);
      picture_ = Picture{.from = *track, .made = *std::move(made), .next = first};
    }
  }
  for (TsParts::Sound& made : parts_->sounds) {
    const auto track = find(made.pid);
    if (track == tracks_.end()) continue;
    const Time begin = TsSplice::nearest(made.end, track->dts);
    sounds_.push_back({*track, std::move(made.frame), SoundClock(begin, *made.silence)});
  }
  parts_.reset();
}

void TsFiller::take_slate() {
  TsParts::Picture& made = picture_->made;
  if (picture_->slate_shown || !made.format) return;
  const auto slate = slate_.find(*made.format);
  if (!slate) return;
  picture_->slate_shown = true;
  for (std::size_t i = 0; i < std::size(made.versions); ++i) {
    made.versions[i] = annex_b(slate->picture.version(i));
  }
}

void TsFiller::add_clock(Clock::time_point now, std::vector<std::byte>& packets) const {
  if (!reference_) return;
  mpegts::ClockReference clock = reference_->clock;
  clock.base += std::chrono::duration_cast<Time>(now - reference_->arrival);
  mpegts::append_clock(reference_->pid, clock, packets);
}

void TsFiller::hand_out(std::vector<std::byte>& packets, bool keyframe, Clock::time_point now,
                        std::vector<Packet>& out) {
  splice_.add(packets, now);
  for (std::size_t at = 0; at < packets.size(); at += kDatagram) {
    Packet& packet = out.emplace_back();
    packet.kind = picture_ ? MediaKind::video : MediaKind::audio;
    packet.keyframe = keyframe && at == 0;
    packet.frames = packet.keyframe ? 1 : 0;
    packet.payload = media::Payload::copy_of(
        std::span<const std::byte>(packets).subspan(at, std::min(kDatagram, packets.size() - at)));
  }
  packets.clear();
}

void TsFiller::fill(Clock::time_point now, std::vector<Packet>& out) {
  take_parts();
  std::vector<std::byte> packets;
  if (now - tables_at_ >= kTablesPeriod) {
    tables_at_ = now;
    packets = tables_;
  }
  add_clock(now, packets);
  for (Sound& sound : sounds_) {
    const Time until = sound.from.at(now) - kMargin;
    sound.clock.skip_to(until - kMostMissed);
    for (; sound.clock.next_end() <= until; sound.clock.advance()) {
      mpegts::append_pes(sound.from.pid, sound.from.stream_id, sound.clock.next(), false, sound.frame,
                         packets);
    }
  }
  hand_out(packets, false, now, out);
  if (!picture_) return;
  const Time until = picture_->from.at(now);
  picture_->next = first_picture_due(picture_->next, until, picture_->made.versions[0].size());
  for (; picture_->next <= until; picture_->next += kPicturePeriod) {
    take_slate();
    const auto& version = picture_->made.versions[picture_->turn++ % 2];
    if (version.empty()) continue;
    mpegts::append_pes(picture_->from.pid, picture_->from.stream_id, picture_->next, true, version, packets);
    hand_out(packets, true, now, out);
  }
}

}  // namespace simulcast::continuity
