// How much of the log one source may have: a peer that provokes a line with every packet, or an output that
// fails all the time, must neither fill the disk nor hide what else happens.
//
// A source is what is said (the words before the first "key=") about whom (input, output, address of the
// peer). Beyond kPerSecond lines it is counted, and told once a second. Not thread-safe; bounded memory.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace simulcast::daemon {

class LogLimit {
 public:
  using Clock = std::chrono::steady_clock;

  // With the line that tells of the rest: ten.
  static constexpr int kPerSecond = 9;
  static constexpr std::chrono::seconds kWindow{1};
  // Beyond, sources that are new share one.
  static constexpr std::size_t kMaxSources = 1024;
  static constexpr std::chrono::seconds kForget{10};

  // False: the line is not written now.
  bool admit(std::string_view line, int level, Clock::time_point now);

  // The lines that say what was not written, of sources whose second is over.
  struct Told {
    int level;
    std::string line;
  };
  std::vector<Told> take_told(Clock::time_point now);

 private:
  struct Source {
    Clock::time_point window{};
    int lines = 0;  // in the window
    std::uint64_t held_back = 0;
    int level = 0;
    std::string last = {};  // held back
  };

  std::map<std::string, Source, std::less<>> sources_;
};

}  // namespace simulcast::daemon
