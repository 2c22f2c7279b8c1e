#include "tests/bench/load/measure.hpp"

#include <algorithm>
#include <cstdio>
#include <ctime>

namespace simulcast::load {

std::int64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

double cpu_seconds() {
  timespec used{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
}

std::string Samples::json() {
  if (ms_.empty()) return R"({"p50":null,"p90":null,"p99":null,"max":null})";
  std::sort(ms_.begin(), ms_.end());
  const auto at = [this](double share) {
    const auto index = static_cast<std::size_t>(share * static_cast<double>(ms_.size()));
    return static_cast<double>(ms_[std::min(index, ms_.size() - 1)]);
  };
  char text[160];
  std::snprintf(text, sizeof text, R"({"p50":%.3f,"p90":%.3f,"p99":%.3f,"max":%.3f})", at(0.5), at(0.9),
                at(0.99), static_cast<double>(ms_.back()));
  return text;
}

}  // namespace simulcast::load
