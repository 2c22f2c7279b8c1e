// What is wanted: live inputs and their outputs, as the store keeps them and the API shows them.
//
// Plain values, owned by whoever holds them; they live on the control thread.
#pragma once

#include <boost/json/object.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace simulcast::control {

// Microseconds since the epoch, UTC: the precision the API shows.
using Timestamp = std::chrono::sys_time<std::chrono::microseconds>;

struct Recording {
  std::string mode = "off";
  std::int64_t timeout_seconds = 0;
  bool require_signed_urls = false;
  std::optional<std::vector<std::string>> allowed_origins;
  bool hide_live_viewer_count = false;

  bool operator==(const Recording&) const = default;
};

struct LiveInput {
  std::string account;
  std::string uid;            // 32 lower-case hex digits
  std::int64_t revision = 0;  // the store's, for compare-and-set; not shown
  Timestamp created;
  Timestamp modified;
  bool enabled = true;
  boost::json::object meta;
  std::string default_creator;
  std::optional<std::int64_t> delete_recording_after_days;
  bool prefer_low_latency = false;
  Recording recording;
  std::string rtmp_secret;           // stream key = secret + "k" + uid
  std::string srt_secret;            // passphrase = secret + "k" + uid
  std::string rtmp_playback_secret;  // playback key = secret + "k" + uid
  std::string srt_playback_secret;
  std::optional<Timestamp> keys_rotated_at;

  std::string stream_key() const { return rtmp_secret + "k" + uid; }
  std::string srt_passphrase() const { return srt_secret + "k" + uid; }

  bool operator==(const LiveInput&) const = default;
};

struct Output {
  std::string uid;  // 32 lower-case hex digits
  std::string input_uid;
  std::int64_t revision = 0;  // the store's, for compare-and-set; not shown
  Timestamp created;
  Timestamp modified;
  std::string url;
  std::string stream_key;
  bool enabled = true;
  std::string name;  // empty: none
  bool verify_tls = true;

  bool operator==(const Output&) const = default;
};

// An input with all its outputs, in the order of their creation: what the reconciler works from.
struct WantedInput {
  LiveInput input;
  std::vector<Output> outputs;
};

}  // namespace simulcast::control
