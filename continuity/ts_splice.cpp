#include "continuity/ts_splice.hpp"

#include <algorithm>
#include <utility>

namespace simulcast::continuity {

using media::Time;
using mpegts::kPacketSize;
using mpegts::PacketView;

namespace {

constexpr std::uint8_t kUnseen = 0xFF;
constexpr unsigned kClockBits = 33;
constexpr std::uint64_t kClockMask = (std::uint64_t{1} << kClockBits) - 1;
constexpr std::size_t kTimeSize = 5;
constexpr std::size_t kHeader = 4;

bool is_video(std::uint8_t stream_id) {
  return (stream_id & 0xF0) == 0xE0;
}

// The one nearest to `near` of all the times that 33 bits can mean.
Time unwrap(std::uint64_t clock, Time near) {
  const std::uint64_t step = (clock - static_cast<std::uint64_t>(near.count())) & kClockMask;
  const bool back = (step >> (kClockBits - 1)) != 0;
  const auto distance = static_cast<std::int64_t>(step) - (back ? std::int64_t{1} << kClockBits : 0);
  return near + Time(distance);
}

std::uint64_t read_time(const std::byte* p) {
  const auto at = [p](std::size_t i) { return std::to_integer<std::uint64_t>(p[i]); };
  return (at(0) >> 1 & 7) << 30 | at(1) << 22 | at(2) >> 1 << 15 | at(3) << 7 | at(4) >> 1;
}

// The bits between those of the time stay.
void write_time(std::byte* p, std::uint64_t time) {
  const auto put = [p](std::size_t i, std::uint64_t keep, std::uint64_t value) {
    p[i] = static_cast<std::byte>((std::to_integer<std::uint64_t>(p[i]) & keep) | value);
  };
  put(0, 0xF1, time >> 30 << 1 & 0x0E);
  put(1, 0, time >> 22 & 0xFF);
  put(2, 1, time >> 14 & 0xFE);
  put(3, 0, time >> 7 & 0xFF);
  put(4, 1, time << 1 & 0xFE);
}

// Where in the packet the times of a PES header lie; nothing when none begins here, it has none, or it does
// not lie in this packet whole.
struct Times {
  std::uint8_t stream_id = 0;
  std::size_t pts = 0;
  std::size_t dts = 0;  // 0: there is none
};
std::optional<Times> find_times(std::span<const std::byte> packet, const PacketView& view) {
  constexpr std::size_t kFixed = 9;
  if (!view.unit_start || view.payload.size() < kFixed + kTimeSize) return std::nullopt;
  const auto at = [&](std::size_t i) { return std::to_integer<unsigned>(view.payload[i]); };
  if (at(0) != 0 || at(1) != 0 || at(2) != 1 || (at(6) & 0xC0) != 0x80 || (at(7) & 0x80) == 0) {
    return std::nullopt;
  }
  const bool has_dts = (at(7) & 0x40) != 0;
  if (at(8) < (has_dts ? 2 : 1) * kTimeSize) return std::nullopt;
  if (has_dts && view.payload.size() < kFixed + 2 * kTimeSize) return std::nullopt;
  Times times{.stream_id = static_cast<std::uint8_t>(at(3))};
  times.pts = packet.size() - view.payload.size() + kFixed;
  if (has_dts) times.dts = times.pts + kTimeSize;
  return times;
}

// Where the six bytes of a clock reference lie; 0: there is none.
std::size_t find_clock(std::span<const std::byte> packet) {
  constexpr std::size_t kAt = 6;
  const auto at = [&](std::size_t i) { return std::to_integer<unsigned>(packet[i]); };
  const bool adaptation = (at(3) & 0x20) != 0;
  return adaptation && at(4) >= 7 && (at(5) & 0x10) != 0 ? kAt : 0;
}

std::uint64_t read_clock_base(const std::byte* p) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 5; ++i) value = value << 8 | std::to_integer<std::uint64_t>(p[i]);
  return value >> 7;
}

void write_clock_base(std::byte* p, std::uint64_t base) {
  for (std::size_t i = 0; i < 4; ++i) p[i] = static_cast<std::byte>(base >> (25 - 8 * i));
  p[4] = static_cast<std::byte>((base & 1) << 7 | (std::to_integer<std::uint64_t>(p[4]) & 0x7F));
}

