#include "repackage/flv_to_ts.hpp"

#include <algorithm>
#include <utility>

#include "protocol/big_endian.hpp"

namespace simulcast::repackage {

using media::MediaKind;
using media::Packet;
using media::PacketRole;
using media::Time;

namespace {

constexpr std::uint16_t kFirstPid = 0x100;

// Fixed, so that a track keeps its PID whatever comes and goes beside it.
std::uint16_t pid_of(MediaKind kind, std::uint8_t track) {
  return static_cast<std::uint16_t>(kFirstPid + 2 * track + (kind == MediaKind::audio ? 1 : 0));
}

std::optional<nal::Codec> carried(flv::VideoCodec codec) {
  switch (codec) {
    case flv::VideoCodec::avc:
      return nal::Codec::h264;
    case flv::VideoCodec::hevc:
      return nal::Codec::h265;
    default:
      return std::nullopt;
  }
}

std::optional<mpegts::TrackCodec> carried(flv::AudioCodec codec) {
  switch (codec) {
    case flv::AudioCodec::aac:
      return mpegts::TrackCodec::aac;
    case flv::AudioCodec::mp3:
      return mpegts::TrackCodec::mp3;
    case flv::AudioCodec::opus:
      return mpegts::TrackCodec::opus;
    case flv::AudioCodec::ac3:
      return mpegts::TrackCodec::ac3;
    case flv::AudioCodec::eac3:
      return mpegts::TrackCodec::eac3;
    default:
      return std::nullopt;
  }
}

std::string_view name_of(const flv::VideoTag& tag) {
  switch (tag.codec) {
    case flv::VideoCodec::vvc:
      return "VVC video";
    case flv::VideoCodec::av1:
      return "AV1 video";
    case flv::VideoCodec::vp8:
      return "VP8 video";
    case flv::VideoCodec::vp9:
      return "VP9 video";
    default:
      break;
  }
  if (tag.enhanced) return "video of an unknown codec";
  switch (tag.legacy_codec_id) {
    case 2:
      return "Sorenson H.263 video";
    case 3:
    case 6:
      return "Screen video";
    case 4:
    case 5:
      return "VP6 video";
    default:
      return "video of an unknown codec";
  }
}

std::string_view name_of(const flv::AudioTag& tag) {
  if (tag.codec == flv::AudioCodec::flac) return "FLAC audio";
  if (tag.enhanced) return "audio of an unknown codec";
  switch (tag.legacy_format) {
    case 0:
    case 3:
      return "PCM audio";
    case 1:
      return "ADPCM audio";
    case 4:
    case 5:
    case 6:
      return "Nellymoser audio";
    case 7:
    case 8:
      return "G.711 audio";
    case 11:
      return "Speex audio";
    default:
      return "audio of an unknown codec";
  }
}

// Of an MPEG audio frame; ISO/IEC 11172-3, 2.4.1.3, ISO/IEC 13818-3 and the 2.5 extension.
std::optional<int> mpeg_audio_rate(std::span<const std::byte> frame) {
  static constexpr int kRates[] = {44'100, 48'000, 32'000};
  if (frame.size() < 4) return std::nullopt;
  const std::uint32_t header = load_u32(frame.data());
  const std::uint32_t version = header >> 19 & 3;  // 0: 2.5, 2: MPEG-2, 3: MPEG-1
  const std::uint32_t rate = header >> 10 & 3;
  if (header >> 21 != 0x7FF || version == 1 || rate == 3) return std::nullopt;
  return kRates[rate] / (version == 3 ? 1 : version == 2 ? 2 : 4);
}

mpegts::Track entry_of(mpegts::TrackCodec codec, std::span<const std::byte> config = {}) {
  mpegts::Track entry;
  entry.codec = codec;
  entry.extradata.assign(config.begin(), config.end());
  return entry;
}

mpegts::Track mp3_entry(int sample_rate) {
  mpegts::Track entry = entry_of(mpegts::TrackCodec::mp3);
  entry.sample_rate = sample_rate;
  return entry;
}

// RFC 7845, 5.1: channel count at byte 9. Without a header two are assumed.
mpegts::Track opus_entry(std::span<const std::byte> head) {
  constexpr std::size_t kShortestHead = 19;
  if (head.size() < kShortestHead) return entry_of(mpegts::TrackCodec::opus);
  mpegts::Track entry = entry_of(mpegts::TrackCodec::opus, head);
  entry.channels = std::max(1, static_cast<int>(load_u8(&head[9])));
  return entry;
}

// What fits one ADTS frame with its header; ISO/IEC 13818-7, 6.2.
constexpr std::size_t kMaxAac = 8191 - 7;

bool right_size(mpegts::TrackCodec codec, std::size_t size) {
  switch (codec) {
    case mpegts::TrackCodec::aac:
      return size >= 2 && size <= kMaxAac;
    case mpegts::TrackCodec::opus:
      return size >= 2 && size <= FlvToTs::kMaxAudioFrame;  // the muxer takes none of one byte
    default:
      return size <= FlvToTs::kMaxAudioFrame;
  }
}

struct Times {
  Time dts;
  Time pts;
};

// Some encoders give a frame out of order a negative composition time: it is shown before it is decoded. FLV
// has no rule against it, MPEG-TS has. The PTS are right, so the DTS of the track are moved ahead of them.
Times times_of(const Packet& packet, Time& reorder) {
  const Time early = packet.dts - packet.pts;
  if (early > FlvToTs::kMaxReorder) return {packet.dts - reorder, packet.dts};
  reorder = std::max(reorder, early);
  return {packet.dts - reorder, packet.pts};
}

}  // namespace

void FlvToTs::push(const Packet& packet, std::vector<Packet>& out) {
  if (packet.role == PacketRole::metadata || packet.role == PacketRole::join_header) return;
  if (packet.payload.empty()) return;  // silence, by Enhanced RTMP
  if (packet.kind == MediaKind::video) video(packet, out);
  if (packet.kind == MediaKind::audio) audio(packet, out);
}

void FlvToTs::flush(std::vector<Packet>& out) {
  if (!datagrams_.filling()) return;
  const bool video_runs = has_video_ && newest_ - newest_video_ < kVideoStopped;
  if (video_runs && newest_ - datagrams_.filling_time() < kMaxRide) return;
  datagrams_.cut();
  hand_out(out);
}

void FlvToTs::end_run(std::vector<Packet>& out) {
  datagrams_.cut();
  hand_out(out);
}

void FlvToTs::begin_publisher() {
  starting_ = true;
  waiting_.clear();
  for (auto& [id, track] : tracks_) track.announced = track.running = false;
  not_carried_.clear();
  tell_left_out();
}

void FlvToTs::video(const Packet& packet, std::vector<Packet>& out) {
  const auto tag = flv::parse_video(packet.payload.bytes());
  if (tag.has_error()) {
    ++malformed_;
    return;
  }
  if (tag->is_command || tag->is_end_of_sequence || tag->is_colour_info) return;
  const TrackId id{MediaKind::video, tag->track};
  if (tag->several_tracks) return leave_out({MediaKind::data, 0}, "tracks that share a message");
  const auto codec = carried(tag->codec);
  if (!codec) {
    remove(id);
    return leave_out(id, name_of(*tag));
  }
  if (tag->is_header) {
    video_header(id, *codec, packet.payload.bytes().subspan(tag->data_offset));
  } else {
    video_frame(packet, id, *codec, *tag, out);
  }
}

void FlvToTs::video_header(TrackId id, nal::Codec codec, std::span<const std::byte> record) {
  ToAnnexB fresh(codec);
  Track* track = find(id);
  const bool same_codec = track != nullptr && track->annex_b->codec() == codec;
  if (!(same_codec ? *track->annex_b : fresh).set_config(record)) {
    ++malformed_;
    return;
  }
  if (!track) track = find_or_add(id);
  if (!track) return;
  carry(id);
  track->announced = true;
  if (same_codec) return;
  track->annex_b = std::move(fresh);
  track->entry.codec = codec == nal::Codec::h264 ? mpegts::TrackCodec::h264 : mpegts::TrackCodec::h265;
  track->in_tables = track->running = false;  // from its next keyframe on
}

void FlvToTs::video_frame(const Packet& packet, TrackId id, nal::Codec codec, const flv::VideoTag& tag,
                          std::vector<Packet>& out) {
  Track* track = find(id);
  if (!track || track->annex_b->codec() != codec) {
    ++malformed_;  // without a header nothing can be made of it
    return;
  }
  if (!track->running && !tag.is_keyframe) return;
  const auto data = track->annex_b->rewrite(packet.payload.bytes().subspan(tag.data_offset), tag.is_keyframe);
  if (data.empty()) {
    ++malformed_;
    return;
  }
  track->running = track->announced = true;
  if (starting_) start(true);
  write(packet, id, *track, tag.is_keyframe, data, out);
  release_waiting(out);
}

void FlvToTs::audio(const Packet& packet, std::vector<Packet>& out) {
  const auto tag = flv::parse_audio(packet.payload.bytes());
  if (tag.has_error()) {
    ++malformed_;
    return;
  }
  if (tag->is_end_of_sequence || tag->is_multichannel_config) return;
  const TrackId id{MediaKind::audio, tag->track};
  if (tag->several_tracks) return leave_out({MediaKind::data, 0}, "tracks that share a message");
  const auto codec = carried(tag->codec);
  if (!codec) {
    remove(id);
    return leave_out(id, name_of(*tag));
  }
  const auto data = packet.payload.bytes().subspan(tag->data_offset);
  if (!tag->is_header) return audio_frame(packet, id, *codec, data, out);
  switch (*codec) {
    case mpegts::TrackCodec::aac:
      return audio_header(id, entry_of(*codec, data));
    case mpegts::TrackCodec::opus:
      return audio_header(id, opus_entry(data));
    default:
      // Has nothing to say but that the track is there.
      if (const Track* track = find(id); track && track->entry.codec == *codec) {
        return audio_header(id, mpegts::Track(track->entry));
      }
      return audio_header(id, entry_of(*codec));
  }
}

void FlvToTs::audio_header(TrackId id, mpegts::Track&& entry) {
  constexpr std::size_t kMaxConfig = 1024;  // ASC and OpusHead: real ones are below 300
  if (entry.extradata.size() > kMaxConfig ||
      (entry.codec == mpegts::TrackCodec::aac && entry.extradata.empty())) {
    ++malformed_;
    return;
  }
  entry.pid = pid_of(id.first, id.second);
  Track* track = find(id);
  if (!track || track->entry != entry) {
    if (!mpegts::Muxer::carries(entry)) {
      remove(id);
      return leave_out(id, entry.codec == mpegts::TrackCodec::opus ? "Opus audio of this channel layout"
                                                                   : "AAC audio of this profile");
    }
    track = find_or_add(id);
    if (!track) return;
    track->entry = std::move(entry);
    track->in_tables = false;  // from its next frame on
  }
  carry(id);
  track->announced = true;
}

void FlvToTs::audio_frame(const Packet& packet, TrackId id, mpegts::TrackCodec codec,
                          std::span<const std::byte> data, std::vector<Packet>& out) {
  if (data.empty()) return;
  const auto rate = codec == mpegts::TrackCodec::mp3 ? mpeg_audio_rate(data) : std::nullopt;
  if (!right_size(codec, data.size()) || (codec == mpegts::TrackCodec::mp3 && !rate)) {
    ++malformed_;
    return;
  }
  Track* track = find(id);
  if (rate && (!track || track->entry.codec != codec || track->entry.sample_rate != *rate)) {
    audio_header(id, mp3_entry(*rate));
  } else if (codec != mpegts::TrackCodec::aac && (!track || track->entry.codec != codec)) {
    audio_header(id, entry_of(codec));  // the frames say all that a decoder needs
  }
  track = find(id);
  if (!track || track->entry.codec != codec) {
    if (!not_carried_.contains(id)) ++malformed_;  // no header yet
    return;
  }
  track->announced = true;
  if (starting_ && waits_for_video()) {
    waiting_.push_back(packet);
    if (waiting_.size() < kMaxWaitingFrames && packet.dts - waiting_.front().dts < kMaxWaiting) return;
    start(false);
    return release_waiting(out);
  }
  if (starting_) start(true);
  write(packet, id, *track, false, data, out);
}

FlvToTs::Track* FlvToTs::find(TrackId id) {
  const auto found = tracks_.find(id);
  return found == tracks_.end() ? nullptr : &found->second;
}

FlvToTs::Track* FlvToTs::find_or_add(TrackId id) {
  if (!tracks_.contains(id) && tracks_.size() >= kMaxTracks) {
    static const std::string what = "more than " + std::to_string(kMaxTracks) + " tracks";
    leave_out(id, what);
    return nullptr;
  }
  Track& track = tracks_[id];
  track.entry.pid = pid_of(id.first, id.second);
  return &track;
}

void FlvToTs::remove(TrackId id) {
  if (tracks_.erase(id) > 0) tables_stale_ = true;
}

bool FlvToTs::waits_for_video() const {
  return std::ranges::any_of(tracks_, [](const auto& entry) {
    return entry.first.first == MediaKind::video && entry.second.announced;
  });
}

// All that the publisher has announced goes into the first tables, so that they need not change at once.
void FlvToTs::start(bool with_video) {
  starting_ = false;
  // Audio without a header may still come: it is not known to be gone.
  const auto gone = [](const auto& entry) {
    return !entry.second.announced &&
           (is_video(entry.second.entry.codec) || entry.second.entry.codec == mpegts::TrackCodec::aac);
  };
  std::erase_if(tracks_, gone);
  for (auto& [id, track] : tracks_) {
    if (track.announced) track.in_tables = with_video || id.first == MediaKind::audio;
  }
  tables_stale_ = true;
}

void FlvToTs::release_waiting(std::vector<Packet>& out) {
  for (const Packet& packet : std::exchange(waiting_, {})) audio(packet, out);
}

bool FlvToTs::update_tables(std::vector<Packet>& out) {
  if (!std::exchange(tables_stale_, false)) return true;
  std::vector<mpegts::Track> entries;
  for (auto& [id, track] : tracks_) {
    if (!track.in_tables) continue;
    track.position = entries.size();
    entries.push_back(track.entry);
  }
  if (entries == muxer_.tracks()) return true;
  datagrams_.cut();  // what belongs to the old tables, and to the kind that the stream had
  hand_out(out);
  has_video_ = !entries.empty() && is_video(entries.front().codec);
  if (muxer_.set_tracks(std::move(entries))) return true;
  tables_stale_ = true;
  return false;
}

void FlvToTs::write(const Packet& packet, TrackId id, Track& track, bool keyframe,
                    std::span<const std::byte> data, std::vector<Packet>& out) {
  if (!track.in_tables) track.in_tables = tables_stale_ = true;
  if (!update_tables(out)) {
    ++malformed_;
    return;
  }
  const bool is_video = id.first == MediaKind::video;
  const bool join_point = keyframe && track.position == 0;
  const Times times = times_of(packet, track.reorder);
  datagrams_.begin_unit(packet.dts, join_point, is_video == has_video_);
  if (!muxer_.write({track.position, times.dts, times.pts, keyframe, data}, datagrams_)) ++malformed_;

  newest_ = std::max(newest_, packet.dts);
  if (is_video) newest_video_ = std::max(newest_video_, packet.dts);
  if (is_video || (datagrams_.filling() && has_video_ && newest_ - datagrams_.filling_time() >= kMaxRide)) {
    datagrams_.cut();
  }
  hand_out(out);
}

void FlvToTs::hand_out(std::vector<Packet>& out) {
  for (mpegts::Datagram& datagram : datagrams_.complete()) {
    Packet packet;
    packet.kind = has_video_ ? MediaKind::video : MediaKind::audio;
    packet.keyframe = datagram.join_point;
    packet.frames = datagram.units;
    packet.dts = packet.pts = datagram.time;
    packet.payload = std::move(datagram.bytes);
    out.push_back(std::move(packet));
  }
  datagrams_.complete().clear();
}

void FlvToTs::leave_out(TrackId id, std::string_view what) {
  std::string& known = not_carried_[id];
  if (known == what) return;
  known = what;
  tell_left_out();
}

void FlvToTs::carry(TrackId id) {
  if (not_carried_.erase(id) > 0) tell_left_out();
}

void FlvToTs::tell_left_out() {
  left_out_.clear();
  std::vector<std::string> named;
  for (const auto& [id, what] : not_carried_) {
    if (std::ranges::find(named, what) != named.end()) continue;
    left_out_ += (named.empty() ? "not carried over SRT: " : ", ") + what;
    named.push_back(what);
  }
}

}  // namespace simulcast::repackage
