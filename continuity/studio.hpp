// What makes the filler of all streams, away from their shards.
//
// One for the daemon, owned by it; any thread may ask.
#pragma once

#include "continuity/slates.hpp"
#include "continuity/workshop.hpp"

namespace simulcast::continuity {

struct Studio {
  Slates slates;
  Workshop workshop;
};

}  // namespace simulcast::continuity
