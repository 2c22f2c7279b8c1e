// The hub to N null sinks: what a packet costs in user space from Stream::publish() to the pieces of a gather
// write.
//
// A null sink is a mailbox and an RTMP writer whose pieces are taken at once, as by a socket that is always
// ready; `shared` outputs share their chunks as those that keep up do, the others make their own. Prints per
// packet and output: time, allocations (a counting operator new), and bytes copied (everything in the pieces
// that is not the shared payload: chunk headers).
#include <benchmark/benchmark.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <new>
#include <vector>

#include "egress/mailbox.hpp"
#include "egress/rtmp_writer.hpp"
#include "media/stream.hpp"

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
using namespace std::chrono_literals;

class NullSink final : public media::Output {
 public:
  explicit NullSink(egress::RtmpFanout* fanout) : fanout_(fanout) { chunks_.set_chunk_size(65536); }

  void take(const media::Batch& batch) override {
    for (const auto& packet : batch.packets) payload_bytes_ += packet.payload.size();
    const auto* shared = fanout_ != nullptr ? fanout_->chunks_of(batch, 65536) : nullptr;
    if (shared != nullptr && writer_.can_share(*shared)) {
      writer_.take_over(*shared, shared->size);
      bytes_ += shared->size;
      return;
    }
    for (const auto& packet : batch.packets) mailbox_.push(packet);
    for (;;) {
      const auto pieces = writer_.pieces(mailbox_);
      if (pieces.empty()) return;
      std::size_t size = 0;
      for (const auto& piece : pieces) size += piece.size();
      writer_.consume(size);
      bytes_ += size;
    }
  }
  std::uint64_t copied() const { return bytes_ - payload_bytes_; }

 private:
  egress::RtmpFanout* const fanout_;
  egress::Mailbox mailbox_{{media::Time(90'000 * 10), std::size_t{64} << 20}};
  rtmp::ChunkWriter chunks_;
  egress::RtmpWriter writer_{chunks_};
  std::uint64_t payload_bytes_ = 0;
  std::uint64_t bytes_ = 0;
};

// 6 Mbit/s at 60 frames a second: 12.5 KB a frame, a keyframe every two seconds.
void hub_to_null_sinks(benchmark::State& state, bool share) {
  media::Stream stream;
  egress::RtmpFanout fanout;
  std::vector<std::unique_ptr<NullSink>> sinks;
  for (int i = 0; i < state.range(0); ++i) {
    sinks.push_back(std::make_unique<NullSink>(share ? &fanout : nullptr));
    stream.attach(*sinks.back());
  }
  const media::Payload body = media::Payload::copy_of(std::vector<std::byte>(12'500));
  std::int64_t frame = 0;
  const auto publish = [&] {
    media::Packet packet;
    packet.kind = media::MediaKind::video;
    packet.keyframe = frame % 120 == 0;
    packet.dts = packet.pts = std::chrono::milliseconds(frame * 1000 / 60);
    packet.payload = body;
    stream.publish(std::move(packet));
    stream.flush();
    ++frame;
  };
  for (int i = 0; i < 600; ++i) publish();  // steady state

  std::uint64_t copied_before = 0;
  for (const auto& sink : sinks) copied_before += sink->copied();
  const std::uint64_t allocations_before = allocations;
  const std::int64_t frames_before = frame;
  const auto began = std::chrono::steady_clock::now();
  for (auto _ : state) publish();
  const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - began;
  const auto packets = static_cast<double>(frame - frames_before);
  const double deliveries = packets * static_cast<double>(state.range(0));
  std::uint64_t copied = 0;
  for (const auto& sink : sinks) copied += sink->copied();

  state.counters["packets/s"] = benchmark::Counter(packets, benchmark::Counter::kIsRate);
  state.counters["ns/packet/output"] = took.count() / deliveries;
  state.counters["allocs/packet/output"] = static_cast<double>(allocations - allocations_before) / deliveries;
  state.counters["copied/packet/output"] = static_cast<double>(copied - copied_before) / deliveries;
}
BENCHMARK_CAPTURE(hub_to_null_sinks, shared, true)->Arg(1)->Arg(10)->Arg(50)->Arg(200);
BENCHMARK_CAPTURE(hub_to_null_sinks, own, false)->Arg(1)->Arg(10)->Arg(50)->Arg(200);

}  // namespace

BENCHMARK_MAIN();
