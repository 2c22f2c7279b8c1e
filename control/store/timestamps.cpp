#include "control/store/timestamps.hpp"

#include <spdlog/fmt/chrono.h>

namespace simulcast::control {

Timestamp system_now() {
  return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
}

std::string to_rfc3339(Timestamp time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const auto fraction = (time - seconds).count();
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:06}Z", fmt::gmtime(seconds.time_since_epoch().count()),
                     fraction);
}

std::string to_rfc3339(media::WallTime time) {
  return to_rfc3339(std::chrono::floor<std::chrono::microseconds>(time));
}

}  // namespace simulcast::control
