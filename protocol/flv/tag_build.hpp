// Builds FLV tag bodies, the reverse of tag_body.hpp: H.264 in the legacy form, H.265 in the enhanced one
// (FourCC hvc1), AAC and MP3.
//
// Video File Format Specification 10.1, annex E; Enhanced RTMP v2. Pure functions, any thread. Each body is
// one allocation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "media/payload.hpp"
#include "protocol/nal/nal_units.hpp"

namespace simulcast::flv {

// The range of a composition time, milliseconds; what lies beyond is cut to it.
inline constexpr std::int32_t kMaxCompositionTime = (1 << 23) - 1;

media::Payload build_video_header(nal::Codec codec, std::span<const std::byte> config_record);
// The units get lengths of four bytes, as the records of codec_config_build.hpp say.
media::Payload build_video_frame(nal::Codec codec, bool keyframe, std::int64_t composition_milliseconds,
                                 std::span<const nal::Unit> units);

media::Payload build_aac_header(std::span<const std::byte> audio_specific_config);
media::Payload build_aac_frame(std::span<const std::byte> raw_frame);
// With its header. The rate is a hint only: FLV knows three, and the frame says it anyway.
media::Payload build_mp3_frame(std::uint32_t sample_rate, bool stereo, std::span<const std::byte> frame);

}  // namespace simulcast::flv
