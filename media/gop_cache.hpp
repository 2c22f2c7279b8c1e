// The packets since the last keyframe, so that an output which joins can start at once instead of waiting for
// the next.
//
// Holds one GOP with the audio and data that arrived in it, at most kMaxBytes and kMaxPackets; a GOP that
// outgrows this is let go whole and joiners wait for the next keyframe. A stream without video has no
// keyframes: then the last kAudioSpan of audio is kept. Owned by media::Stream; lives on the stream's shard.
#pragma once

#include <cstddef>
#include <deque>

#include "media/packet.hpp"

namespace simulcast::media {

class GopCache {
 public:
  static constexpr std::size_t kMaxBytes = std::size_t{64} << 20;
  // What a packet costs beside its payload, so that a flood of tiny ones is bounded as well.
  static constexpr std::size_t kPacketOverhead = 160;
  // Every output that joins is given all of them in one call: ten seconds of 60 Mbit/s in datagrams.
  static constexpr std::size_t kMaxPackets = 65'536;
  // How much of what came before a keyframe is looked through for sound that belongs behind it.
  static constexpr std::size_t kMostAhead = 1024;
  // Also how long a stream is given to show video before it is taken for audio only.
  static constexpr Time kAudioSpan = std::chrono::seconds{1};

  // Frames only; headers are kept by the stream.
  void push(const Packet& packet);
  void clear();
  // The stream has a video track: from now on only a keyframe starts the cache.
  void expect_video();
  bool expects_video() const { return video_; }

  // True when decoding can start from packets().front().
  bool ready() const { return ready_ && !packets_.empty(); }
  const std::deque<Packet>& packets() const { return packets_; }
  std::size_t bytes() const { return bytes_; }

 private:
  void start_gop(const Packet& keyframe);
  void append(const Packet& packet);
  bool too_much() const { return bytes_ > kMaxBytes || packets_.size() > kMaxPackets; }
  bool too_much_before_start() const;
  void drop_front();

  std::deque<Packet> packets_;
  std::size_t bytes_ = 0;
  bool video_ = false;
  bool ready_ = false;
};

}  // namespace simulcast::media
