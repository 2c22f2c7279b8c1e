#include "protocol/mpegts/demuxer.hpp"

extern "C" {
#include <libavformat/avformat.h>
#include <libavformat/avio.h>
#include <libavutil/dict.h>
#include <libavutil/mem.h>
}

#include <algorithm>
#include <array>
#include <bitset>
#include <string>
#include <utility>
#include <vector>

#include "protocol/mpegts/fiber.hpp"
#include "protocol/mpegts/pes_ends.hpp"

namespace simulcast::mpegts {

namespace {

constexpr std::size_t kStackSize = std::size_t{256} << 10;
constexpr int kIoBuffer = 4096;
constexpr std::int64_t kClockPeriod = std::int64_t{1} << 33;

// libavformat looks at the first packets to tell their size. It is given these, so that it need not wait for
// real ones.
constexpr std::size_t kLeadPackets = 10;
constexpr auto kLead = [] {
  std::array<std::byte, kLeadPackets * kPacketSize> lead{};
  lead.fill(std::byte{0xFF});
  for (std::size_t at = 0; at < lead.size(); at += kPacketSize) {
    lead[at] = kSyncByte;
    lead[at + 1] = std::byte{kNullPid >> 8};
    lead[at + 2] = std::byte{kNullPid & 0xFF};
    lead[at + 3] = std::byte{0x10};
  }
  return lead;
}();

// A 33-bit clock made 64-bit: the step to the last reading, as a signed number, is right across the wrap.
class Clock {
 public:
  std::int64_t unwrap(std::int64_t reading) {
    last_ = last_ ? nearest(*last_, reading) : reading & (kClockPeriod - 1);
    return *last_;
  }
  static std::int64_t nearest(std::int64_t reference, std::int64_t reading) {
    std::int64_t step = (reading - reference) & (kClockPeriod - 1);
    if (step >= kClockPeriod / 2) step -= kClockPeriod;
    return reference + step;
  }

 private:
  std::optional<std::int64_t> last_;
};

}  // namespace

struct Demuxer::Impl {
  // Given by the owner
  Handler& handler;

  // Owned
  Tables tables;
  Clock clock;
  std::bitset<kPidCount> selected;
  PesEnds ends;
  std::vector<std::byte> input;  // what libavformat may read
  std::size_t taken = 0;         // of it
  std::uint64_t taken_ever = 0;
  std::unique_ptr<Fiber> fiber;
  AVFormatContext* format = nullptr;  // the fiber's, as is the packet
  AVPacket* packet = nullptr;         // one to hand out, set while the fiber is suspended for that

  // State
  bool stopping = false;
  bool finishing = false;  // the input ends here; what has begun is still handed out
  std::uint64_t malformed = 0;

  explicit Impl(Handler& given) : handler(given) { restart(); }
  ~Impl() { stop(); }

  void restart();
  void stop();
  void give(std::span<const std::byte> packets) { input.insert(input.end(), packets.begin(), packets.end()); }
  // Whole, as the packets before the one that completed them were not given.
  void give_tables() { give(tables.packets().bytes()); }
  void feed();
  void hand_out(const AVPacket& av);

