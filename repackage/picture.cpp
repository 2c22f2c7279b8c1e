#include "repackage/picture.hpp"

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavutil/pixdesc.h>
}

#include <algorithm>
#include <cstddef>
#include <memory>
#include <vector>

namespace simulcast::repackage {

namespace {

// Of a slice only the header is looked at.
constexpr std::size_t kMaxUnit = 64 * 1024;
constexpr std::size_t kSliceHead = 1024;

struct CloseParser {
  void operator()(AVCodecParserContext* parser) const { av_parser_close(parser); }
};
struct FreeContext {
  void operator()(AVCodecContext* context) const { avcodec_free_context(&context); }
};

std::vector<std::uint8_t> annex_b(nal::Codec codec, std::span<const nal::Unit> units) {
  std::vector<std::uint8_t> bytes;
  for (const nal::Unit unit : units) {
    const nal::Kind kind = nal::kind_of(codec, unit);
    const bool is_slice = kind == nal::Kind::slice || kind == nal::Kind::random_access;
    const auto part = unit.first(std::min(unit.size(), is_slice ? kSliceHead : kMaxUnit));
    bytes.insert(bytes.end(), {0, 0, 0, 1});
    for (const std::byte b : part) bytes.push_back(std::to_integer<std::uint8_t>(b));
  }
  return bytes;
}

}  // namespace

std::optional<Picture> picture_of(nal::Codec codec, std::span<const nal::Unit> units) {
  const AVCodecID id = codec == nal::Codec::h264 ? AV_CODEC_ID_H264 : AV_CODEC_ID_HEVC;
  const std::unique_ptr<AVCodecParserContext, CloseParser> parser(av_parser_init(id));
  const std::unique_ptr<AVCodecContext, FreeContext> context(avcodec_alloc_context3(nullptr));
  if (!parser || !context) return std::nullopt;
  parser->flags |= PARSER_FLAG_COMPLETE_FRAMES;
  context->codec_id = id;

  auto bytes = annex_b(codec, units);
  const auto size = static_cast<int>(bytes.size());
  bytes.resize(bytes.size() + AV_INPUT_BUFFER_PADDING_SIZE);
  std::uint8_t* frame = nullptr;
  int frame_size = 0;
  av_parser_parse2(parser.get(), context.get(), &frame, &frame_size, bytes.data(), size, AV_NOPTS_VALUE,
                   AV_NOPTS_VALUE, 0);

  const AVPixFmtDescriptor* format = av_pix_fmt_desc_get(static_cast<AVPixelFormat>(parser->format));
  if (format == nullptr || parser->width <= 0 || parser->height <= 0) return std::nullopt;
  Picture picture;
  picture.width = static_cast<std::uint32_t>(parser->width);
  picture.height = static_cast<std::uint32_t>(parser->height);
  const bool is_grey = format->nb_components < 3;
  picture.format.chroma_format = is_grey                      ? 0
                                 : format->log2_chroma_h != 0 ? 1
                                 : format->log2_chroma_w != 0 ? 2
                                                              : 3;
  picture.format.luma_depth = static_cast<std::uint8_t>(format->comp[0].depth);
  picture.format.chroma_depth = static_cast<std::uint8_t>(format->comp[is_grey ? 0 : 1].depth);
  return picture;
}

}  // namespace simulcast::repackage
