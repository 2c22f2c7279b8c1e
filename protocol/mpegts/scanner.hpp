// What a relay has to know about the datagrams of one MPEG-TS publisher to pass them on as they are: where
// frames and keyframes begin, whether packets are missing, and what an output that joins needs first.
//
// Sans-I/O; owned by one publisher session, on its stream's shard. Takes hostile input; a bounded amount of
// work per packet and no allocation while the tables stay as they are. ISO/IEC 13818-1, 2.4.3 and 2.4.4.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "media/payload.hpp"
#include "protocol/mpegts/packet.hpp"
#include "protocol/mpegts/tables.hpp"
#include "protocol/nal/nal_units.hpp"

namespace simulcast::mpegts {

inline constexpr std::size_t kMaxDatagramPackets = 7;

class Scanner {
 public:
  Scanner();

  struct Datagram {
    bool malformed = false;  // not whole packets, too many, or out of step: to be dropped, it changes nothing
    bool has_video = false;  // the program has, as far as its tables are known
    bool keyframe = false;
    std::uint8_t frames = 0;        // of video that begin in it, or of audio where there is no video
    std::uint16_t sync_offset = 0;  // with keyframe: where the packet lies that it begins in
  };
  Datagram scan(std::span<const std::byte> datagram);

  // The newest PAT and PMT in whole packets, as they came; empty while they are not known. Composed anew each
  // time: to be asked for when a keyframe comes.
  media::Payload join_header() const { return tables_.packets(); }
  // The selected program, or nullptr.
  const Program* program() const { return tables_.program(); }

  std::uint64_t continuity_errors() const { return continuity_errors_; }
  std::uint64_t malformed() const { return malformed_; }
  std::uint64_t broken_sections() const { return tables_.broken_sections(); }

 private:
  void check_continuity(const PacketView& view);
  void follow_program();
  bool begins_keyframe(const PacketView& view);

  Tables tables_;
  std::array<std::uint8_t, kPidCount> continuity_;  // last counter of each PID
  std::uint16_t frame_pid_ = kNullPid;              // the PID whose PES are counted
  Codec frame_codec_ = Codec::other;
  bool has_video_ = false;
  std::vector<nal::Unit> units_;
  std::uint64_t continuity_errors_ = 0;
  std::uint64_t malformed_ = 0;
};

}  // namespace simulcast::mpegts
