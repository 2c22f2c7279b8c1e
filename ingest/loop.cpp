#include "ingest/loop.hpp"

namespace simulcast::ingest {

std::string loop_problem(const media::Trail& trail, media::Trail::Mark input) {
  if (trail.contains(input)) {
    return "this is the live input's own stream, which an output leads back to it: remove that output";
  }
  if (trail.full()) {
    return "the stream has come through " + std::to_string(media::Trail::kLongest) +
           " live inputs already: send it here more directly";
  }
  return {};
}

}  // namespace simulcast::ingest
