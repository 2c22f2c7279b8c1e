// Handlers of what is watched rather than asked for: the event stream and the metrics.
#pragma once

#include "control/http/request.hpp"

namespace simulcast::control {

class Metrics;
struct Call;
struct Context;

// With credentials; ?input=UID gives those of one input.
Response get_events(Context& context, const Call& call);
Response get_metrics(Context& context, const Call& call);

// What a listener of their own answers: the metrics at /metrics, and nothing else.
Response metrics_only(const Metrics& metrics, const Request& request);

}  // namespace simulcast::control
