// What keeps a stream going between its publishers, for RTMP and SRT alike. A media::ContinuityFactory.
#pragma once

#include <memory>

#include "media/continuity.hpp"

namespace simulcast::continuity {

std::unique_ptr<media::Continuity> make_continuity();

}  // namespace simulcast::continuity
