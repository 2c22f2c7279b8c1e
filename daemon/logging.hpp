// The log: lines on standard error, as text or JSON.
//
// Whoever logs never waits for whoever reads: lines go through a bounded queue to a thread that writes them,
// and when that cannot keep up the oldest are lost, and counted. No source may flood it (LogLimit).
#pragma once

#include "config/config.hpp"

namespace simulcast::daemon {

// Throws TooFewThreads.
void set_up_logging(const config::Log& log);
void set_log_level(config::LogLevel level);
// Once a second, on any one thread: says what was held back or lost.
void tell_log_losses();
// Writes what waits, but waits no longer than a second for standard error to take it: then the process ends
// here, with this code.
void shut_down_logging(int exit_code);

}  // namespace simulcast::daemon
