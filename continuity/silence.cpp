#include "continuity/silence.hpp"

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavutil/channel_layout.h>
#include <libavutil/opt.h>
#include <libavutil/samplefmt.h>
}

#include <atomic>
#include <cstring>
#include <memory>

namespace simulcast::continuity {

namespace {

// The first ones hold what the encoder begins with.
constexpr int kFrames = 8;
constexpr int kBitRatePerChannel = 64'000;
constexpr int kMostChannels = 8;
constexpr int kFrameOfAnySize = 1024;  // for encoders that do not care

std::atomic<std::uint64_t> encoder_runs{0};

struct FreeContext {
  void operator()(AVCodecContext* context) const { avcodec_free_context(&context); }
};
struct FreeFrame {
  void operator()(AVFrame* frame) const { av_frame_free(&frame); }
};
struct FreePacket {
  void operator()(AVPacket* packet) const { av_packet_free(&packet); }
};

const AVCodec* encoder_of(SoundCodec codec) {
  switch (codec) {
    case SoundCodec::aac:
      return avcodec_find_encoder(AV_CODEC_ID_AAC);
    case SoundCodec::mp3:
      return avcodec_find_encoder(AV_CODEC_ID_MP3);
    case SoundCodec::mp2:
      return avcodec_find_encoder(AV_CODEC_ID_MP2);
    case SoundCodec::ac3:
      return avcodec_find_encoder(AV_CODEC_ID_AC3);
    case SoundCodec::eac3:
      return avcodec_find_encoder(AV_CODEC_ID_EAC3);
    case SoundCodec::opus:
      return avcodec_find_encoder_by_name("libopus");
  }
  return nullptr;
}

int profile_of(const SoundFormat& format) {
  if (format.codec != SoundCodec::aac) return FF_PROFILE_UNKNOWN;
  return format.aac_object_type == 1 ? FF_PROFILE_AAC_MAIN : FF_PROFILE_AAC_LOW;
}

std::unique_ptr<AVFrame, FreeFrame> silent_input(const AVCodecContext& encoder) {
  std::unique_ptr<AVFrame, FreeFrame> frame(av_frame_alloc());
  if (!frame) return nullptr;
  frame->format = encoder.sample_fmt;
  frame->sample_rate = encoder.sample_rate;
  frame->nb_samples = encoder.frame_size > 0 ? encoder.frame_size : kFrameOfAnySize;
  if (av_channel_layout_copy(&frame->ch_layout, &encoder.ch_layout) < 0) return nullptr;
  if (av_frame_get_buffer(frame.get(), 0) < 0) return nullptr;
  av_samples_set_silence(frame->extended_data, 0, frame->nb_samples, encoder.ch_layout.nb_channels,
                         encoder.sample_fmt);
  return frame;
}

}  // namespace

std::optional<SilentFrame> make_silence(const SoundFormat& format) {
  const AVCodec* codec = encoder_of(format.codec);
  if (codec == nullptr || codec->sample_fmts == nullptr) return std::nullopt;
  if (format.channels < 1 || format.channels > kMostChannels) return std::nullopt;

  const std::unique_ptr<AVCodecContext, FreeContext> encoder(avcodec_alloc_context3(codec));
  if (!encoder) return std::nullopt;
  encoder->sample_fmt = codec->sample_fmts[0];
  encoder->sample_rate = format.sample_rate;
  encoder->time_base = {1, format.sample_rate};
  encoder->bit_rate = std::int64_t{kBitRatePerChannel} * format.channels;
  encoder->profile = profile_of(format);
  encoder->flags |= AV_CODEC_FLAG_BITEXACT;  // no name of the encoder inside
  av_channel_layout_default(&encoder->ch_layout, format.channels);
  // MP3: the bits of a frame lie in it and not in those before.
  if (format.codec == SoundCodec::mp3) av_opt_set(encoder->priv_data, "reservoir", "0", 0);
  ++encoder_runs;
  if (avcodec_open2(encoder.get(), codec, nullptr) < 0) return std::nullopt;

  const auto input = silent_input(*encoder);
  const std::unique_ptr<AVPacket, FreePacket> packet(av_packet_alloc());
  if (!input || !packet) return std::nullopt;
  SilentFrame made{
      {}, static_cast<std::uint32_t>(input->nb_samples), static_cast<std::uint32_t>(format.sample_rate)};
  for (int i = 0; i < kFrames; ++i) {
    input->pts = std::int64_t{i} * input->nb_samples;
    if (avcodec_send_frame(encoder.get(), input.get()) < 0) return std::nullopt;
    while (avcodec_receive_packet(encoder.get(), packet.get()) == 0) {
      made.bytes.resize(static_cast<std::size_t>(packet->size));
      std::memcpy(made.bytes.data(), packet->data, made.bytes.size());
      av_packet_unref(packet.get());
    }
  }
  if (made.bytes.empty()) return std::nullopt;
  return made;
}

std::uint64_t silence_encoder_runs() {
  return encoder_runs;
}

}  // namespace simulcast::continuity
