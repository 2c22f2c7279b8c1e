// Clock, percentiles and CPU time, as publisher, sink and floor report them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace simulcast::load {

// CLOCK_MONOTONIC: the same in all processes of the machine, so that one may stamp and another may measure.
std::int64_t now_ns();

double cpu_seconds();

// Every sample is kept, so the percentiles are exact.
class Samples {
 public:
  void add(std::int64_t ns) { ms_.push_back(static_cast<float>(ns) / 1e6F); }
  void clear() { ms_.clear(); }
  // {"p50":0.1,"p90":0.2,"p99":0.3,"max":0.4} in milliseconds; nulls without a sample.
  std::string json();

 private:
  std::vector<float> ms_;
};

}  // namespace simulcast::load
