// The figures of a live input as the API shows them: what its stream measures, and what its headers say.
//
// Owned by LiveStream; every call on its shard.
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "inspect/describe_tracks.hpp"
#include "media/status.hpp"
#include "media/stream.hpp"

namespace simulcast::daemon {

class InputMeter {
 public:
  // The headers of MPEG-TS lie among the media: they are looked for again once in a while.
  static constexpr std::chrono::seconds kDescribeAgain{10};

  // When to look again, behind a report after which wants_another_look().
  static constexpr std::chrono::milliseconds kLookAgain{370};
  // For each publisher: there are tracks of which nothing more can be told.
  static constexpr int kMostLooks = 8;

  // Call once a second.
  media::InputStats report(media::Stream& stream);
  // A track of MPEG-TS is known by its name only: the cached GOP had nothing of it yet. Reports that fall
  // where GOPs begin would find that every time.
  bool wants_another_look() const;
  void look_again(const media::Stream& stream);

 private:
  bool headers_changed(const media::Stream& stream);
  void look(const media::Stream& stream);

  inspect::Tracks tracks_;
  bool is_mpegts_ = false;
  int looks_ = 0;                          // at this run
  std::vector<media::Payload> described_;  // the headers that they were told from
  std::uint64_t run_ = 0;
  std::chrono::steady_clock::time_point described_at_{};
};

}  // namespace simulcast::daemon
