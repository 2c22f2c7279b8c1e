#include "continuity/ts_filler.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <span>
#include <utility>

#include "continuity/sound_format.hpp"
#include "continuity/still_picture.hpp"
#include "protocol/mpegts/adts.hpp"
#include "protocol/mpegts/audio_frames.hpp"
#include "protocol/mpegts/demuxer.hpp"
#include "protocol/mpegts/mpeg_audio.hpp"
#include "protocol/mpegts/packet_writer.hpp"
#include "repackage/picture.hpp"

namespace simulcast::continuity {

using media::MediaKind;
using media::Packet;
using media::PacketRole;
using media::Time;

namespace {

constexpr std::size_t kDatagram = 7 * mpegts::kPacketSize;
constexpr std::chrono::milliseconds kTablesPeriod{100};
// Silence ends this much before the present: sound that an encoder sends a little before its first picture
// still comes behind it.
constexpr Time kMargin = std::chrono::milliseconds{60};
constexpr Time kTail = std::chrono::seconds{2};
constexpr std::byte kStartCode[] = {std::byte{0}, std::byte{0}, std::byte{0}, std::byte{1}};

std::vector<std::byte> annex_b(const StillPicture::Units& units) {
  std::vector<std::byte> bytes;
  for (const auto& unit : units) {
    bytes.insert(bytes.end(), std::begin(kStartCode), std::end(kStartCode));
    bytes.insert(bytes.end(), unit.begin(), unit.end());
  }
  return bytes;
}

// The header of a frame that was sent, for a frame of another size and without a CRC.
std::vector<std::byte> adts_frame(std::span<const std::byte> like, std::span<const std::byte> raw) {
  std::vector<std::byte> frame(like.begin(), like.begin() + mpegts::AdtsHeader::kSize);
  const std::size_t size = frame.size() + raw.size();
  frame[1] |= std::byte{0x01};
  frame[3] = (frame[3] & std::byte{0xFC}) | static_cast<std::byte>(size >> 11);
  frame[4] = static_cast<std::byte>(size >> 3);
  frame[5] = static_cast<std::byte>((size & 7) << 5) | std::byte{0x1F};
  frame[6] = std::byte{0xFC};  // fullness unknown, one block
  frame.insert(frame.end(), raw.begin(), raw.end());
  return frame;
}

}  // namespace

class TsFiller::Model final : private mpegts::Demuxer::Handler {
 public:
  explicit Model(const media::Lane& lane) : demuxer_(static_cast<mpegts::Demuxer::Handler&>(*this)) {
    for (const Packet& header : lane.headers()) {
      if (header.role != PacketRole::join_header) continue;
      tables.assign(header.payload.bytes().begin(), header.payload.bytes().end());
      demuxer_.push(tables);
    }
    for (const Packet& packet : lane.gop()) {
      // The first picture is wanted, and where the sound ends: a long GOP takes long to read.
      if (picture_seen_ && packet.dts < lane.gop().back().dts - kTail) continue;
      demuxer_.push(packet.payload.bytes());
      if (std::exchange(picture_found_, false)) demuxer_.select(sound_pids_);
    }
    demuxer_.finish();
  }

  struct Sound {
    explicit Sound(bool aac)
        : is_aac(aac),
          frames(aac ? mpegts::adts_frame : mpegts::mpeg_audio_frame,
                 aac ? mpegts::AdtsHeader::kSize : mpegts::MpegAudioHeader::kSize) {}
    bool is_aac;
    mpegts::AudioFrames frames;
    std::vector<std::byte> last;  // frame
    Time end{};                   // of it
  };

  std::vector<std::byte> tables;
  std::uint16_t video_pid = mpegts::kNullPid;
  std::optional<StillPicture> picture;
  std::optional<SlateFormat> format;
  std::map<std::uint16_t, Sound> sounds;

 private:
  void on_program(const mpegts::Program& program) override {
    std::vector<std::uint16_t> pids;
    for (const auto& stream : program.streams) {
      const bool aac = stream.codec == mpegts::Codec::aac;
      if (aac || stream.codec == mpegts::Codec::mpeg_audio) {
        sounds.try_emplace(stream.pid, aac);
        sound_pids_.push_back(stream.pid);
      }
    }
    pids = sound_pids_;
    const auto* video = program.video();
    if (video != nullptr && (video->codec == mpegts::Codec::h264 || video->codec == mpegts::Codec::h265)) {
      video_pid = video->pid;
      pids.push_back(video->pid);
    }
    demuxer_.select(pids);
  }

