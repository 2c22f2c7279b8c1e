#include "daemon/input_meter.hpp"

#include <algorithm>
#include <utility>

namespace simulcast::daemon {

bool InputMeter::headers_changed(const media::Stream& stream) {
  const auto now = std::chrono::steady_clock::now();
  const bool same_run = std::exchange(run_, stream.runs()) == stream.runs();
  if (!same_run) {
    tracks_ = {};
    looks_ = 0;
  }
  is_mpegts_ = stream.form() == media::PacketForm::mpegts;
  if (is_mpegts_) {
    if (same_run && now < described_at_ + kDescribeAgain && tracks_.video && tracks_.audio) return false;
    described_at_ = now;
    return true;
  }
  std::vector<media::Payload> headers;
  for (const auto& packet : stream.publisher_lane().headers()) headers.push_back(packet.payload);
  const auto same = [](const media::Payload& left, const media::Payload& right) {
    return left.data() == right.data() && left.size() == right.size();
  };
  // A track without headers (MP3, silent starts) shows with its first frame.
  const bool complete = tracks_.video && tracks_.audio;
  if (same_run && complete && std::ranges::equal(headers, described_, same)) return false;
  described_ = std::move(headers);
  return true;
}

bool InputMeter::wants_another_look() const {
  const bool half_known =
      (tracks_.video && tracks_.video->width == 0) || (tracks_.audio && tracks_.audio->sample_rate == 0);
  return is_mpegts_ && half_known && looks_ < kMostLooks;
}

void InputMeter::look_again(const media::Stream& stream) {
  if (stream.publisher_lane().ready() && stream.runs() == run_) look(stream);
}

// What was told of a track stays known when there is nothing to tell it from this time.
void InputMeter::look(const media::Stream& stream) {
  ++looks_;
  inspect::Tracks fresh = inspect::describe_tracks(stream.publisher_lane(), stream.form());
  auto& [video, audio, encoder] = tracks_;
  if (fresh.video && video && fresh.video->codec == video->codec && fresh.video->width == 0)
    fresh.video = video;
  if (fresh.audio && audio && fresh.audio->codec == audio->codec && fresh.audio->sample_rate == 0)
    fresh.audio = audio;
  tracks_ = std::move(fresh);
}

media::InputStats InputMeter::report(media::Stream& stream) {
  const media::Meter::Report measured = stream.report();
  if (stream.publisher_lane().ready() && headers_changed(stream)) look(stream);
  media::InputStats stats{.bytes_received = measured.bytes,
                          .packets = measured.packets,
                          .bitrate = measured.bitrate,
                          .mean_bitrate = measured.mean_bitrate,
                          .sending = measured.sending,
                          .clock_jumps = stream.clock_jumps(),
                          .encoder = tracks_.encoder,
                          .video = tracks_.video,
                          .audio = tracks_.audio};
  const bool each_track = stream.form() == media::PacketForm::flv;
  if (stats.video) {
    stats.video->fps = measured.fps;
    stats.video->keyframe_interval = measured.keyframe_interval;
    stats.video->since_keyframe = measured.since_keyframe;
    if (each_track) {
      stats.video->b_frames = measured.b_frames;
      stats.video->bitrate = measured.video_bitrate;
      stats.video->mean_bitrate = measured.mean_video_bitrate;
    }
  }
  if (stats.audio && each_track) {
    stats.audio->bitrate = measured.audio_bitrate;
    stats.audio->mean_bitrate = measured.mean_audio_bitrate;
  }
  return stats;
}

}  // namespace simulcast::daemon
