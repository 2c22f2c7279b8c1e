#include "daemon/log_limit.hpp"

#include <algorithm>
#include <utility>

namespace simulcast::daemon {

namespace {

// "[::1]:49152" and "127.0.0.1:49152": without the port, which is another with each try.
std::string_view without_port(std::string_view address) {
  return address.substr(0, address.rfind(':'));
}

std::string_view value_of(std::string_view line, std::string_view key) {
  for (std::size_t at = line.find(key); at != std::string_view::npos; at = line.find(key, at + 1)) {
    if (at > 0 && line[at - 1] != ' ') continue;
    const auto rest = line.substr(at + key.size());
    return rest.substr(0, rest.find(' '));
  }
  return {};
}

std::string source_of(std::string_view line) {
  const std::size_t equals = std::min(line.find('='), line.size());
  std::string source(line.substr(0, equals));
  for (const std::string_view key : {"input=", "output="}) {
    source += ' ';
    source += value_of(line, key);
  }
  source += ' ';
  source += without_port(value_of(line, "peer="));
  constexpr std::size_t kLongest = 256;
  source.resize(std::min(source.size(), kLongest));
  return source;
}

}  // namespace

bool LogLimit::admit(std::string_view line, int level, Clock::time_point now) {
  std::string key = source_of(line);
  if (sources_.size() >= kMaxSources && !sources_.contains(key)) key.clear();
  Source& source = sources_[std::move(key)];
  if (now - source.window >= kWindow && source.held_back == 0) {
    source.window = now;
    source.lines = 0;
  }
  if (source.lines < kPerSecond) {
    ++source.lines;
    return true;
  }
  ++source.held_back;
  source.level = level;
  source.last = line;
  return false;
}

std::vector<LogLimit::Told> LogLimit::take_told(Clock::time_point now) {
  std::vector<Told> told;
  for (auto& [key, source] : sources_) {
    if (source.held_back == 0 || now - source.window < kWindow) continue;
    told.push_back({source.level,
                    std::move(source.last) + " (repeated " + std::to_string(source.held_back) + " times)"});
    source = {.window = now};
  }
  std::erase_if(sources_, [&](const auto& entry) { return now - entry.second.window >= kForget; });
  return told;
}

}  // namespace simulcast::daemon
