// Makes one transport stream of those that successive publishers send by SRT: times, clock references and
// continuity counters run on.
//
// The first publisher's packets stay as they are and are only watched. Behind a seam the clock of the next
// one is joined to where the stream would be by now, by its first picture (or sound, where there is no
// video), and all its times are moved alike. Where a PES packet was cut off, a counter is left out, which
// tells receivers that something is missing. Of a new run, what is the rest of a PES packet that began
// before it, and sound of time that was filled already, become null packets. ISO/IEC 13818-1, 2.4.3. Takes
// hostile input; a bounded amount of work per packet. Owned by a stream's Continuity; lives on the stream's
// shard.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "media/packet.hpp"
#include "media/timeline.hpp"
#include "protocol/mpegts/packet.hpp"
#include "protocol/mpegts/packet_writer.hpp"

namespace simulcast::continuity {

class TsSplice {
 public:
  using Clock = media::Timeline::Clock;
  // More elementary streams than this are passed on, but not remembered.
  static constexpr std::size_t kMaxTracks = 64;
  // A publisher without the video that the one before had is joined by its sound after this.
  static constexpr std::chrono::milliseconds kVideoPatience{900};

  TsSplice();

  // Another publisher's packets follow, or the same one's after a pause that was filled.
  void begin_publisher();
  // What was begun will not be completed: filler follows.
  void interrupt();
  // Whole packets as they came, or not: rewritten in place where they need it.
  void join(std::span<std::byte> packets, Clock::time_point arrival);
  // Whole packets that were made for the stream: gets them counted.
  void add(std::span<std::byte> packets, Clock::time_point now);

  // An elementary stream, in the times of this stream, unwrapped.
  struct Track {
    std::uint16_t pid = mpegts::kNullPid;
    std::uint8_t stream_id = 0;
    media::Time dts{};  // of its last PES packet
    media::Time pts{};  // the greatest
    Clock::time_point arrival{};
    bool complete = true;  // the last PES packet, as far as can be told
    bool cut_off = false;  // it was not when it was broken off
    bool begun = true;     // something of this publisher's run is in the stream

    media::Time at(Clock::time_point now) const {
      return dts + std::chrono::duration_cast<media::Time>(now - arrival);
    }
  };
  const Track* track(std::uint16_t pid) const;
  const std::vector<Track>& tracks() const { return tracks_; }
  // Of all the times that the 33 bits of `time` can mean the one nearest to `near`.
  static media::Time nearest(media::Time time, media::Time near);

  struct Reference {
    std::uint16_t pid = mpegts::kNullPid;
    mpegts::ClockReference clock;  // unwrapped
    Clock::time_point arrival{};
  };
  const std::optional<Reference>& reference() const { return reference_; }

 private:
  enum class Counting { keep_steps, count_on };

  bool anchor(std::span<const std::byte> packets, Clock::time_point arrival);
  const Track* newest(bool video) const;
  bool leave_out(std::span<const std::byte> packet, const mpegts::PacketView& view);
  void pass(std::span<std::byte> packet, Clock::time_point arrival, Counting counting);
  void count(std::span<std::byte> packet, const mpegts::PacketView& view, Counting counting);
  void move_clock(std::span<std::byte> packet, const mpegts::PacketView& view, Clock::time_point arrival);
  void move_times(std::span<std::byte> packet, const mpegts::PacketView& view, Clock::time_point arrival);
  Track* find_or_add(std::uint16_t pid);

  std::vector<Track> tracks_;
  std::optional<Reference> reference_;
  bool joining_ = false;  // nothing of the new publisher is in the stream's time yet
  std::optional<Clock::time_point> joining_since_;
  std::int64_t offset_ = 0;                                        // ticks
  std::array<std::uint8_t, mpegts::kPidCount> counters_;           // last of each PID
  std::array<std::uint8_t, mpegts::kPidCount> counter_offsets_{};  // in this publisher's run
};

}  // namespace simulcast::continuity
