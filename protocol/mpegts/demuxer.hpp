// Takes an MPEG-TS apart into the PES packets of the streams asked for. A shell around libavformat's demuxer,
// which wants to read, that is pushed: it runs on a fiber that is suspended whenever its input has run out.
//
// Sans-I/O; owned by a repackager, on its stream's shard. Nothing is probed or read ahead: a PES packet is
// handed out as soon as its announced length is there, or, without one, when the next of its PID begins. Only
// the tables of the selected program and the PIDs selected reach libavformat. Takes hostile input: what makes
// no sense is left out and counted. ISO/IEC 13818-1, 2.4.3.6.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "media/packet.hpp"
#include "protocol/mpegts/tables.hpp"

namespace simulcast::mpegts {

inline constexpr std::size_t kMaxPes = std::size_t{16} << 20;  // a longer one comes in pieces

struct Pes {
  std::uint16_t pid = kNullPid;
  Codec codec = Codec::other;
  bool corrupt = false;  // packets are missing in it, or its length is not the one announced
  bool torn = false;     // its stream ended before it did, as far as that can be told
  // 33-bit clock, unwrapped over all streams: steps are right across the wrap, also to negative times.
  std::optional<media::Time> dts;  // pts where the header has only that
  std::optional<media::Time> pts;
  std::span<const std::byte> bytes;  // valid during the call; at least 64 zero bytes follow
};

class Demuxer {
 public:
  class Handler {
   public:
    // Another program was selected, or it is made of other streams now. select() may be called from here.
    virtual void on_program(const Program& program) = 0;
    virtual void on_pes(const Pes& pes) = 0;

   protected:
    ~Handler() = default;
  };

  explicit Demuxer(Handler& handler);
  ~Demuxer();
  Demuxer(const Demuxer&) = delete;
  Demuxer& operator=(const Demuxer&) = delete;

  // The whole packets of one datagram, any number. `after_hole`: datagrams are missing in front of it.
  // Handlers are called from here, and may throw.
  void push(std::span<const std::byte> packets, bool after_hole = false);

  // Nothing more comes, or what comes does not go on where this ended: hands out the PES packets that only
  // waited for the next to begin, and those that never got their end (`torn`: see PesEnds). The tables and
  // the clock stay as they are; push() may follow, and begins anew.
  void finish();

  // Takes only these PIDs apart, from the next packet on; none at first.
  void select(std::span<const std::uint16_t> pids);

  std::uint64_t malformed() const;  // packets out of step, and what libavformat would not take

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace simulcast::mpegts
