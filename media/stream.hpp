// The hub: one live stream, from its publisher to the outputs that are attached.
//
// It maps timestamps to the stream's clock, remembers codec headers, metadata and the current GOP, and offers
// each packet to every attached output. An output that attaches first gets the headers and the cached GOP
// from its keyframe; until there is one it gets nothing. Owned by the daemon's per-shard registry; lives on
// one shard, as do its outputs.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "media/gop_cache.hpp"
#include "media/output.hpp"
#include "media/packet.hpp"
#include "media/timeline.hpp"

namespace simulcast::media {

class Stream {
 public:
  Stream() = default;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // The packets of a new publisher follow: its clock is joined to the stream's, and nothing of it is passed
  // on before its first keyframe, so that two publishers are never mixed.
  void begin_publisher();

  void publish(Packet packet, Timeline::Clock::time_point arrival = Timeline::Clock::now());
  // Call once after everything that came with one read was published.
  void flush();

  void attach(Output& output);
  void detach(Output& output);

  struct Counters {
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;
    std::uint64_t clock_jumps = 0;
  };
  Counters counters() const;

 private:
  struct Attached {
    Output* output;
    bool started;  // has been given its start point
  };

  void remember(const Packet& packet);
  void offer_start(Attached& attached);

  std::vector<Attached> outputs_;
  std::vector<Packet> headers_;  // newest of each kind, role and track, in the order they first came
  std::optional<Packet> metadata_;
  GopCache gop_;
  Timeline timeline_;
  std::uint64_t packets_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace simulcast::media
