// Audio, video and data messages, and the configuration records inside.
#include "media/payload.hpp"
#include "protocol/flv/codec_config.hpp"
#include "protocol/flv/script_data.hpp"
#include "protocol/flv/tag_body.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace simulcast;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto body = std::as_bytes(std::span(data, size));
  if (const auto video = flv::parse_video(body); video.has_value()) {
    fuzz::check(video->data_offset <= size);
    fuzz::check(!(video->is_header && video->is_keyframe));
    fuzz::check(video->composition_offset >= -(1 << 23) && video->composition_offset < (1 << 23));
    if (video->is_header) {
      const auto record = body.subspan(video->data_offset);
      (void)flv::parse_avc_config(record);
      (void)flv::parse_hevc_config(record);
    }
  }
  if (const auto audio = flv::parse_audio(body); audio.has_value()) fuzz::check(audio->data_offset <= size);
  (void)flv::parse_avc_config(body);
  (void)flv::parse_hevc_config(body);

  const auto kind = flv::data_kind(body);
  (void)flv::parse_metadata(body);
  const auto prefixed = flv::with_set_data_frame(media::Payload::copy_of(body));
  fuzz::check(!kind.is_metadata || flv::data_kind(prefixed.bytes()).has_set_data_frame);
  return 0;
}
