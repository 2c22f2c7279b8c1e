// FLV to MPEG-TS: what it costs to make the datagrams of one stream, which is done once however many outputs
// send them.
//
// 6 Mbit/s H.264 at 60 frames a second, a keyframe every two seconds, in four slices each, and AAC at 128
// kbit/s. Prints bytes of FLV per second, how many such streams one core keeps up with, and allocations per
// datagram (a counting operator new; libavformat's own are not seen).
#include <benchmark/benchmark.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <vector>

#include "protocol/big_endian.hpp"
#include "repackage/flv_to_ts.hpp"

namespace {
std::atomic<std::uint64_t> allocations{0};
}

// GCC looks through the replaced pair and takes malloc and free for a mismatch.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

void* operator new(std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace {

using namespace simulcast;

constexpr int kRate = 60;
constexpr int kGop = 120;
constexpr std::size_t kFrame = 12'500;
constexpr std::size_t kKeyframe = 100'000;
constexpr std::size_t kAudioFrame = 341;   // 1024 samples at 48 kHz
constexpr std::int64_t kAudioStep = 1920;  // in media::Time
constexpr int kSlices = 4;

media::Packet packet_of(media::MediaKind kind, const std::vector<std::byte>& body) {
  media::Packet packet;
  packet.kind = kind;
  packet.payload = media::Payload::copy_of(body);
  return packet;
}

std::vector<std::byte> bytes(std::initializer_list<unsigned> values) {
  std::vector<std::byte> out;
  for (const unsigned value : values) out.push_back(static_cast<std::byte>(value));
  return out;
}

media::Packet picture(bool key, std::size_t size) {
  auto body = bytes({key ? 0x17U : 0x27U, 1, 0, 0, 0});
  unsigned seed = 1;
  for (int slice = 0; slice < kSlices; ++slice) {
    append(body, size / kSlices, 4);
    body.push_back(static_cast<std::byte>(key ? 0x65 : 0x41));
    for (std::size_t i = 1; i < size / kSlices; ++i) {
      seed = seed * 1'664'525 + 1'013'904'223;
      body.push_back(static_cast<std::byte>(seed >> 24 | 4));  // noise without start codes
    }
  }
  media::Packet packet = packet_of(media::MediaKind::video, body);
  packet.keyframe = key;
  return packet;
}

void flv_to_ts(benchmark::State& state) {
  repackage::FlvToTs repackager;
  std::vector<media::Packet> out;
  auto header =
      packet_of(media::MediaKind::video, bytes({0x17, 0,    0, 0,    0,    1, 0x64, 0, 0x1F, 0xFF, 0xE1, 0, 5,
                                                0x67, 0x64, 0, 0x1F, 0xAC, 1, 0,    3, 0x68, 0xEB, 0xEC}));
  auto audio_header = packet_of(media::MediaKind::audio, bytes({0xAF, 0, 0x11, 0x90}));
  header.role = audio_header.role = media::PacketRole::codec_header;
  repackager.push(header, out);
  repackager.push(audio_header, out);

  const media::Packet key = picture(true, kKeyframe);
  const media::Packet inter = picture(false, kFrame - (kKeyframe - kFrame) / (kGop - 1));
  auto sound = bytes({0xAF, 1, 0x21});
  sound.resize(2 + kAudioFrame, std::byte{0x5A});
  const media::Packet audio = packet_of(media::MediaKind::audio, sound);

  std::int64_t frame = 0;
  std::int64_t audio_frames = 0;
  std::uint64_t in = 0;
  std::uint64_t datagrams = 0;
  const auto push = [&](media::Packet packet, media::Time now) {
    packet.dts = packet.pts = now;
    in += packet.payload.size();
    repackager.push(packet, out);
    repackager.flush(out);
    datagrams += out.size();
    out.clear();
  };
  const auto one = [&] {
    const media::Time now = std::chrono::milliseconds{frame * 1000 / kRate};
    push(frame % kGop == 0 ? key : inter, now);
    for (; media::Time{audio_frames * kAudioStep} <= now; ++audio_frames) {
      push(audio, media::Time{audio_frames * kAudioStep});
    }
    ++frame;
  };
  for (int i = 0; i < 2 * kGop; ++i) one();  // steady state

  in = datagrams = 0;
  const std::int64_t frames_before = frame;
  const std::uint64_t allocations_before = allocations;
  for (auto _ : state) one();
  state.SetBytesProcessed(static_cast<std::int64_t>(in));
  state.counters["streams/core"] =
      benchmark::Counter(static_cast<double>(frame - frames_before) / kRate, benchmark::Counter::kIsRate);
  state.counters["datagrams/frame"] =
      static_cast<double>(datagrams) / static_cast<double>(frame - frames_before);
  state.counters["allocs/datagram"] =
      static_cast<double>(allocations - allocations_before) / static_cast<double>(datagrams);
}
BENCHMARK(flv_to_ts);

}  // namespace

BENCHMARK_MAIN();
