// Which programs a transport stream holds and what each is made of: its PAT and PMTs, followed as they
// change.
//
//   PAT  {u16 program, 3 bits, 13 bits PID of its PMT}
//   PMT  3 bits, 13 bits PCR PID, 4 bits, 12 bits length, descriptors, {u8 stream type, 3 bits, 13 bits PID,
//        4 bits, 12 bits length, descriptors}
//
// One program is selected: the first of the PAT with video, else the first with anything. ISO/IEC 13818-1,
// 2.4.4; stream types and registrations of DVB, ATSC and SCTE. Owned by a Scanner or a Demuxer; takes hostile
// input, costs a bounded time per packet, and allocates only when a table changes.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "media/payload.hpp"
#include "protocol/mpegts/packet.hpp"
#include "protocol/mpegts/section.hpp"

namespace simulcast::mpegts {

inline constexpr std::size_t kMaxPrograms = 16;
inline constexpr std::size_t kMaxElementaryStreams = 64;

enum class Codec : std::uint8_t {
  h264,
  h265,
  mpeg2_video,
  other_video,
  aac,  // in ADTS frames
  aac_latm,
  mpeg_audio,  // MP1, MP2 or MP3: only the frames themselves tell
  ac3,
  eac3,
  opus,
  dts,
  other_audio,
  scte35,
  teletext,
  subtitles,
  timed_metadata,  // ID3 and the like
  klv,
  other,
};

bool is_video(Codec codec);
bool is_audio(Codec codec);
// "H.264 video", "SCTE-35 data": as a sentence for the user calls it.
const char* name_of(Codec codec);

struct ElementaryStream {
  std::uint16_t pid = kNullPid;
  Codec codec = Codec::other;
  bool operator==(const ElementaryStream&) const = default;
};

struct Program {
  std::uint16_t number = 0;
  std::uint16_t pmt_pid = kNullPid;
  std::vector<ElementaryStream> streams;  // in the order of the PMT

  const ElementaryStream* video() const;  // the first of its kind, or nullptr
  const ElementaryStream* audio() const;
  const ElementaryStream* find(std::uint16_t pid) const;
  bool operator==(const Program&) const = default;
};

class Tables {
 public:
  // One packet of any PID. True when program() is another one now, or made of other streams.
  bool push(std::span<const std::byte> packet, const PacketView& view);

  // The one selected, or nullptr while none is known. Valid until push() returns true.
  const Program* program() const;
  // The PAT, or the PMT of the selected program.
  bool is_table_of_program(std::uint16_t pid) const;
  // The packets of the newest PAT and of the newest PMT of the selected program; empty while there are none.
  media::Payload packets() const;
  std::uint64_t broken_sections() const;

 private:
  struct Entry {
    Program program;
    std::uint32_t crc = 0;
    bool known = false;  // its PMT has come
    SectionReader reader;
  };

  bool on_pat(std::span<const std::byte> section);
  bool on_pmt(Entry& entry, std::span<const std::byte> section);
  bool select();

  SectionReader pat_;
  std::uint32_t pat_crc_ = 0;
  bool pat_known_ = false;
  bool changed_ = false;
  std::vector<std::unique_ptr<Entry>> entries_;  // in the order of the PAT
  std::bitset<kPidCount> pmt_pids_;
  const Entry* selected_ = nullptr;
  Program last_;  // what was selected when it was last compared
};

}  // namespace simulcast::mpegts
