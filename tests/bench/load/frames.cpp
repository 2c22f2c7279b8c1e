#include "tests/bench/load/frames.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <iterator>

#include "protocol/rtmp/amf0.hpp"

namespace simulcast::load {

namespace amf0 = rtmp::amf0;

namespace {

constexpr char kMagic[] = "SCBENCH1";
constexpr std::size_t kMagicSize = 8;
constexpr std::byte kFiller{0x5A};
constexpr std::int64_t kSecond = 1'000'000'000;

// AVCDecoderConfigurationRecord of `ffmpeg -f lavfi -i testsrc2=s=1280x720:r=60 -frames:v 2 -c:v libx264
// -preset veryfast -profile:v high -pix_fmt yuv420p -g 120 -bf 0 -f flv`.
constexpr unsigned char kAvcC[] = {0x01, 0x64, 0x00, 0x20, 0xff, 0xe1, 0x00, 0x18, 0x67, 0x64, 0x00,
                                   0x20, 0xac, 0xb4, 0x02, 0x80, 0x2d, 0xd8, 0x08, 0x80, 0x00, 0x00,
                                   0x03, 0x00, 0x80, 0x00, 0x00, 0x3c, 0x07, 0x8c, 0x19, 0x50, 0x01,
                                   0x00, 0x04, 0x68, 0xef, 0x0f, 0xcb, 0xfd, 0xf8, 0xf8, 0x00};
// AudioSpecificConfig: AAC-LC, 48 kHz, stereo.
constexpr unsigned char kAacConfig[] = {0x11, 0x90};

Bytes with_prefix(std::initializer_list<int> prefix, std::span<const unsigned char> rest) {
  Bytes body;
  for (const int byte : prefix) body.push_back(static_cast<std::byte>(byte));
  for (const unsigned char byte : rest) body.push_back(static_cast<std::byte>(byte));
  return body;
}

void put_hex(std::byte* at, std::uint64_t value) {
  static constexpr char kDigits[] = "0123456789abcdef";
  for (int i = 15; i >= 0; --i, value >>= 4) at[i] = static_cast<std::byte>(kDigits[value & 0xF]);
}

std::uint64_t read_hex(const std::byte* at) {
  std::uint64_t value = 0;
  for (int i = 0; i < 16; ++i) {
    const auto c = static_cast<unsigned char>(at[i]);
    value = value << 4 | static_cast<std::uint64_t>(c <= '9' ? c - '0' : c - 'a' + 10);
  }
  return value;
}

// What stands before the stamp.
std::array<std::byte, kVideoStampAt> video_head(bool keyframe, std::size_t size) {
  const auto nal = static_cast<std::uint32_t>(size - 9);
  // The first two bytes of a slice say: first macroblock 0, type I or P, parameter set 0, a frame number.
  const std::uint32_t head[] = {keyframe ? 0x17U : 0x27U,
                                1,
                                0,
                                0,
                                0,
                                nal >> 24,
                                nal >> 16,
                                nal >> 8,
                                nal,
                                keyframe ? 0x65U : 0x41U,
                                keyframe ? 0x88U : 0x9AU,
                                keyframe ? 0x84U : 0x26U};
  std::array<std::byte, std::size(head)> bytes;
  std::transform(std::begin(head), std::end(head), bytes.begin(),
                 [](std::uint32_t value) { return static_cast<std::byte>(value & 0xFF); });
  return bytes;
}

constexpr std::array<std::byte, kAudioStampAt> kAudioHead{std::byte{0xAF}, std::byte{1}};

bool is_filler(std::span<const std::byte> bytes) {
  return std::ranges::all_of(bytes, [](std::byte byte) { return byte == kFiller; });
}

}  // namespace

Bytes metadata(double fps, double video_kbps, double audio_kbps) {
  amf0::EcmaArray fields;
  const auto add = [&fields](const char* name, double value) {
    fields.properties.push_back({name, amf0::Value(value)});
  };
  add("width", 1280);
  add("height", 720);
  add("framerate", fps);
  add("videocodecid", 7);
  add("videodatarate", video_kbps);
  add("audiocodecid", 10);
  add("audiodatarate", audio_kbps);
  add("audiosamplerate", 48'000);
  add("audiosamplesize", 16);
  fields.properties.push_back({"stereo", amf0::Value(true)});
  Bytes body;
  amf0::encode(amf0::Value("@setDataFrame"), body);
  amf0::encode(amf0::Value("onMetaData"), body);
  amf0::encode(amf0::Value(std::move(fields)), body);
  return body;
}

Bytes avc_sequence_header() {
  return with_prefix({0x17, 0, 0, 0, 0}, kAvcC);
}

Bytes aac_sequence_header() {
  return with_prefix({0xAF, 0}, kAacConfig);
}

Bytes video_frame(bool keyframe, std::size_t size) {
  Bytes body(std::max(size, kVideoStampAt + kStampSize), kFiller);
  const auto head = video_head(keyframe, body.size());
  std::copy(head.begin(), head.end(), body.begin());
  put_stamp(std::span(body).subspan(kVideoStampAt), {});
  return body;
}

Bytes audio_frame(std::size_t size) {
  Bytes body(std::max(size, kAudioStampAt + kStampSize), kFiller);
  std::copy(kAudioHead.begin(), kAudioHead.end(), body.begin());
  put_stamp(std::span(body).subspan(kAudioStampAt), {});
  return body;
}

bool is_video_frame(std::span<const std::byte> body) {
  if (body.size() < kVideoStampAt + kStampSize) return false;
  const auto is = [body](bool keyframe) {
    const auto head = video_head(keyframe, body.size());
    return std::equal(head.begin(), head.end(), body.begin());
  };
  return (is(true) || is(false)) && is_filler(body.subspan(kVideoStampAt + kStampSize));
}

bool is_audio_frame(std::span<const std::byte> body) {
  return body.size() >= kAudioStampAt + kStampSize &&
         std::equal(kAudioHead.begin(), kAudioHead.end(), body.begin()) &&
         is_filler(body.subspan(kAudioStampAt + kStampSize));
}

std::int64_t video_time(std::uint64_t frame, double fps) {
  return static_cast<std::int64_t>(static_cast<double>(frame) * kSecond / fps);
}

std::int64_t audio_time(std::uint64_t packet) {
  return static_cast<std::int64_t>(packet * kAudioSamples * kSecond / kAudioRate);
}

std::uint32_t milliseconds(std::int64_t ns) {
  return static_cast<std::uint32_t>((ns + 500'000) / 1'000'000);
}

void put_stamp(std::span<std::byte> at, const Stamp& stamp) {
  std::memcpy(at.data(), kMagic, kMagicSize);
  put_hex(at.data() + kMagicSize, stamp.sequence);
  put_hex(at.data() + kMagicSize + 16, static_cast<std::uint64_t>(stamp.sent_ns));
}

std::optional<Stamp> read_stamp(std::span<const std::byte> at) {
  if (at.size() < kStampSize || std::memcmp(at.data(), kMagic, kMagicSize) != 0) return std::nullopt;
  return Stamp{read_hex(at.data() + kMagicSize),
               static_cast<std::int64_t>(read_hex(at.data() + kMagicSize + 16))};
}

}  // namespace simulcast::load
