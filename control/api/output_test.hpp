// Handler of outputs/test: would a destination take the stream?
#pragma once

#include "control/http/request.hpp"

namespace simulcast::control {

struct Call;
struct Context;

// Answers later, with each step and its time or its cause. Refused for a destination that is on the air: a
// second publish with the same key would end the first.
Response test_output(Context& context, const Call& call);

}  // namespace simulcast::control
