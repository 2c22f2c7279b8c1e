// What the system says of this process, for the metrics. Reads /proc; what it does not give is 0. Any thread.
#pragma once

namespace simulcast::control {

struct ProcessFigures {
  double cpu_seconds = 0;
  double resident_bytes = 0;
  double open_descriptors = 0;
  double most_descriptors = 0;
  double started = 0;  // seconds since the epoch
};

ProcessFigures process_figures();

}  // namespace simulcast::control
