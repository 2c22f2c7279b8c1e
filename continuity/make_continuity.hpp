// What keeps a stream going between its publishers, for RTMP and SRT alike: see media::Continuity.
#pragma once

#include <memory>

#include "continuity/slates.hpp"
#include "continuity/workshop.hpp"
#include "media/continuity.hpp"

namespace simulcast::continuity {

// `slate` is what the stream shows then, asked each time; `workshop` makes the rest. Both outlive what is
// made.
std::unique_ptr<media::Continuity> make_continuity(const SlateChoice& slate, Workshop& workshop);

}  // namespace simulcast::continuity
