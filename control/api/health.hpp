// Handlers of /healthz (the process works) and /readyz (it can do its work). No credentials.
#pragma once

#include "control/http/request.hpp"

namespace simulcast::control {

struct Call;
struct Context;

Response get_health(Context& context, const Call& call);
Response get_readiness(Context& context, const Call& call);

}  // namespace simulcast::control