  // On the fiber: no exception may leave these.
  void run() noexcept;
  bool open() noexcept;
  void read_packets(AVPacket* av) noexcept;
  int read(std::uint8_t* to, int size) noexcept;
};

Demuxer::Demuxer(Handler& handler) : impl_(std::make_unique<Impl>(handler)) {}
Demuxer::~Demuxer() = default;

std::uint64_t Demuxer::malformed() const {
  return impl_->malformed;
}

void Demuxer::select(std::span<const std::uint16_t> pids) {
  impl_->selected.reset();
  for (const std::uint16_t pid : pids) impl_->selected.set(pid & (kPidCount - 1));
  impl_->ends.select(pids);
}

void Demuxer::push(std::span<const std::byte> packets, bool after_hole) {
  if (after_hole) impl_->ends.hole();
  const std::size_t size = packets.size();
  for (; packets.size() >= kPacketSize; packets = packets.subspan(kPacketSize)) {
    const auto packet = packets.first(kPacketSize);
    if (packet[0] != kSyncByte) {
      ++impl_->malformed;
      continue;
    }
    const PacketView view = parse_packet(packet);
    if (!impl_->tables.is_table_of_program(view.pid)) impl_->ends.packet(packet, view);
    if (impl_->tables.push(packet, view)) {
      impl_->feed();  // what came before the change belongs to the streams as they were
      static const Program kNone;
      const Program* program = impl_->tables.program();
      impl_->handler.on_program(program != nullptr ? *program : kNone);
      impl_->give_tables();
    } else if (impl_->selected[view.pid] || impl_->tables.is_table_of_program(view.pid)) {
      impl_->give(packet);
    }
  }
  if (!packets.empty()) ++impl_->malformed;
  impl_->ends.datagram_ended(size);
  impl_->feed();
}

void Demuxer::finish() {
  impl_->finishing = true;
  impl_->feed();
  impl_->ends.hole();
  impl_->restart();
  impl_->give_tables();
}

void Demuxer::Impl::restart() {
  stop();
  stopping = finishing = false;
  input.assign(kLead.begin(), kLead.end());
  taken = 0;
  fiber = std::make_unique<Fiber>(kStackSize, [this] { run(); });
}

void Demuxer::Impl::stop() {
  stopping = true;
  while (fiber && !fiber->ended()) fiber->resume();
  fiber.reset();
}

void Demuxer::Impl::feed() {
  if (taken == input.size() && !finishing) return;
  while (true) {
    fiber->resume();
    if (packet == nullptr) break;
    hand_out(*std::exchange(packet, nullptr));
  }
  if (finishing) return;
  if (fiber->ended()) {  // libavformat could not go on: begin again behind what it choked on
    ++malformed;
    restart();
    give_tables();
    return;
  }
  input.clear();
  taken = 0;
}

void Demuxer::Impl::hand_out(const AVPacket& av) {
  const Program* program = tables.program();
  const auto pid = static_cast<std::uint16_t>(format->streams[av.stream_index]->id);
  const ElementaryStream* stream = program != nullptr ? program->find(pid) : nullptr;
  if (stream == nullptr || !selected[pid] || av.size <= 0) return;
  Pes pes{.pid = pid,
          .codec = stream->codec,
          .corrupt = (av.flags & AV_PKT_FLAG_CORRUPT) != 0,
          .torn = finishing && ((av.flags & AV_PKT_FLAG_CORRUPT) != 0 || !ends.is_whole(pid)),
          .dts = std::nullopt,
          .pts = std::nullopt,
          .bytes = std::as_bytes(std::span(av.data, static_cast<std::size_t>(av.size)))};
  if (av.pts != AV_NOPTS_VALUE) {
    const std::int64_t dts = clock.unwrap(av.dts != AV_NOPTS_VALUE ? av.dts : av.pts);
    pes.dts = media::Time{dts};
    pes.pts = media::Time{Clock::nearest(dts, av.pts)};
  }
  handler.on_pes(pes);
}

void Demuxer::Impl::run() noexcept {
  auto* buffer = static_cast<std::uint8_t*>(av_malloc(kIoBuffer));
  AVIOContext* io = avio_alloc_context(
      buffer, kIoBuffer, 0, this,
      [](void* self, std::uint8_t* to, int size) { return static_cast<Impl*>(self)->read(to, size); },
      nullptr, nullptr);
  if (io == nullptr) {
    av_free(buffer);
    return;
  }
  format = avformat_alloc_context();
  AVPacket* av = av_packet_alloc();
  if (format != nullptr && av != nullptr) {
    format->pb = io;
    if (open()) read_packets(av);
  }
  av_packet_free(&av);
  avformat_close_input(&format);
  av_freep(&io->buffer);  // libavformat may have replaced the one it was given
  avio_context_free(&io);
}

bool Demuxer::Impl::open() noexcept {
  format->flags |= AVFMT_FLAG_CUSTOM_IO | AVFMT_FLAG_NOPARSE | AVFMT_FLAG_NOFILLIN | AVFMT_FLAG_NOBUFFER;
  format->correct_ts_overflow = 0;
  // One packet of look-ahead: opening reads nothing that it would have to wait for, and the first PES packet
  // of a stream ends the guessing of its codec, which the tables tell anyway.
  format->probesize = kPacketSize;
  format->max_probe_packets = 0;
  AVDictionary* options = nullptr;
  av_dict_set_int(&options, "max_packet_size", kMaxPes, 0);
  av_dict_set_int(&options, "resync_size", kPacketSize, 0);  // only packets in step are let through to it
  av_dict_set_int(&options, "scan_all_pmts", 0, 0);
  av_dict_set_int(&options, "fix_teletext_pts", 0, 0);
  const int error = avformat_open_input(&format, nullptr, av_find_input_format("mpegts"), &options);
  av_dict_free(&options);
  return error == 0;
}

void Demuxer::Impl::read_packets(AVPacket* av) noexcept {
  std::uint64_t taken_at_error = 0;
  while (!stopping) {
    const int error = av_read_frame(format, av);
    if (stopping) break;
    if (error == 0) {
      packet = av;
      fiber->suspend();
      av_packet_unref(av);
    } else if (finishing && taken == input.size()) {
      break;
    } else if (error != AVERROR(EAGAIN)) {
      // One bad packet is passed over; an error that takes no input would repeat for ever.
      if (taken_ever == taken_at_error) break;
      taken_at_error = taken_ever;
      ++malformed;
    }
  }
}

int Demuxer::Impl::read(std::uint8_t* to, int size) noexcept {
  while (!stopping && !finishing && taken == input.size()) fiber->suspend();
  if (stopping || taken == input.size()) return AVERROR_EOF;
  const std::size_t count = std::min(input.size() - taken, static_cast<std::size_t>(size));
  std::copy_n(reinterpret_cast<const std::uint8_t*>(input.data()) + taken, count, to);
  taken += count;
  taken_ever += count;
  return static_cast<int>(count);
}

}  // namespace simulcast::mpegts
