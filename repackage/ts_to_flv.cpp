#include "repackage/ts_to_flv.hpp"

#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>

#include "protocol/flv/tag_body.hpp"
#include "protocol/rtmp/amf0.hpp"

namespace simulcast::repackage {

using media::MediaKind;
using media::Packet;
using media::PacketRole;
using media::Time;
using mpegts::Codec;
using std::chrono::milliseconds;

namespace {

constexpr std::uint32_t kAvcId = 7;

bool is_carryable_video(Codec codec) {
  return codec == Codec::h264 || codec == Codec::h265;
}
bool is_carryable_audio(Codec codec) {
  return codec == Codec::aac || codec == Codec::mpeg_audio;
}

// Down to the clock of RTMP, the same for every output.
milliseconds on_grid(Time time) {
  return std::chrono::floor<milliseconds>(time);
}

}  // namespace

TsToFlv::TsToFlv() {
  begin_publisher();
}

void TsToFlv::begin_publisher() {
  broken_before_ = broken();
  video_.reset();
  audio_.reset();
  program_ = {};
  video_pid_ = audio_pid_ = mpegts::kNullPid;
  refused_.clear();
  last_video_.reset();
  described_.reset();
  left_out_.clear();
  demuxer_ = std::make_unique<mpegts::Demuxer>(static_cast<mpegts::Demuxer::Handler&>(*this));
}

std::uint64_t TsToFlv::broken() const {
  return broken_before_ + (demuxer_ ? demuxer_->malformed() : 0) + (video_ ? video_->broken() : 0) +
         (audio_ ? audio_->broken() : 0);
}

void TsToFlv::push(const Packet& packet, std::vector<Packet>& out) {
  out_ = &out;
  demuxer_->push(packet.payload.bytes(), packet.after_hole);
  out_ = nullptr;
}

void TsToFlv::flush(std::vector<Packet>&) {}

void TsToFlv::end_run(std::vector<Packet>& out) {
  out_ = &out;
  demuxer_->finish();
  out_ = nullptr;
  if (audio_) audio_->end_run();
}

void TsToFlv::on_program(const mpegts::Program& program) {
  program_ = program;
  refused_.clear();
  choose_tracks();
}

void TsToFlv::choose_tracks() {
  mpegts::ElementaryStream video;
  mpegts::ElementaryStream audio;
  for (const auto& stream : program_.streams) {
    const bool is_refused = std::ranges::find(refused_, stream.pid, &Refused::pid) != refused_.end();
    if (is_carryable_video(stream.codec) && video.pid == mpegts::kNullPid) video = stream;
    if (is_carryable_audio(stream.codec) && audio.pid == mpegts::kNullPid && !is_refused) audio = stream;
  }
  choose_video(video.pid, video.codec);
  choose_audio(audio.pid, audio.codec);
  const std::uint16_t pids[] = {video_pid_, audio_pid_};
  demuxer_->select(pids);
  describe_left_out();
}

// A track whose PID moves goes on as it is; only another codec begins anew.
void TsToFlv::choose_video(std::uint16_t pid, Codec codec) {
  video_pid_ = pid;
  if (pid == mpegts::kNullPid) return;
  const auto nal_codec = codec == Codec::h264 ? nal::Codec::h264 : nal::Codec::h265;
  if (video_ && video_->codec() == nal_codec) return;
  if (video_) broken_before_ += video_->broken();
  video_.emplace(nal_codec);
}

void TsToFlv::choose_audio(std::uint16_t pid, Codec codec) {
  const bool is_same = audio_ && pid == audio_pid_ && codec == audio_codec_;
  audio_pid_ = pid;
  audio_codec_ = codec;
  if (is_same) return;
  if (audio_) broken_before_ += audio_->broken();
  audio_.reset();
  if (pid != mpegts::kNullPid) audio_.emplace(codec);
}

void TsToFlv::describe_left_out() {
  std::vector<std::string_view> names;
  for (const auto& stream : program_.streams) {
    if (stream.pid == video_pid_ || stream.pid == audio_pid_) continue;
    std::string_view name = mpegts::name_of(stream.codec);
    const auto refused = std::ranges::find(refused_, stream.pid, &Refused::pid);
    if (refused != refused_.end()) {
      name = refused->name;
    } else if (is_carryable_video(stream.codec)) {
      name = "a second video track";
    } else if (stream.codec == Codec::aac) {
      name = audio_codec_ == Codec::aac ? "a second AAC track" : name;
    } else if (stream.codec == Codec::mpeg_audio) {
      name = "a second audio track";
    }
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  }
  left_out_.clear();
  for (const std::string_view name : names) {
    left_out_ += left_out_.empty() ? "not carried over RTMP: " : ", ";
    left_out_ += name;
  }
}

void TsToFlv::on_pes(const mpegts::Pes& pes) {
  if (pes.pid == video_pid_) {
    push_video(pes);
  } else if (pes.pid == audio_pid_) {
    push_audio(pes);
  }
}

void TsToFlv::push_video(const mpegts::Pes& pes) {
  // Encoders that leave without waiting for their send buffer are common. The show ends with the picture
  // before the one that was cut.
  if (pes.torn) return;
  if (pes.dts) last_video_ = on_grid(*pes.dts);
  if (!last_video_) return;
  const Time dts = *last_video_;
  const Time pts = pes.pts ? on_grid(*pes.pts) : dts;
  auto output = video_->push(pes.bytes, std::chrono::floor<milliseconds>(pts - dts).count());
  if (!output.header.empty()) {
    emit_metadata(dts);
    emit(MediaKind::video, PacketRole::codec_header, std::move(output.header), dts);
  }
  if (output.frame.empty()) return;
  emit(MediaKind::video, PacketRole::frame, std::move(output.frame), dts);
  out_->back().pts = pts;
  out_->back().keyframe = output.keyframe;
}

void TsToFlv::push_audio(const mpegts::Pes& pes) {
  for (const auto& output : audio_->push(pes.bytes, pes.pts)) {
    const Time time = on_grid(output.time);
    // With video the description waits for its first header, to tell of both at once.
    if (video_pid_ == mpegts::kNullPid || (video_ && video_->started())) emit_metadata(time);
    if (!output.header.empty()) {
      emit(MediaKind::audio, PacketRole::codec_header, media::Payload(output.header), time);
    }
    emit(MediaKind::audio, PacketRole::frame, media::Payload(output.frame), time);
  }
  if (*audio_->refused() != '\0') {
    refused_.push_back({audio_pid_, audio_->refused()});
    choose_tracks();
  }
}

void TsToFlv::emit(MediaKind kind, PacketRole role, media::Payload&& payload, Time dts) {
  Packet packet;
  packet.kind = kind;
  packet.role = role;
  packet.dts = packet.pts = dts;
  packet.payload = std::move(payload);
  out_->push_back(std::move(packet));
}

void TsToFlv::emit_metadata(Time dts) {
  Description now;
  if (video_pid_ != mpegts::kNullPid && video_) {
    now.video = video_->codec();
    now.picture = video_->picture();
  }
  if (audio_) now.audio = audio_->format();
  if (now == described_) return;
  described_ = now;
  emit(MediaKind::data, PacketRole::metadata, make_metadata(now), dts);
}

media::Payload TsToFlv::make_metadata(const Description& description) {
  rtmp::amf0::EcmaArray properties;
  const auto add = [&](const char* name, auto value) { properties.properties.push_back({name, value}); };
  if (description.picture) {
    add("width", static_cast<double>(description.picture->width));
    add("height", static_cast<double>(description.picture->height));
  }
  if (description.video) {
    const auto fourcc = static_cast<std::uint32_t>(flv::VideoCodec::hevc);
    add("videocodecid", static_cast<double>(*description.video == nal::Codec::h264 ? kAvcId : fourcc));
  }
  if (description.audio) {
    add("audiocodecid", static_cast<double>(description.audio->codec_id));
    add("audiosamplerate", static_cast<double>(description.audio->sample_rate));
    add("stereo", description.audio->stereo);
  }
  return media::Payload::copy_of(rtmp::amf0::encode_all({"@setDataFrame", "onMetaData", properties}));
}

}  // namespace simulcast::repackage
