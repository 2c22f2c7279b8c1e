// Which of the rules of the platform behind an output's URL its live input breaks, in sentences for a person.
//
// Made at start of what config/platforms.hpp loads, then only read: no I/O, any thread. Costs a comparison
// for each rule, so it is asked for whenever somebody wants to know. What is not known (yet) of the input
// breaks no rule. A limit is taken to be broken a little beyond it (see the tolerances in the .cpp): measured
// values waver.
#pragma once

#include <chrono>
#include <string_view>
#include <vector>

#include "config/platforms.hpp"
#include "media/status.hpp"

namespace simulcast::inspect {

class PlatformRules {
 public:
  // So long a publisher may send before a track of it counts as missing.
  static constexpr std::chrono::seconds kTrackMissing{10};

  explicit PlatformRules(std::vector<config::Platform> platforms) : platforms_(std::move(platforms)) {}

  // The platform that an rtmp://, rtmps:// or srt:// URL leads to, or null: the one with the most exact
  // pattern, and of equal ones the first.
  const config::Platform* match(std::string_view url) const;

  // `stats`: of the input now; null while nothing comes in, which leaves what the URL itself tells.
  std::vector<media::Warning> check(std::string_view url, const media::InputStats* stats) const;

 private:
  std::vector<config::Platform> platforms_;
};

// Of one platform; `protocol` is the scheme of the URL in lower case. In the order in which the rules stand
// in config::Platform.
std::vector<media::Warning> check(const config::Platform& platform, std::string_view protocol,
                                  const media::InputStats* stats);

}  // namespace simulcast::inspect
