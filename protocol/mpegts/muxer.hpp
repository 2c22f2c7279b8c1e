// Makes an MPEG-TS of access units: one program, tables and clock references as ISO/IEC 13818-1 and DVB
// (ETSI TS 101 154) ask for them, made by libavformat's muxer, with the settings that suit a live stream.
//
// Sans-I/O: nothing is interleaved or held back, the packets of an access unit are in the DatagramWriter when
// write() returns. Every kTablesPeriod and before every keyframe come PAT and PMT, directly ahead of the
// access unit; an SDT, when it is due, comes after it. PTS and DTS pass unchanged but for kClockStart; the
// clock reference is kDecoderLead behind the DTS, and is sent with the video (without video: with the first
// track) at least every 40 ms where access units come as often. Clocks run on past 2^33 as the 33 bits of the
// wire do. Owned by one repackager; any one thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "media/packet.hpp"
#include "protocol/mpegts/datagram_writer.hpp"

namespace simulcast::mpegts {

enum class TrackCodec : std::uint8_t { h264, h265, aac, mp3, ac3, eac3, opus };
constexpr bool is_video(TrackCodec codec) {
  return codec == TrackCodec::h264 || codec == TrackCodec::h265;
}

struct Track {
  TrackCodec codec = TrackCodec::h264;
  std::uint16_t pid = 0;
  int sample_rate = 48'000;  // audio only; below 32 kHz MP3 has a stream type of its own
  int channels = 2;          // Opus only
  std::vector<std::byte>
      extradata;  // AAC: AudioSpecificConfig; Opus: OpusHead or empty; empty for all others

  bool operator==(const Track&) const = default;
};

struct AccessUnit {
  std::size_t track = 0;  // position in what set_tracks() was given
  media::Time dts{};
  media::Time pts{};
  bool keyframe = false;  // of video
  // Video: Annex B, beginning with an access unit delimiter and a four byte start code (otherwise it is
  // copied once more to add one). AAC: raw, or ADTS. Used only during the call.
  std::span<const std::byte> data;
};

class Muxer {
 public:
  // Added to every time stamp, so that the clock reference of what starts at zero is not negative.
  static constexpr media::Time kClockStart = std::chrono::seconds{1};
  static constexpr media::Time kDecoderLead = std::chrono::milliseconds{100};
  static constexpr std::chrono::milliseconds kTablesPeriod{50};
  static constexpr std::chrono::milliseconds kClockPeriod{20};
  static constexpr std::chrono::milliseconds kServicePeriod{1000};
  static constexpr std::uint16_t kTablesPid = 0x1000;  // of the PMT

  Muxer();
  ~Muxer();
  Muxer(Muxer&&) noexcept;
  Muxer& operator=(Muxer&&) noexcept;

  // False when MPEG-TS by this library has no way to carry a track, such as an AAC profile that ADTS cannot
  // name.
  static bool carries(const Track& track);

  // Begins the program, or begins it anew: with the next table version, and a discontinuity marked on the
  // first packet of every PID. False when that cannot be; then nothing can be written until it succeeds.
  bool set_tracks(std::vector<Track> tracks);
  const std::vector<Track>& tracks() const;

  // The DTS of a track must increase: one that does not is raised to one tick after the last, and a PTS
  // before its DTS to that. False when the access unit cannot be carried; nothing of it is written then.
  bool write(const AccessUnit& unit, DatagramWriter& out);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace simulcast::mpegts
