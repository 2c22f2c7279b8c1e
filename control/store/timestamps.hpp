// Times as the API shows them: RFC 3339, UTC, "Z", always six fraction digits.
#pragma once

#include <string>

#include "control/store/records.hpp"
#include "media/status.hpp"

namespace simulcast::control {

Timestamp system_now();
std::string to_rfc3339(Timestamp time);
std::string to_rfc3339(media::WallTime time);

}  // namespace simulcast::control
