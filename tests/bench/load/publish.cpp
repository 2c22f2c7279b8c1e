// The encoders: any number of streams from one thread, every message written whole when it is due.
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <functional>
#include <queue>
#include <vector>

#include "tests/bench/load/arguments.hpp"
#include "tests/bench/load/chunked.hpp"
#include "tests/bench/load/connection.hpp"
#include "tests/bench/load/frames.hpp"
#include "tests/bench/load/measure.hpp"
#include "tests/bench/load/modes.hpp"

namespace simulcast::load {

namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kDrainEvery = kSecond / 5;
constexpr std::int64_t kLead = kSecond / 10;  // from the headers to the first frame

volatile std::sig_atomic_t ending = 0;
void end(int) {
  ending = 1;
}

struct Due {
  std::int64_t at = 0;
  std::size_t stream = 0;
  bool video = false;
  bool operator>(const Due& other) const { return at > other.at; }
};

class Publisher {
 public:
  explicit Publisher(const Arguments& arguments)
      : fps_(arguments.number("fps", 60)),
        gop_(static_cast<std::uint64_t>(arguments.number("gop", 120))),
        seconds_(arguments.number("seconds", 0)),
        speed_(arguments.number("speed", 1)),
        has_audio_(arguments.number("audio-kbps", 128) > 0) {
    const double kbps = arguments.number("kbps", 6000);
    const double audio_kbps = arguments.number("audio-kbps", 128);
    const double factor = arguments.number("keyframe-factor", 6);
    if (!(fps_ > 0) || !(speed_ > 0) || gop_ == 0) fail("--fps, --speed and --gop must be above 0");
    // A keyframe is `factor` times as long as another frame and the average is that of the bitrate.
    const double gop = static_cast<double>(gop_);
    const double frame = kbps * 1000 / 8 / fps_ * gop / (gop - 1 + factor);
    inter_ = video_frame(false, static_cast<std::size_t>(std::lround(frame)));
    key_ = video_frame(true, static_cast<std::size_t>(std::lround(frame * factor)));
    audio_ = audio_frame(static_cast<std::size_t>(
        std::lround(audio_kbps * 1000 / 8 * static_cast<double>(kAudioSamples) / kAudioRate)));
    const auto chunk_size = static_cast<std::uint32_t>(arguments.number("chunk-size", 60'000));
    for (const auto& url : arguments.urls()) streams_.push_back({Connection(url, chunk_size), 0, 0});
    meta_ = metadata(fps_, kbps, audio_kbps);
  }

  void run() {
    for (auto& stream : streams_) {
      send(stream, rtmp::MessageType::data_amf0, 0, meta_);
      send(stream, rtmp::MessageType::video, 0, avc_sequence_header());
      if (has_audio_) send(stream, rtmp::MessageType::audio, 0, aac_sequence_header());
    }
    const std::int64_t begin = now_ns() + kLead;
    const std::int64_t stop =
        seconds_ > 0 ? begin + static_cast<std::int64_t>(seconds_ * kSecond) : INT64_MAX;
    std::priority_queue<Due, std::vector<Due>, std::greater<>> queue;
    for (std::size_t i = 0; i < streams_.size(); ++i) {
      // Phases spread evenly over a frame's time, as those of independent encoders are.
      streams_[i].begin =
          begin + static_cast<std::int64_t>(static_cast<double>(i) / static_cast<double>(streams_.size()) *
                                            kSecond / fps_ / speed_);
      queue.push({streams_[i].begin, i, true});
      if (has_audio_) queue.push({streams_[i].begin, i, false});
    }
    std::int64_t drain_at = begin;
    std::printf("publishing %zu\n", streams_.size());
    std::fflush(stdout);
    while (ending == 0) {
      Due due = queue.top();
      if (due.at >= stop) break;
      queue.pop();
      if (now_ns() < due.at) wait_until(due.at);
      Stream& stream = streams_[due.stream];
      const std::int64_t now = now_ns();
      lateness_.add(now - due.at);
      if (due.video) {
        Bytes& frame = stream.video % gop_ == 0 ? key_ : inter_;
        put_stamp(std::span(frame).subspan(kVideoStampAt), {stream.video, now});
        send(stream, rtmp::MessageType::video, milliseconds(video_time(stream.video, fps_)), frame);
        due.at = stream.begin + real(video_time(++stream.video, fps_));
      } else {
        put_stamp(std::span(audio_).subspan(kAudioStampAt), {stream.audio, now});
        send(stream, rtmp::MessageType::audio, milliseconds(audio_time(stream.audio)), audio_);
        due.at = stream.begin + real(audio_time(++stream.audio));
      }
      queue.push(due);
      if (now >= drain_at) {
        drain_at = now + kDrainEvery;
        for (auto& each : streams_) {
          if (!each.connection.drain()) fail("the server hung up or refused the stream");
        }
      }
    }
    std::printf("{\"streams\":%zu,\"late\":%s,\"stalls\":%llu,\"cpu\":%.3f}\n", streams_.size(),
                lateness_.json().c_str(), stalls_, cpu_seconds());
  }

 private:
  struct Stream {
    Connection connection;
    std::uint64_t video = 0, audio = 0;  // frames sent
    std::int64_t begin = 0;
  };

  std::int64_t real(std::int64_t media) const {
    return speed_ == 1 ? media : static_cast<std::int64_t>(static_cast<double>(media) / speed_);
  }

  static void wait_until(std::int64_t at) {
    const timespec wanted{at / kSecond, at % kSecond};
    while (ending == 0 && clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &wanted, nullptr) == EINTR) {
    }
  }

  void send(Stream& stream, rtmp::MessageType type, std::uint32_t timestamp,
            std::span<const std::byte> body) {
    chunked_.clear();
    if (!chunked_.has_room(body.size(), stream.connection.writer().chunk_size()))
      fail("the chunk size is too small");
    chunked_.add(stream.connection.writer(), type, stream.connection.stream_id(), timestamp, body);
    auto pieces = chunked_.pieces();
    while (!pieces.empty()) {
      msghdr message{};
      message.msg_iov = pieces.data();
      message.msg_iovlen = pieces.size();
      const ssize_t sent = ::sendmsg(stream.connection.fd(), &message, MSG_NOSIGNAL);
      if (sent < 0 && errno == EAGAIN) {
        // The relay does not keep up; an encoder has to wait then as well, and it shows in the lateness.
        ++stalls_;
        pollfd writable{stream.connection.fd(), POLLOUT, 0};
        ::poll(&writable, 1, 1000);
        continue;
      }
      if (sent < 0 && errno == EINTR) continue;
      if (sent < 0) fail_errno("send");
      auto left = static_cast<std::size_t>(sent);
      while (!pieces.empty() && left >= pieces.front().iov_len) {
        left -= pieces.front().iov_len;
        pieces = pieces.subspan(1);
      }
      if (left > 0) {
        pieces.front().iov_base = static_cast<std::byte*>(pieces.front().iov_base) + left;
        pieces.front().iov_len -= left;
      }
    }
  }

  const double fps_;
  const std::uint64_t gop_;
  const double seconds_;
  const double speed_;
  const bool has_audio_;
  Bytes meta_, inter_, key_, audio_;  // made once; only the stamp changes
  std::vector<Stream> streams_;
  Chunked chunked_;
  Samples lateness_;
  unsigned long long stalls_ = 0;
};

}  // namespace

int publish(int argc, char** argv) {
  const Arguments arguments(
      argc, argv, {"fps", "kbps", "gop", "audio-kbps", "seconds", "speed", "keyframe-factor", "chunk-size"},
      {});
  std::signal(SIGTERM, end);
  std::signal(SIGINT, end);
  prctl(PR_SET_TIMERSLACK, 1);  // the default lets a sleeper oversleep by 50 us
  Publisher(arguments).run();
  return 0;
}

}  // namespace simulcast::load
