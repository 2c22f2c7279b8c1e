// What an output and an input tell about themselves: the words the API, the log and the dashboard share.
//
// Plain values, copied between threads as snapshots: made on the stream's shard, read on the control thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace simulcast::media {

using WallTime = std::chrono::system_clock::time_point;

enum class OutputState : std::uint8_t {
  disabled,    // not wanted
  idle,        // wanted, but the input is not live
  connecting,  // dialling, shaking hands, or publishing without an acknowledged media byte yet
  live,        // publish accepted and media acknowledged by the peer
  holding,     // the input is gone for the moment, the connection is kept
  retrying,    // failed; tried again at next_retry_at
  stopping,    // ending the broadcast properly
};
std::string_view to_string(OutputState state);

struct OutputStatus {
  OutputState state = OutputState::idle;
  WallTime since{};
  std::string message;  // the cause, in the peer's words where it gave any; never a secret
  int attempt = 0;      // failed tries since the last healthy connection
  std::optional<WallTime> next_retry_at;
  std::optional<WallTime> hold_ends_at = {};  // while holding: how long the connection is kept

  bool operator==(const OutputStatus&) const = default;
};

struct OutputStats {
  std::uint64_t bytes_sent = 0;       // payload bytes handed to the socket, since the worker began
  std::uint64_t bitrate = 0;          // bit/s over the last second
  std::uint64_t frames_sent = 0;      // video frames
  std::uint64_t frames_dropped = 0;   // video frames given up because the destination was too slow
  std::chrono::milliseconds queue{};  // media time waiting in the mailbox
  std::optional<std::chrono::microseconds> rtt;
  std::uint64_t retransmits = 0;
  // SRT only, where a packet may be missed, repaired, or given up as too late.
  std::uint64_t packets_lost = 0;
  std::uint64_t packets_dropped = 0;
  std::chrono::milliseconds send_buffer{};  // media sent and not yet acknowledged
  std::uint64_t reconnects = 0;
  std::optional<WallTime> connected_at;
};

// How far a try to publish to a destination got, without any media.
struct OutputTest {
  struct Step {
    std::string name;  // "dns", "tcp", "tls", "rtmp handshake", "connect", "publish", "srt handshake"
    bool ok = false;
    std::chrono::microseconds took{};
    std::string message;  // the cause where it failed
  };
  bool ok = false;
  std::string message;      // a sentence for the user
  std::vector<Step> steps;  // the last one is the one that failed, if any did
};

// The input's connection as the original API words it.
enum class InputReason : std::uint8_t {
  connected,
  reconnected,
  reconnecting,
  client_disconnect,
  ttl_exceeded,
  failed_to_connect,
  failed_to_reconnect,
  new_configuration_accepted,
};
std::string_view to_string(InputReason reason);

enum class IngestProtocol : std::uint8_t { rtmp, rtmps, srt };
std::string_view to_string(IngestProtocol protocol);

struct InputStatus {
  bool connected = false;
  InputReason reason = InputReason::connected;
  IngestProtocol protocol = IngestProtocol::rtmp;
  WallTime entered_at{};
  WallTime last_seen{};
  std::optional<WallTime> hold_ends_at = {};  // while outputs are kept for it to come back
};

// What is measured of the media that an input gets; nothing is decoded beyond headers. Of the first video and
// the first audio track.
struct VideoTrack {
  std::string codec;    // "h264", "hevc", "av1", "vp9", as ffprobe has it
  std::string profile;  // "High"; empty: not known
  std::string level;    // "4.1"
  unsigned width = 0;   // as shown, after cropping; 0: not known
  unsigned height = 0;
  double fps = 0;                                 // over the last seconds; 0: not known yet
  std::chrono::milliseconds keyframe_interval{};  // the longest of the last few; zero: not known yet
  std::chrono::milliseconds since_keyframe{};     // of media: how long the GOP is that still comes
  std::optional<bool> b_frames = {};              // empty: not told apart (MPEG-TS)
  std::uint64_t bitrate = 0;                      // bit/s over the last second; 0: not told apart (MPEG-TS)
  std::uint64_t mean_bitrate = 0;  // over Meter::kMeanReports; 0: not known yet, or not told apart

  bool operator==(const VideoTrack&) const = default;
};

struct AudioTrack {
  std::string codec;  // "aac", "mp3", "opus"
  std::string profile;
  unsigned sample_rate = 0;  // Hz
  unsigned channels = 0;
  std::uint64_t bitrate = 0;
  std::uint64_t mean_bitrate = 0;  // as for video

  bool operator==(const AudioTrack&) const = default;
};

// Something about what comes in that the platform behind an output does not want.
struct Warning {
  std::string rule;     // "keyframe_interval"
  std::string message;  // for a person: what is measured, what is wanted, which setting to change

  bool operator==(const Warning&) const = default;
};

struct InputStats {
  std::uint64_t bytes_received = 0;  // payload bytes from the publisher, since the stream began
  std::uint64_t packets = 0;
  std::uint64_t bitrate = 0;            // bit/s over the last second, all tracks
  std::uint64_t mean_bitrate = 0;       // over Meter::kMeanReports; 0: not known yet
  std::chrono::milliseconds sending{};  // how long this publisher has sent, pauses left out
  std::uint64_t clock_jumps = 0;
  std::string encoder;  // what the publisher calls itself; empty: it does not
  std::optional<VideoTrack> video;
  std::optional<AudioTrack> audio;
};

}  // namespace simulcast::media
