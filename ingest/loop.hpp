// Keeps a stream from coming into an input that it has come through already: an output that leads back.
//
// Pure function, any thread.
#pragma once

#include <string>

#include "media/trail.hpp"

namespace simulcast::ingest {

// Why the stream may not come in, a sentence for the user of the output that sends it; empty if it may.
std::string loop_problem(const media::Trail& trail, media::Trail::Mark input);

}  // namespace simulcast::ingest
