// One line an event on stderr, as text or as one JSON object a line. Any thread may log.
#pragma once

#include "config/config.hpp"

namespace simulcast::daemon {

void set_up_logging(const config::Log& log);
void set_log_level(config::LogLevel level);

}  // namespace simulcast::daemon
