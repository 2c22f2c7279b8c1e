// Audio and video messages, and the configuration records inside.
#include "protocol/flv/codec_config.hpp"
#include "protocol/flv/tag_body.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace simulcast;

void fuzz::run(const std::uint8_t* data, std::size_t size) {
  const auto body = std::as_bytes(std::span(data, size));
  if (const auto video = flv::parse_video(body); video.has_value()) {
    check(video->data_offset <= size);
    check(!(video->is_header && video->is_keyframe));
    check(video->composition_offset >= -(1 << 23) && video->composition_offset < (1 << 23));
    if (video->is_header) {
      const auto record = body.subspan(video->data_offset);
      (void)flv::parse_avc_config(record);
      (void)flv::parse_hevc_config(record);
    }
  } else {
    check_told(video.error());
  }
  if (const auto audio = flv::parse_audio(body); audio.has_value()) {
    check(audio->data_offset <= size);
  } else {
    check_told(audio.error());
  }
  if (const auto record = flv::parse_avc_config(body); record.has_error()) check_told(record.error());
  if (const auto record = flv::parse_hevc_config(body); record.has_error()) check_told(record.error());
}
