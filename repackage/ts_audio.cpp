#include "repackage/ts_audio.hpp"

#include "protocol/flv/tag_build.hpp"
#include "protocol/mpegts/mpeg_audio.hpp"

namespace simulcast::repackage {

namespace {
constexpr std::uint32_t kMp3Id = 2;
constexpr std::uint32_t kAacId = 10;
}  // namespace

TsAudio::TsAudio(mpegts::Codec codec)
    : codec_(codec),
      frames_(codec == mpegts::Codec::aac ? mpegts::adts_frame : mpegts::mpeg_audio_frame,
              codec == mpegts::Codec::aac ? mpegts::AdtsHeader::kSize : mpegts::MpegAudioHeader::kSize) {}

const std::vector<TsAudio::Output>& TsAudio::push(std::span<const std::byte> pes,
                                                  std::optional<media::Time> pts) {
  out_.clear();
  for (const auto& frame : frames_.push(pes, pts)) {
    if (*refused_ != '\0') break;
    if (codec_ == mpegts::Codec::aac) {
      add_aac(frame);
    } else {
      add_mpeg(frame);
    }
  }
  return out_;
}

void TsAudio::add_aac(const mpegts::AudioFrames::Frame& frame) {
  const auto header = mpegts::parse_adts(frame.bytes);
  if (!header || header->blocks != 1) {  // several blocks cannot be told apart without decoding them
    ++broken_;
    return;
  }
  if (header->channel_config == 0) {
    refused_ = "AAC audio without a channel configuration";
    return;
  }
  Output output;
  const auto config = header->audio_specific_config();
  if (config != config_) {
    config_ = config;
    format_ = Format{
        .codec_id = kAacId, .sample_rate = header->sample_rate(), .stereo = header->channel_config > 1};
    output.header = flv::build_aac_header(config);
  }
  output.frame = flv::build_aac_frame(frame.bytes.subspan(header->size));
  output.time = frame.time;
  out_.push_back(std::move(output));
}

void TsAudio::add_mpeg(const mpegts::AudioFrames::Frame& frame) {
  const auto header = mpegts::parse_mpeg_audio(frame.bytes);
  if (!header) return;
  if (header->layer != 3) {
    refused_ = header->layer == 2 ? "MP2 audio" : "MP1 audio";
    return;
  }
  format_ = Format{.codec_id = kMp3Id, .sample_rate = header->sample_rate, .stereo = header->stereo};
  out_.push_back({.header = {},
                  .frame = flv::build_mp3_frame(header->sample_rate, header->stereo, frame.bytes),
                  .time = frame.time});
}

}  // namespace simulcast::repackage