  void on_pes(const mpegts::Pes& pes) override {
    if (pes.pid == video_pid) return take_picture(pes);
    const auto sound = sounds.find(pes.pid);
    if (sound == sounds.end() || pes.corrupt) return;
    auto& [is_aac, frames, last, end] = sound->second;
    for (const auto& frame : frames.push(pes.bytes, pes.pts)) {
      const auto header = is_aac ? mpegts::adts_frame(frame.bytes) : mpegts::mpeg_audio_frame(frame.bytes);
      if (!header) continue;
      last.assign(frame.bytes.begin(), frame.bytes.end());
      end = frame.time + Time(std::int64_t{header->samples} * Time::period::den / header->sample_rate);
    }
  }

  void take_picture(const mpegts::Pes& pes) {
    if (picture_seen_) return;
    picture_seen_ = picture_found_ = true;
    if (pes.corrupt) return;
    const auto codec = pes.codec == mpegts::Codec::h264 ? nal::Codec::h264 : nal::Codec::h265;
    std::vector<nal::Unit> units;
    nal::split_annex_b(pes.bytes, units);
    picture = StillPicture::of(codec, units, {});
    const auto size = repackage::picture_of(codec, units);
    if (!size) return;
    format = SlateFormat{.codec = codec,
                         .width = size->width,
                         .height = size->height,
                         .chroma_format = size->format.chroma_format,
                         .depth = size->format.luma_depth};
    const auto sps = std::ranges::find_if(
        units, [codec](nal::Unit unit) { return nal::kind_of(codec, unit) == nal::Kind::sps; });
    if (codec == nal::Codec::h264 && sps != units.end() && sps->size() > 1) {
      format->profile = std::to_integer<std::uint8_t>((*sps)[1]);
    }
  }

  mpegts::Demuxer demuxer_;
  std::vector<std::uint16_t> sound_pids_;
  bool picture_seen_ = false;
  bool picture_found_ = false;  // since the last look
};

TsFiller::TsFiller(const media::Lane& lane, TsSplice& splice, const SlateChoice& slate)
    : splice_(splice), slate_(slate), reference_(splice.reference()) {
  Model model(lane);
  tables_ = std::move(model.tables);
  if (const auto* track = splice.track(model.video_pid); track != nullptr && model.picture) {
    picture_ = Picture{.from = *track,
                       .versions = {annex_b(model.picture->version(0)), annex_b(model.picture->version(1))},
                       .next = std::max(track->dts + kPicturePeriod, track->pts + kPictureGap),
                       .format = model.format};
  }
  for (auto& [pid, sound] : model.sounds) {
    const auto* track = splice.track(pid);
    if (track == nullptr || sound.last.empty()) continue;
    const auto header = mpegts::parse_adts(sound.last);
    const auto format = !sound.is_aac ? format_of_mpeg_audio(sound.last)
                        : header      ? format_of_aac(header->audio_specific_config())
                                      : std::nullopt;
    const auto silence = format ? make_silence(*format) : std::nullopt;
    if (!silence) continue;
    const Time begin = TsSplice::nearest(sound.end, track->dts);
    sounds_.push_back({*track, sound.is_aac ? adts_frame(sound.last, silence->bytes) : silence->bytes,
                       SoundClock(begin, *silence)});
  }
}

void TsFiller::take_slate() {
  if (picture_->slate_shown || !picture_->format) return;
  const auto slate = slate_.find(*picture_->format);
  if (!slate) return;
  picture_->slate_shown = true;
  for (std::size_t i = 0; i < std::size(picture_->versions); ++i) {
    picture_->versions[i] = annex_b(slate->picture.version(i));
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
  std::vector<std::byte> packets;
  if (now - tables_at_ >= kTablesPeriod) {
    tables_at_ = now;
    packets = tables_;
  }
  add_clock(now, packets);
  for (Sound& sound : sounds_) {
    const Time until = sound.from.at(now) - kMargin;
    for (; sound.clock.next_end() <= until; sound.clock.advance()) {
      mpegts::append_pes(sound.from.pid, sound.from.stream_id, sound.clock.next(), false, sound.frame,
                         packets);
    }
  }
  hand_out(packets, false, now, out);
  if (!picture_) return;
  const Time until = picture_->from.at(now);
  picture_->next = std::max(picture_->next, until - kMostMissed);
  for (; picture_->next <= until; picture_->next += kPicturePeriod) {
    take_slate();
    mpegts::append_pes(picture_->from.pid, picture_->from.stream_id, picture_->next, true,
                       picture_->versions[picture_->turn++ % 2], packets);
    hand_out(packets, true, now, out);
  }
}

}  // namespace simulcast::continuity
