#include "protocol/flv/tag_build.hpp"

#include <algorithm>
#include <initializer_list>
#include <memory>
#include <utility>

#include "protocol/big_endian.hpp"
#include "protocol/flv/tag_body.hpp"

namespace simulcast::flv {

namespace {

constexpr std::size_t kVideoHeader = 5;  // both forms, without the composition time of the enhanced one
constexpr std::size_t kCompositionTime = 3;
constexpr std::size_t kLength = 4;
constexpr std::uint32_t kKey = 1;
constexpr std::uint32_t kInter = 2;
constexpr std::uint32_t kAvc = 7;
constexpr std::uint32_t kEnhanced = 0x80;
constexpr std::uint32_t kSequenceStart = 0;
constexpr std::uint32_t kCodedFrames = 1;
constexpr std::uint32_t kAac = 0xAF;  // whatever the true rate and channels

media::Payload body_of(std::initializer_list<std::uint32_t> head, std::span<const std::byte> rest) {
  const std::size_t size = head.size() + rest.size();
  auto bytes = std::make_shared_for_overwrite<std::byte[]>(size);
  std::byte* p = bytes.get();
  for (const std::uint32_t b : head) p = store(p, b, 1);
  std::ranges::copy(rest, p);
  return {std::move(bytes), size};
}

}  // namespace

media::Payload build_video_header(nal::Codec codec, std::span<const std::byte> config_record) {
  if (codec == nal::Codec::h264) return body_of({kKey << 4 | kAvc, 0, 0, 0, 0}, config_record);
  return body_of({kEnhanced | kKey << 4 | kSequenceStart, 'h', 'v', 'c', '1'}, config_record);
}

media::Payload build_video_frame(nal::Codec codec, bool keyframe, std::int64_t composition_milliseconds,
                                 std::span<const nal::Unit> units) {
  const auto composition = static_cast<std::uint64_t>(
      std::clamp<std::int64_t>(composition_milliseconds, -kMaxCompositionTime - 1, kMaxCompositionTime));
  const std::uint32_t frame_type = keyframe ? kKey : kInter;
  const bool is_avc = codec == nal::Codec::h264;
  std::size_t size = is_avc ? kVideoHeader : kVideoHeader + kCompositionTime;
  for (const nal::Unit unit : units) size += kLength + unit.size();

  auto bytes = std::make_shared_for_overwrite<std::byte[]>(size);
  std::byte* p = bytes.get();
  if (is_avc) {
    p = store(p, frame_type << 4 | kAvc, 1);
    p = store(p, 1, 1);
  } else {
    p = store(p, kEnhanced | frame_type << 4 | kCodedFrames, 1);
    p = store(p, static_cast<FourCc>(VideoCodec::hevc), 4);
  }
  p = store(p, composition, kCompositionTime);
  for (const nal::Unit unit : units) p = std::ranges::copy(unit, store(p, unit.size(), kLength)).out;
  return {std::move(bytes), size};
}

media::Payload build_aac_header(std::span<const std::byte> audio_specific_config) {
  return body_of({kAac, 0}, audio_specific_config);
}

media::Payload build_aac_frame(std::span<const std::byte> raw_frame) {
  return body_of({kAac, 1}, raw_frame);
}

media::Payload build_mp3_frame(std::uint32_t sample_rate, bool stereo, std::span<const std::byte> frame) {
  constexpr std::uint32_t kMp3 = 2;
  constexpr std::uint32_t kMp3At8kHz = 14;
  constexpr std::uint32_t k16Bit = 1 << 1;
  const std::uint32_t format = sample_rate == 8000 ? kMp3At8kHz : kMp3;
  const std::uint32_t rate = sample_rate >= 32'000 ? 3 : sample_rate >= 16'000 ? 2 : 1;
  return body_of({format << 4 | rate << 2 | k16Bit | (stereo ? 1U : 0U)}, frame);
}

}  // namespace simulcast::flv
