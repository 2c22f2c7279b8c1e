// What waits for one destination, bounded in media time and in bytes.
//
// When a destination is too slow and a bound is passed, whole GOPs are let go from the front, so that what
// remains starts at a keyframe. Of the codec headers and the metadata among them the newest of each kind and
// track are kept, for those apply to the frames that follow. The packets that an output starts with (the
// cached GOP) may be longer than the bound: they are let through, the bound counts from there. All that waits
// counts, with what it costs beside its payload; a push costs the same however much waits. Owned by a Worker,
// on the stream's shard.
#pragma once

#include <boost/circular_buffer.hpp>
#include <cstddef>
#include <cstdint>
#include <map>
#include <tuple>

#include "media/packet.hpp"

namespace simulcast::egress {

class Mailbox {
 public:
  struct Limits {
    media::Time duration;
    std::size_t bytes;
  };
  // What a packet costs beside its payload: its place, with room to grow, and the payload's allocation.
  static constexpr std::size_t kOverhead = 2 * sizeof(media::Packet) + 64;

  explicit Mailbox(Limits limits) : limits_(limits), allowed_(limits) {}

  void push(const media::Packet& packet);
  // What is pushed between these two is what a connection starts with and does not count as backlog.
  void begin_start();
  void end_start();
  void clear();

  bool empty() const { return packets_.empty() && outlived_.empty(); }
  // Nothing waits and nothing is being left out: a packet may go past the mailbox.
  bool idle() const { return idle_; }
  const media::Packet& front();
  void pop();

  media::Time span() const;
  std::size_t bytes() const { return bytes_; }
  std::size_t size() const { return packets_.size() + outlived_.size(); }
  // Video frames (audio frames where there is no video) given up so far; clear() does not count.
  std::uint64_t frames_dropped() const { return frames_dropped_; }

 private:
  // Metadata first, then headers by kind and track; one of each.
  using HeaderKey = std::tuple<bool, media::PacketRole, media::MediaKind, std::uint8_t, std::uint8_t>;
  static HeaderKey key_of(const media::Packet& packet);

  static bool within(const Limits& limits, media::Time span, std::size_t bytes) {
    return bytes <= limits.bytes && span <= limits.duration;
  }
  bool is_sync_point(const media::Packet& packet) const;
  void count_dropped(const media::Packet& packet);
  void append(const media::Packet& packet);
  void drop_oldest_gops();
  void drop_front();
  void bound_outlived();

  bool idle_ = true;  // first in memory, beside what the packet path looks at in the worker
  const Limits limits_;
  Limits allowed_;  // limits_, or more while an excused start is being sent
  boost::circular_buffer<media::Packet> packets_;
  std::map<HeaderKey, media::Packet> outlived_;  // headers whose frames were let go: they go out first
  std::size_t bytes_ = 0;
  std::size_t outlived_bytes_ = 0;  // of them
  bool video_ = false;              // the stream has a video track
  bool skipping_ = false;           // video frames are dropped until the next keyframe
  std::uint64_t frames_dropped_ = 0;
};

}  // namespace simulcast::egress
