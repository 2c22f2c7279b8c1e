#include "protocol/flv/script_data.hpp"

#include <cmath>
#include <limits>
#include <string_view>
#include <vector>

#include "protocol/flv/error.hpp"
#include "protocol/flv/tag_body.hpp"
#include "protocol/rtmp/amf0.hpp"

namespace simulcast::flv {

using rtmp::amf0::Value;

namespace {

constexpr std::string_view kSetDataFrame = "@setDataFrame";
constexpr std::string_view kOnMetaData = "onMetaData";

// Takes the string that `body` begins with off it.
std::optional<std::string> take_string(std::span<const std::byte>& body) {
  const auto first = rtmp::amf0::decode_first(body);
  if (first.has_error()) return std::nullopt;
  const auto text = first->value.as_string();
  if (!text) return std::nullopt;
  body = body.subspan(first->size);
  return std::string(*text);
}

// The number of a codec, or its FourCC as number or text.
std::optional<std::uint32_t> codec_of(const Value& metadata, std::string_view name) {
  if (const auto number = metadata.number_of(name)) {
    if (*number >= 0 && *number <= std::numeric_limits<std::uint32_t>::max()) {
      return static_cast<std::uint32_t>(*number);
    }
  } else if (const auto text = metadata.string_of(name); text && text->size() == 4) {
    std::uint32_t code = 0;
    for (const char c : *text) code = code << 8 | static_cast<unsigned char>(c);
    return code;
  }
  return std::nullopt;
}

// What no picture and no bitrate can be is left out rather than shown.
std::optional<double> quantity_of(const Value& metadata, std::string_view name) {
  const auto number = metadata.number_of(name);
  if (!number || !std::isfinite(*number) || *number < 0) return std::nullopt;
  return number;
}

}  // namespace

DataKind data_kind(std::span<const std::byte> body) {
  DataKind kind;
  auto name = take_string(body);
  if (name == kSetDataFrame) {
    kind.has_set_data_frame = true;
    name = take_string(body);
  }
  kind.is_metadata = name == kOnMetaData;
  return kind;
}

media::Payload with_set_data_frame(const media::Payload& body) {
  const DataKind kind = data_kind(body.bytes());
  if (!kind.is_metadata || kind.has_set_data_frame) return body;
  auto bytes = rtmp::amf0::encode_all({kSetDataFrame});
  const auto rest = body.bytes();
  bytes.insert(bytes.end(), rest.begin(), rest.end());
  return media::Payload::copy_of(bytes);
}

boost::system::result<Metadata> parse_metadata(std::span<const std::byte> body) {
  auto name = take_string(body);
  if (name == kSetDataFrame) name = take_string(body);
  if (name != kOnMetaData) return Error::bad_metadata;
  const auto first = rtmp::amf0::decode_first(body);
  if (first.has_error()) return first.error();
  const Value& metadata = first->value;
  if (metadata.properties().empty()) return Error::bad_metadata;
  return Metadata{.width = quantity_of(metadata, "width"),
                  .height = quantity_of(metadata, "height"),
                  .frame_rate = quantity_of(metadata, "framerate"),
                  .video_data_rate = quantity_of(metadata, "videodatarate"),
                  .audio_data_rate = quantity_of(metadata, "audiodatarate"),
                  .video_codec = codec_of(metadata, "videocodecid"),
                  .audio_codec = codec_of(metadata, "audiocodecid"),
                  .encoder = std::string(metadata.string_of("encoder").value_or(""))};
}

}  // namespace simulcast::flv
