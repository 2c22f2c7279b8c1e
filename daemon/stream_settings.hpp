// How the stream of an input behaves: what its record in the store says, else the configuration.
//
// Plain value; made on the control thread, used on the stream's shard.
#pragma once

#include <chrono>
#include <filesystem>

namespace simulcast::daemon {

struct StreamSettings {
  static constexpr std::chrono::hours kLongestHold{24};

  std::chrono::milliseconds hold{};  // for an encoder that vanished; zero: the show ends with it
  bool hold_on_goodbye = false;      // also for one that said goodbye
  std::filesystem::path slate;       // shown meanwhile; empty: the last keyframe is

  bool operator==(const StreamSettings&) const = default;
};

}  // namespace simulcast::daemon
