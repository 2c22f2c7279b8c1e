#include "control/api/representation.hpp"

#include <boost/json/value_from.hpp>
#include <cmath>
#include <string>

#include "control/store/timestamps.hpp"

namespace simulcast::control {

namespace json = boost::json;

namespace {

template <class T>
json::value or_null(const std::optional<T>& value) {
  return value ? json::value_from(*value) : json::value(nullptr);
}

json::value text_or_null(const std::string& text) {
  return text.empty() ? json::value(nullptr) : json::value(text);
}

// Zero is not measured yet.
template <class T>
json::value number_or_null(T number) {
  return number == 0 ? json::value(nullptr) : json::value(number);
}

json::value time_or_null(const std::optional<media::WallTime>& time) {
  return time ? json::value(to_rfc3339(*time)) : json::value(nullptr);
}

json::object recording_json(const Recording& recording) {
  return {
      {"mode", recording.mode},
      {"timeoutSeconds", recording.timeout_seconds},
      {"requireSignedURLs", recording.require_signed_urls},
      {"allowedOrigins", or_null(recording.allowed_origins)},
      {"hideLiveViewerCount", recording.hide_live_viewer_count},
  };
}

// Of the whole stream, or of its first tracks; null: there is none, or it is not known.
json::object tracks_json(const std::optional<media::VideoTrack>& video,
                         const std::optional<media::AudioTrack>& audio) {
  const media::VideoTrack& picture = video ? *video : media::VideoTrack{};
  const media::AudioTrack& sound = audio ? *audio : media::AudioTrack{};
  constexpr double kDecimals = 100;
  return {
      {"videoCodec", text_or_null(picture.codec)},
      {"videoProfile", text_or_null(picture.profile)},
      {"videoLevel", text_or_null(picture.level)},
      {"width", number_or_null(picture.width)},
      {"height", number_or_null(picture.height)},
      {"fps", picture.fps > 0 ? json::value(std::round(picture.fps * kDecimals) / kDecimals) : json::value()},
      {"keyframeIntervalMs", number_or_null(picture.keyframe_interval.count())},
      {"videoBitrate", number_or_null(picture.bitrate)},
      {"audioCodec", text_or_null(sound.codec)},
      {"audioProfile", text_or_null(sound.profile)},
      {"audioSampleRate", number_or_null(sound.sample_rate)},
      {"audioChannels", number_or_null(sound.channels)},
      {"audioBitrate", number_or_null(sound.bitrate)},
  };
}

}  // namespace

json::object input_status_json(const media::InputStatus& status) {
  json::object shown{
      {"state", status.connected ? "connected" : "disconnected"},
      {"reason", to_string(status.reason)},
      {"ingestProtocol", to_string(status.protocol)},
      {"statusEnteredAt", to_rfc3339(status.entered_at)},
      {"statusLastSeen", to_rfc3339(status.last_seen)},
  };
  if (status.hold_ends_at) shown["holdEndsAt"] = to_rfc3339(*status.hold_ends_at);
  return shown;
}

json::value status_json(const std::optional<InputReport>& report) {
  if (!report) return nullptr;
  json::array history;
  for (const media::InputStatus& status : report->history) {
    if (history.size() == InputReport::kHistory) break;
    history.push_back(input_status_json(status));
  }
  json::object status{{"current", input_status_json(report->current)}};
  status["history"] = std::move(history);
  return status;
}

json::object input_stats_json(const media::InputStats& stats) {
  json::object shown{
      {"bytesReceived", stats.bytes_received},
      {"packetsReceived", stats.packets},
      {"bitrate", stats.bitrate},
      {"clockJumps", stats.clock_jumps},
      {"encoder", text_or_null(stats.encoder)},
  };
  for (auto& member : tracks_json(stats.video, stats.audio)) shown.insert(member);
  return shown;
}

json::object live_input_item_json(const LiveInput& input, const std::optional<InputReport>& report) {
  return {
      {"uid", input.uid},
      {"created", to_rfc3339(input.created)},
      {"modified", to_rfc3339(input.modified)},
      {"enabled", input.enabled},
      {"meta", input.meta},
      {"deleteRecordingAfterDays", or_null(input.delete_recording_after_days)},
      {"status", status_json(report)},
  };
}

// rtmpsPlayback and srtPlayback are left out, as the original's clients allow: nothing here serves playback,
// and an address is told only while there is a listener behind it.
json::object live_input_json(const LiveInput& input, const std::optional<InputReport>& report,
                             const std::optional<media::InputStats>& stats,
                             const PublicAddresses& addresses) {
  json::object shown = live_input_item_json(input, report);
  shown["stats"] = stats ? json::value(input_stats_json(*stats)) : json::value(nullptr);
  shown["preferLowLatency"] = input.prefer_low_latency;
  shown["recording"] = recording_json(input.recording);
  if (input.keys_rotated_at) shown["keysRotatedAt"] = to_rfc3339(*input.keys_rotated_at);
  if (addresses.rtmp_url) {
    shown["rtmp"] = json::object{{"url", *addresses.rtmp_url}, {"streamKey", input.stream_key()}};
  }
  if (addresses.rtmps_url) {
    shown["rtmps"] = json::object{{"url", *addresses.rtmps_url}, {"streamKey", input.stream_key()}};
  }
  if (addresses.srt_url) {
    shown["srt"] = json::object{
        {"url", *addresses.srt_url}, {"streamId", input.uid}, {"passphrase", input.srt_passphrase()}};
  }
  return shown;
}

json::object output_status_json(const media::OutputStatus& status) {
  json::object shown{
      {"state", to_string(status.state)},
      {"since", to_rfc3339(status.since)},
      {"message", status.message},
      {"attempt", status.attempt},
      {"nextRetryAt", time_or_null(status.next_retry_at)},
  };
  if (status.hold_ends_at) shown["holdEndsAt"] = to_rfc3339(*status.hold_ends_at);
  return shown;
}

json::object output_stats_json(const media::OutputStats& stats) {
  std::optional<double> rtt_ms;
  if (stats.rtt) rtt_ms = std::chrono::duration<double, std::milli>(*stats.rtt).count();
  return {
      {"bytesSent", stats.bytes_sent},           {"bitrate", stats.bitrate},
      {"framesSent", stats.frames_sent},         {"framesDropped", stats.frames_dropped},
      {"queueMs", stats.queue.count()},          {"rttMs", or_null(rtt_ms)},
      {"retransmits", stats.retransmits},        {"packetsLost", stats.packets_lost},
      {"packetsDropped", stats.packets_dropped}, {"sendBufferMs", stats.send_buffer.count()},
      {"reconnects", stats.reconnects},          {"connectedAt", time_or_null(stats.connected_at)},
  };
}

json::array warnings_json(const std::vector<media::Warning>& warnings) {
  json::array shown;
  for (const auto& [rule, message] : warnings) {
    shown.push_back(json::object{{"rule", rule}, {"message", message}});
  }
  return shown;
}

json::object output_json(const Output& output, const media::OutputStatus& status,
                         const media::OutputStats& stats, const std::vector<media::Warning>& warnings) {
  return {
      {"uid", output.uid},
      {"url", output.url},
      {"streamKey", output.stream_key},
      {"enabled", output.enabled},
      {"name", text_or_null(output.name)},
      {"verifyTls", output.verify_tls},
      {"created", to_rfc3339(output.created)},
      {"modified", to_rfc3339(output.modified)},
      {"status", output_status_json(status)},
      {"stats", output_stats_json(stats)},
      {"warnings", warnings_json(warnings)},
  };
}

}  // namespace simulcast::control
