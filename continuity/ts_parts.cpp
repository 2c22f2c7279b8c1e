#include "continuity/ts_parts.hpp"

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
#include "repackage/picture.hpp"

namespace simulcast::continuity {

using media::Packet;
using media::PacketRole;
using media::Time;

namespace {

constexpr Time kTail = std::chrono::seconds{2};
constexpr std::byte kStartCode[] = {std::byte{0}, std::byte{0}, std::byte{0}, std::byte{1}};

// How much of a GOP is read.
class Budget {
 public:
  bool take(const Packet& packet) {
    bytes_ += packet.payload.size();
    return bytes_ <= TsParts::kMostBytes && ++datagrams_ <= TsParts::kMostDatagrams;
  }

 private:
  std::size_t bytes_ = 0;
  std::size_t datagrams_ = 0;
};

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

std::vector<std::byte> annex_b(const StillPicture::Units& units) {
  std::size_t size = 0;
  for (const auto& unit : units) size += std::size(kStartCode) + unit.size();
  std::vector<std::byte> bytes;
  bytes.reserve(size);
  for (const auto& unit : units) {
    bytes.insert(bytes.end(), std::begin(kStartCode), std::end(kStartCode));
    bytes.insert(bytes.end(), unit.begin(), unit.end());
  }
  return bytes;
}

class TsParts::Model final : private mpegts::Demuxer::Handler {
 public:
  explicit Model(const TsParts& parts) : demuxer_(static_cast<mpegts::Demuxer::Handler&>(*this)) {
    demuxer_.push(parts.tables_.bytes());
    for (std::size_t i = 0; i < parts.datagrams_.size(); ++i) {
      // The first picture is wanted, and where the sound ends: a long GOP takes long to read.
      if (picture_seen_ && i < parts.tail_) continue;
      if (i == parts.beginning_ && !picture_seen_) end_beginning();
      demuxer_.push(parts.datagrams_[i].bytes());
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

  std::uint16_t video_pid = mpegts::kNullPid;
  std::optional<StillPicture> picture;
  std::optional<SlateFormat> format;
  std::map<std::uint16_t, Sound> sounds;

 private:
  // What was read did not hold the picture whole: its size is all that can be known of it.
  void end_beginning() {
    broken_off_ = true;
    demuxer_.finish();
    picture_seen_ = true;
    demuxer_.select(sound_pids_);
  }

  void on_program(const mpegts::Program& program) override {
    sound_pids_.clear();
    for (const auto& stream : program.streams) {
      const bool aac = stream.codec == mpegts::Codec::aac;
      if (!aac && stream.codec != mpegts::Codec::mpeg_audio) continue;
      if (!sounds.contains(stream.pid) && sounds.size() >= kMostSilentTracks) continue;
      sounds.try_emplace(stream.pid, aac);
      sound_pids_.push_back(stream.pid);
    }
    std::vector<std::uint16_t> pids = sound_pids_;
    const auto* video = program.video();
    if (video != nullptr && (video->codec == mpegts::Codec::h264 || video->codec == mpegts::Codec::h265)) {
      video_pid = video->pid;
      if (!picture_seen_) pids.push_back(video->pid);
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
    if (pes.corrupt && !broken_off_) return;
    const auto codec = pes.codec == mpegts::Codec::h264 ? nal::Codec::h264 : nal::Codec::h265;
    std::vector<nal::Unit> units;
    nal::split_annex_b(pes.bytes, units, kMostStillUnits + 1);
    const auto size = repackage::picture_of(codec, units);
    if (size) set_format(codec, *size, units);
    const bool whole = !broken_off_ && units.size() <= kMostStillUnits;
    if (whole && pes.bytes.size() <= kLargestStill) picture = StillPicture::of(codec, units, {});
  }

  void set_format(nal::Codec codec, const repackage::Picture& size, std::span<const nal::Unit> units) {
    format = SlateFormat{.codec = codec,
                         .width = size.width,
                         .height = size.height,
                         .chroma_format = size.format.chroma_format,
                         .depth = size.format.luma_depth};
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
  bool broken_off_ = false;     // the beginning ended within the picture
};

TsParts::TsParts(const media::Lane& lane) {
  for (const Packet& header : lane.headers()) {
    if (header.role == PacketRole::join_header) tables_ = header.payload;
  }
  const auto& gop = lane.gop();
  Budget for_picture;
  auto beginning = gop.begin();
  while (beginning != gop.end() && for_picture.take(*beginning)) ++beginning;
  Budget for_sound;
  auto tail = gop.end();
  while (tail != gop.begin()) {
    const Packet& packet = *std::prev(tail);
    if (packet.dts < gop.back().dts - kTail || !for_sound.take(packet)) break;
    --tail;
  }
  const auto hold = [this](const Packet& packet) { datagrams_.push_back(packet.payload); };
  std::for_each(gop.begin(), beginning, hold);
  beginning_ = datagrams_.size();
  tail_ = static_cast<std::size_t>(std::min(tail, beginning) - gop.begin());
  std::for_each(std::max(tail, beginning), gop.end(), hold);
}

TsParts::~TsParts() = default;

void TsParts::make(Silences& silences) {
  Model model(*this);
  datagrams_.clear();
  if (model.picture || model.format) {
    picture = Picture{.pid = model.video_pid, .versions = {}, .format = model.format};
    for (std::size_t i = 0; model.picture && i < std::size(picture->versions); ++i) {
      picture->versions[i] = annex_b(model.picture->version(i));
    }
  }
  for (auto& [pid, sound] : model.sounds) {
    if (sound.last.empty()) continue;
    const auto header = mpegts::parse_adts(sound.last);
    const auto format = !sound.is_aac ? format_of_mpeg_audio(sound.last)
                        : header      ? format_of_aac(header->audio_specific_config())
                                      : std::nullopt;
    auto silence = format ? silences.of(*format) : nullptr;
    if (!silence) continue;
    auto frame = sound.is_aac ? adts_frame(sound.last, silence->bytes) : silence->bytes;
    sounds.push_back({pid, std::move(frame), std::move(silence), sound.end});
  }
}

}  // namespace simulcast::continuity
