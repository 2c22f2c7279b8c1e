// Encoders and strict decoders of libavcodec, for tests that make media and see whether it is sound.
#pragma once

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavutil/channel_layout.h>
#include <libavutil/log.h>
#include <libavutil/opt.h>
}

#include <algorithm>
#include <cmath>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace simulcast::test {

using ByteVector = std::vector<std::byte>;

struct FreeAv {
  void operator()(AVCodecContext* context) const { avcodec_free_context(&context); }
  void operator()(AVFrame* frame) const { av_frame_free(&frame); }
  void operator()(AVPacket* packet) const { av_packet_free(&packet); }
};
template <class T>
using Av = std::unique_ptr<T, FreeAv>;

inline const bool kQuiet = (av_log_set_level(AV_LOG_QUIET), true);  // but for Complaints

// What libav complains about, from warnings on, while it lives.
class Complaints {
 public:
  Complaints() {
    text().clear();
    av_log_set_callback([](void*, int level, const char* format, va_list arguments) {
      if (level > AV_LOG_WARNING) return;
      char line[512];
      std::vsnprintf(line, sizeof line, format, arguments);
      text() += line;
    });
  }
  ~Complaints() { av_log_set_callback(av_log_default_callback); }
  static std::string& text() {
    static std::string all;
    return all;
  }
};

struct Coded {
  ByteVector bytes;
  bool keyframe = false;
};

struct VideoSettings {
  std::string encoder = "libx264";
  AVPixelFormat pixels = AV_PIX_FMT_YUV420P;
  std::string parameters;  // x264-params or x265-params
  bool interlaced = false;
};

// Moving stripes, 25 pictures a second, 160x96.
inline std::vector<Coded> encode_video(const VideoSettings& settings, int pictures) {
  const AVCodec* encoder = avcodec_find_encoder_by_name(settings.encoder.c_str());
  if (encoder == nullptr) throw std::runtime_error("no encoder " + settings.encoder);
  Av<AVCodecContext> context(avcodec_alloc_context3(encoder));
  context->width = 160;
  context->height = 96;
  context->pix_fmt = settings.pixels;
  context->time_base = {1, 25};
  context->thread_count = 1;
  if (settings.interlaced) context->flags |= AV_CODEC_FLAG_INTERLACED_DCT;
  const bool x264 = settings.encoder == "libx264";
  av_opt_set(context->priv_data, "preset", x264 ? "veryfast" : "ultrafast", 0);
  // As for the end-to-end tests: "asm=0", say.
  const char* const extra = std::getenv("SIMULCASTD_E2E_X264");
  const std::string last = !x264              ? ":log-level=none:pools=none:frame-threads=1"
                           : extra != nullptr ? std::string(":") + extra
                                              : "";
  av_opt_set(context->priv_data, x264 ? "x264-params" : "x265-params", (settings.parameters + last).c_str(),
             0);
  if (avcodec_open2(context.get(), encoder, nullptr) < 0) throw std::runtime_error("it does not open");
  Av<AVFrame> frame(av_frame_alloc());
  frame->format = settings.pixels;
  frame->width = context->width;
  frame->height = context->height;
  if (av_frame_get_buffer(frame.get(), 0) < 0) throw std::bad_alloc();
  Av<AVPacket> packet(av_packet_alloc());
  std::vector<Coded> coded;
  const auto receive = [&] {
    while (avcodec_receive_packet(context.get(), packet.get()) == 0) {
      const auto* bytes = reinterpret_cast<const std::byte*>(packet->data);
      coded.push_back({{bytes, bytes + packet->size}, (packet->flags & AV_PKT_FLAG_KEY) != 0});
      av_packet_unref(packet.get());
    }
  };
  for (int i = 0; i < pictures; ++i) {
    av_frame_make_writable(frame.get());
    for (int plane = 0; plane < 3; ++plane) {
      const int height = plane == 0 || settings.pixels != AV_PIX_FMT_YUV420P ? 96 : 48;
      for (int y = 0; y < height; ++y) {
        for (int x = 0; x < frame->linesize[plane]; ++x) {
          frame->data[plane][y * frame->linesize[plane] + x] =
              settings.pixels == AV_PIX_FMT_YUV422P10
                  ? static_cast<std::uint8_t>(x % 2 == 0 ? (x + y + 5 * i) : (x / 16 + i) % 4)
                  : static_cast<std::uint8_t>(plane == 0 ? (x * 3 + y * 2 + 7 * i) : 128 + ((x + i) % 16));
        }
      }
    }
    frame->pts = i;
    frame->interlaced_frame = settings.interlaced ? 1 : 0;
    frame->top_field_first = 1;
    if (avcodec_send_frame(context.get(), frame.get()) < 0) throw std::runtime_error("it takes no frame");
    receive();
  }
  avcodec_send_frame(context.get(), nullptr);
  receive();
  return coded;
}

