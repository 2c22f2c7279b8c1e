#include "continuity/slate.hpp"

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/imgutils.h>
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>
}

#include <algorithm>
#include <array>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <stdexcept>
#include <utility>

namespace simulcast::continuity {

namespace {

struct Failed : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Free {
  void operator()(AVFormatContext* format) const { avformat_close_input(&format); }
  void operator()(AVCodecContext* codec) const { avcodec_free_context(&codec); }
  void operator()(AVFrame* frame) const { av_frame_free(&frame); }
  void operator()(AVPacket* packet) const { av_packet_free(&packet); }
  void operator()(SwsContext* scaler) const { sws_freeContext(scaler); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

template <class T>
Owned<T> owned(T* made) {
  if (made == nullptr) throw std::bad_alloc();
  return Owned<T>(made);
}

Owned<AVFrame> read_picture(const std::filesystem::path& file) {
  AVFormatContext* opened = nullptr;
  // No other protocol: a playlist must not lead elsewhere.
  AVDictionary* options = nullptr;
  av_dict_set(&options, "protocol_whitelist", "file", 0);
  const int error = avformat_open_input(&opened, file.c_str(), nullptr, &options);
  av_dict_free(&options);
  if (error < 0) throw Failed("it cannot be read as a picture");
  const Owned<AVFormatContext> format(opened);
  const int index = av_find_best_stream(opened, AVMEDIA_TYPE_VIDEO, -1, -1, nullptr, 0);
  if (index < 0) throw Failed("there is no picture in it");
  const AVCodec* decoder = avcodec_find_decoder(format->streams[index]->codecpar->codec_id);
  if (decoder == nullptr) throw Failed("its kind of picture is not known");
  const auto codec = owned(avcodec_alloc_context3(decoder));
  avcodec_parameters_to_context(codec.get(), format->streams[index]->codecpar);
  codec->max_pixels = std::int64_t{Slate::kMaxSide} * Slate::kMaxSide / 4;
  const auto packet = owned(av_packet_alloc());
  auto frame = owned(av_frame_alloc());
  if (avcodec_open2(codec.get(), decoder, nullptr) < 0 || av_read_frame(opened, packet.get()) < 0 ||
      avcodec_send_packet(codec.get(), packet.get()) < 0 || avcodec_send_packet(codec.get(), nullptr) < 0 ||
      avcodec_receive_frame(codec.get(), frame.get()) < 0) {
    throw Failed("the picture is broken or too large");
  }
  return frame;
}

AVPixelFormat pixel_format(const SlateFormat& format) {
  constexpr std::array kEight{AV_PIX_FMT_GRAY8, AV_PIX_FMT_YUV420P, AV_PIX_FMT_YUV422P, AV_PIX_FMT_YUV444P};
  constexpr std::array kTen{AV_PIX_FMT_GRAY10, AV_PIX_FMT_YUV420P10, AV_PIX_FMT_YUV422P10,
                            AV_PIX_FMT_YUV444P10};
  if (format.chroma_format >= kEight.size() || (format.depth != 8 && format.depth != 10)) {
    throw Failed("the stream's colour format is not one that it can be made for");
  }
  return (format.depth == 8 ? kEight : kTen)[format.chroma_format];
}

// The picture as large as it fits, in the middle of black.
Owned<AVFrame> fit(const AVFrame& picture, const SlateFormat& format) {
  auto frame = owned(av_frame_alloc());
  frame->format = pixel_format(format);
  frame->width = static_cast<int>(format.width);
  frame->height = static_cast<int>(format.height);
  if (av_frame_get_buffer(frame.get(), 0) < 0) throw std::bad_alloc();
  const auto pixels = static_cast<AVPixelFormat>(frame->format);
  std::array<std::ptrdiff_t, 4> lines{};
  std::copy_n(frame->linesize, 4, lines.begin());
  av_image_fill_black(frame->data, lines.data(), pixels, AVCOL_RANGE_MPEG, frame->width, frame->height);

  const double scale = std::min(static_cast<double>(frame->width) / picture.width,
                                static_cast<double>(frame->height) / picture.height);
  const auto even = [](double side, int most) {
    return std::clamp(static_cast<int>(side) & ~1, std::min(2, most), most);
  };
  const int width = even(picture.width * scale, frame->width);
  const int height = even(picture.height * scale, frame->height);
  const int left = (frame->width - width) / 2 & ~1;
  const int top = (frame->height - height) / 2 & ~1;
  const auto scaler = Owned<SwsContext>(
      sws_getContext(picture.width, picture.height, static_cast<AVPixelFormat>(picture.format), width, height,
                     pixels, SWS_BICUBIC, nullptr, nullptr, nullptr));
  if (!scaler) throw Failed("it cannot be scaled to the stream's size");
  const AVPixFmtDescriptor* layout = av_pix_fmt_desc_get(pixels);
  const int bytes = format.depth > 8 ? 2 : 1;
  std::array<std::uint8_t*, 4> planes{};
  for (int plane = 0; plane < av_pix_fmt_count_planes(pixels); ++plane) {
    const bool chroma = plane > 0;
    const int x = left >> (chroma ? layout->log2_chroma_w : 0);
    const int y = top >> (chroma ? layout->log2_chroma_h : 0);
    planes[static_cast<std::size_t>(plane)] =
        frame->data[plane] + std::ptrdiff_t{y} * frame->linesize[plane] + std::ptrdiff_t{x} * bytes;
  }
  sws_scale(scaler.get(), picture.data, picture.linesize, 0, picture.height, planes.data(), frame->linesize);
  return frame;
}

bool fits(const SlateFormat& format) {
  return format.width <= Slate::kMaxStreamSide && format.height <= Slate::kMaxStreamSide &&
         std::uint64_t{format.width} * format.height <= Slate::kMaxStreamPixels;
}

const char* profile_name(std::uint8_t profile_idc) {
  constexpr std::uint8_t kBaseline = 66;
  constexpr std::uint8_t kMain = 77;
  if (profile_idc == kBaseline) return "baseline";
  if (profile_idc == kMain) return "main";
  return nullptr;  // what the picture needs
}

std::vector<std::byte> encode(AVFrame& frame, const SlateFormat& format) {
  const bool is_h264 = format.codec == nal::Codec::h264;
  const AVCodec* encoder = avcodec_find_encoder_by_name(is_h264 ? "libx264" : "libx265");
  if (encoder == nullptr) throw Failed("libavcodec has no encoder here for the stream's codec");
  const auto codec = owned(avcodec_alloc_context3(encoder));
  codec->width = frame.width;
  codec->height = frame.height;
  codec->pix_fmt = static_cast<AVPixelFormat>(frame.format);
  codec->time_base = {1, 25};
  codec->framerate = {25, 1};
  codec->gop_size = 1;
  codec->thread_count = 1;
  av_opt_set(codec->priv_data, "preset", "veryfast", 0);
  av_opt_set(codec->priv_data, "crf", "23", 0);
  if (is_h264) {
    if (const char* profile = profile_name(format.profile))
      av_opt_set(codec->priv_data, "profile", profile, 0);
    // Its sets stand beside those of the stream: servers that keep the first header for good lose neither.
    av_opt_set(codec->priv_data, "x264-params", "sps-id=31", 0);
  } else {
    av_opt_set(codec->priv_data, "x265-params", "log-level=none:repeat-headers=1:pools=none", 0);
  }
  if (avcodec_open2(codec.get(), encoder, nullptr) < 0) {
    throw Failed("the encoder does not take the stream's size or profile");
  }
  const auto packet = owned(av_packet_alloc());
  frame.pts = 0;
  frame.pict_type = AV_PICTURE_TYPE_I;
  if (avcodec_send_frame(codec.get(), &frame) < 0 || avcodec_send_frame(codec.get(), nullptr) < 0 ||
      avcodec_receive_packet(codec.get(), packet.get()) < 0) {
    throw Failed("it cannot be encoded");
  }
  const auto* bytes = reinterpret_cast<const std::byte*>(packet->data);
  return {bytes, bytes + packet->size};
}

}  // namespace

std::variant<Slate, std::string> make_slate(const std::filesystem::path& file, const SlateFormat& format) {
  try {
    if (!fits(format)) throw Failed("the stream's pictures are larger than 8192 x 4320");
    const auto frame = fit(*read_picture(file), format);
    const auto coded = encode(*frame, format);
    std::vector<nal::Unit> units;
    nal::split_annex_b(coded, units);
    auto picture = StillPicture::of(format.codec, units, {});
    if (!picture) throw Failed("the encoder made no keyframe of it");
    Slate slate{{}, *std::move(picture)};
    for (const nal::Kind kind : {nal::Kind::vps, nal::Kind::sps, nal::Kind::pps}) {
      for (const nal::Unit unit : units) {
        if (nal::kind_of(format.codec, unit) == kind) slate.sets.emplace_back(unit.begin(), unit.end());
      }
    }
    return slate;
  } catch (const Failed& failed) {
    return std::string(failed.what());
  } catch (const std::bad_alloc&) {
    return std::string("there is not enough memory for it");
  }
}

}  // namespace simulcast::continuity