std::uint16_t read_clock_extension(const std::byte* p) {
  return static_cast<std::uint16_t>((std::to_integer<unsigned>(p[4]) & 1) << 8 |
                                    std::to_integer<unsigned>(p[5]));
}

void make_null(std::span<std::byte> packet) {
  packet[1] = static_cast<std::byte>(mpegts::kNullPid >> 8);
  packet[2] = static_cast<std::byte>(mpegts::kNullPid & 0xFF);
  packet[3] = std::byte{0x10};
  std::ranges::fill(packet.subspan(kHeader), std::byte{0xFF});
}

// Packet by packet, as long as they are in step.
template <typename Bytes, typename Take>
void each_packet(Bytes packets, Take take) {
  for (std::size_t at = 0; at + kPacketSize <= packets.size(); at += kPacketSize) {
    const auto packet = packets.subspan(at, kPacketSize);
    if (packet[0] != mpegts::kSyncByte) return;
    const PacketView view = mpegts::parse_packet(packet);
    if (!view.transport_error && view.pid != mpegts::kNullPid) take(packet, view);
  }
}

}  // namespace

TsSplice::TsSplice() {
  counters_.fill(kUnseen);
}

Time TsSplice::nearest(Time time, Time near) {
  return unwrap(static_cast<std::uint64_t>(time.count()) & kClockMask, near);
}

void TsSplice::begin_publisher() {
  interrupt();
  joining_ = !tracks_.empty();
  joining_since_.reset();
  counter_offsets_.fill(joining_ ? kUnseen : 0);
  for (Track& track : tracks_) track.begun = false;
}

void TsSplice::interrupt() {
  for (Track& track : tracks_) track.cut_off = !track.complete;
}

const TsSplice::Track* TsSplice::track(std::uint16_t pid) const {
  const auto found = std::ranges::find(tracks_, pid, &Track::pid);
  return found == tracks_.end() ? nullptr : &*found;
}

TsSplice::Track* TsSplice::find_or_add(std::uint16_t pid) {
  const auto found = std::ranges::find(tracks_, pid, &Track::pid);
  if (found != tracks_.end()) return &*found;
  if (tracks_.size() == kMaxTracks) return nullptr;
  Track& track = tracks_.emplace_back();
  track.pid = pid;
  return &track;
}

const TsSplice::Track* TsSplice::newest(bool video) const {
  const Track* newest = nullptr;
  for (const Track& track : tracks_) {
    if (video && !is_video(track.stream_id)) continue;
    if (newest == nullptr || track.arrival > newest->arrival) newest = &track;
  }
  return newest;
}

bool TsSplice::anchor(std::span<const std::byte> packets, Clock::time_point arrival) {
  if (!joining_since_) joining_since_ = arrival;
  const Track* before = newest(true);
  const bool by_video = before != nullptr && arrival - *joining_since_ < kVideoPatience;
  if (before == nullptr) before = newest(false);
  std::optional<std::uint64_t> clock;
  each_packet(packets, [&](std::span<const std::byte> packet, const PacketView& view) {
    if (const std::size_t at = find_clock(packet)) clock = read_clock_base(&packet[at]);
    const auto times = joining_ ? find_times(packet, view) : std::nullopt;
    if (!times || (by_video && !is_video(times->stream_id))) return;
    joining_ = false;
    const std::uint64_t time = read_time(&packet[times->dts != 0 ? times->dts : times->pts]);
    offset_ = before->at(arrival).count() + 1 - static_cast<std::int64_t>(time);
  });
  if (!joining_ && clock && reference_) {
    // An encoder that sends further ahead of its clock: the clock must not go back either.
    const Time now =
        reference_->clock.base + std::chrono::duration_cast<Time>(arrival - reference_->arrival) + Time(1);
    const Time moved = unwrap(static_cast<std::uint64_t>(static_cast<std::int64_t>(*clock) + offset_), now);
    if (moved < now) offset_ += (now - moved).count();
  }
  return !joining_;
}

void TsSplice::join(std::span<std::byte> packets, Clock::time_point arrival) {
  // What comes before is not passed on: the run begins with a keyframe.
  if (joining_ && !anchor(packets, arrival)) return;
  each_packet(packets, [&](std::span<std::byte> packet, const PacketView& view) {
    if (leave_out(packet, view)) {
      make_null(packet);
    } else {
      pass(packet, arrival, Counting::keep_steps);
    }
  });
}