// Decodes strictly; the luma of every picture. Throws at the first error.
inline std::vector<ByteVector> decode_video(AVCodecID id, const std::vector<ByteVector>& units) {
  Av<AVCodecContext> context(avcodec_alloc_context3(avcodec_find_decoder(id)));
  context->err_recognition = AV_EF_EXPLODE | AV_EF_CRCCHECK | AV_EF_BITSTREAM | AV_EF_BUFFER | AV_EF_CAREFUL;
  context->thread_count = 1;
  if (avcodec_open2(context.get(), context->codec, nullptr) < 0) throw std::runtime_error("no decoder");
  Av<AVFrame> frame(av_frame_alloc());
  Av<AVPacket> packet(av_packet_alloc());
  std::vector<ByteVector> pictures;
  const auto receive = [&] {
    int error = 0;
    while ((error = avcodec_receive_frame(context.get(), frame.get())) == 0) {
      ByteVector luma;
      for (int y = 0; y < frame->height; ++y) {
        const auto* row = reinterpret_cast<const std::byte*>(frame->data[0]) + y * frame->linesize[0];
        luma.insert(luma.end(), row, row + frame->width);
      }
      pictures.push_back(std::move(luma));
    }
    if (error != AVERROR(EAGAIN) && error != AVERROR_EOF) throw std::runtime_error("a picture is broken");
  };
  for (std::size_t i = 0; i < units.size(); ++i) {
    av_new_packet(packet.get(), static_cast<int>(units[i].size()));
    std::copy(units[i].begin(), units[i].end(), reinterpret_cast<std::byte*>(packet->data));
    packet->pts = packet->dts = static_cast<std::int64_t>(i);
    const int error = avcodec_send_packet(context.get(), packet.get());
    av_packet_unref(packet.get());
    if (error < 0) throw std::runtime_error("unit " + std::to_string(i) + " is not taken");
    receive();
  }
  avcodec_send_packet(context.get(), nullptr);
  receive();
  return pictures;
}

// The loudest sample of frames decoded one after the other; throws at the first error.
inline double loudest(AVCodecID id, int rate, int channels, std::span<const std::uint8_t> extradata,
                      const ByteVector& frame_bytes, int times) {
  Av<AVCodecContext> context(avcodec_alloc_context3(avcodec_find_decoder(id)));
  context->err_recognition = AV_EF_EXPLODE | AV_EF_CRCCHECK;
  context->sample_rate = rate;
  av_channel_layout_default(&context->ch_layout, channels);
  if (!extradata.empty()) {
    context->extradata =
        static_cast<std::uint8_t*>(av_mallocz(extradata.size() + AV_INPUT_BUFFER_PADDING_SIZE));
    std::copy(extradata.begin(), extradata.end(), context->extradata);
    context->extradata_size = static_cast<int>(extradata.size());
  }
  if (avcodec_open2(context.get(), context->codec, nullptr) < 0) throw std::runtime_error("no decoder");
  Av<AVFrame> frame(av_frame_alloc());
  Av<AVPacket> packet(av_packet_alloc());
  double most = 0;
  int decoded = 0;
  for (int i = 0; i < times; ++i) {
    av_new_packet(packet.get(), static_cast<int>(frame_bytes.size()));
    std::copy(frame_bytes.begin(), frame_bytes.end(), reinterpret_cast<std::byte*>(packet->data));
    if (avcodec_send_packet(context.get(), packet.get()) < 0)
      throw std::runtime_error("a frame is not taken");
    av_packet_unref(packet.get());
    while (avcodec_receive_frame(context.get(), frame.get()) == 0) {
      ++decoded;
      for (int channel = 0; channel < channels; ++channel) {
        for (int s = 0; s < frame->nb_samples; ++s) {
          double value = 0;
          if (frame->format == AV_SAMPLE_FMT_FLTP) {
            value = reinterpret_cast<const float*>(frame->extended_data[channel])[s];
          } else if (frame->format == AV_SAMPLE_FMT_S16P) {
            value = reinterpret_cast<const std::int16_t*>(frame->extended_data[channel])[s] / 32768.0;
          } else {
            throw std::runtime_error("unexpected samples");
          }
          most = std::max(most, std::abs(value));
        }
      }
    }
  }
  if (decoded < times - 2) throw std::runtime_error("frames are missing");
  return most;
}

}  // namespace simulcast::test