bool TsSplice::leave_out(std::span<const std::byte> packet, const PacketView& view) {
  const auto track = std::ranges::find(tracks_, view.pid, &Track::pid);
  if (track == tracks_.end() || track->begun) return false;
  // One without a payload is but a clock reference.
  if (!view.unit_start) return view.has_payload;
  // The run was joined by its pictures: its first sound may lie where silence was filled in.
  const auto times = find_times(packet, view);
  if (times && !is_video(times->stream_id)) {
    const std::uint64_t time = read_time(&packet[times->dts != 0 ? times->dts : times->pts]);
    const auto moved = static_cast<std::uint64_t>(static_cast<std::int64_t>(time) + offset_) & kClockMask;
    if (unwrap(moved, track->dts) <= track->dts) return true;
  }
  track->begun = true;
  return false;
}

void TsSplice::add(std::span<std::byte> packets, Clock::time_point now) {
  const std::int64_t offset = std::exchange(offset_, 0);
  each_packet(packets,
              [&](std::span<std::byte> packet, const PacketView&) { pass(packet, now, Counting::count_on); });
  offset_ = offset;
}

void TsSplice::pass(std::span<std::byte> packet, Clock::time_point arrival, Counting counting) {
  const PacketView view = mpegts::parse_packet(packet);
  move_times(packet, view, arrival);
  move_clock(packet, view, arrival);
  count(packet, view, counting);
}

void TsSplice::count(std::span<std::byte> packet, const PacketView& view, Counting counting) {
  const auto found = std::ranges::find(tracks_, view.pid, &Track::pid);
  std::uint8_t& last = counters_[view.pid];
  std::uint8_t& offset = counter_offsets_[view.pid];
  std::uint8_t counter = view.continuity;
  if (counting == Counting::count_on || offset == kUnseen) {
    // The first of its PID behind a seam goes on where the last one was.
    unsigned next = last == kUnseen ? view.continuity : last + (view.has_payload ? 1U : 0U);
    if (found != tracks_.end() && view.has_payload && std::exchange(found->cut_off, false)) ++next;
    counter = static_cast<std::uint8_t>(next & 0x0F);
    if (counting == Counting::keep_steps) {
      offset = static_cast<std::uint8_t>((counter - view.continuity) & 0x0F);
    }
  } else {
    counter = static_cast<std::uint8_t>((view.continuity + offset) & 0x0F);
  }
  packet[3] = (packet[3] & std::byte{0xF0}) | static_cast<std::byte>(counter);
  last = counter;
  if (found != tracks_.end() && view.has_payload) found->complete = mpegts::is_stuffed(packet);
}

void TsSplice::move_clock(std::span<std::byte> packet, const PacketView& view, Clock::time_point arrival) {
  const std::size_t at = find_clock(packet);
  if (at == 0) return;
  std::uint64_t base = read_clock_base(&packet[at]);
  if (offset_ != 0) {
    base = static_cast<std::uint64_t>(static_cast<std::int64_t>(base) + offset_) & kClockMask;
    write_clock_base(&packet[at], base);
  }
  const Time near = reference_ ? reference_->clock.base : Time(static_cast<std::int64_t>(base));
  reference_ = Reference{view.pid, {unwrap(base, near), read_clock_extension(&packet[at])}, arrival};
}

void TsSplice::move_times(std::span<std::byte> packet, const PacketView& view, Clock::time_point arrival) {
  const auto times = find_times(packet, view);
  if (!times) return;
  const auto move = [&](std::size_t at) {
    std::uint64_t time = read_time(&packet[at]);
    if (offset_ != 0) {
      time = static_cast<std::uint64_t>(static_cast<std::int64_t>(time) + offset_) & kClockMask;
      write_time(&packet[at], time);
    }
    return time;
  };
  const std::uint64_t pts = move(times->pts);
  const std::uint64_t dts = times->dts != 0 ? move(times->dts) : pts;
  Track* track = find_or_add(view.pid);
  if (track == nullptr) return;
  const bool is_new = track->stream_id == 0;
  const Time near = is_new ? Time(static_cast<std::int64_t>(dts)) : track->dts;
  track->stream_id = times->stream_id;
  track->dts = unwrap(dts, near);
  const Time shown = unwrap(pts, track->dts);
  track->pts = is_new ? shown : std::max(track->pts, shown);
  track->arrival = arrival;
}

}  // namespace simulcast::continuity
