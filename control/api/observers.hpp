// Handlers of what is watched rather than asked for: the event stream and the metrics.
#pragma once

#include "control/api/request_rate.hpp"
#include "control/http/request.hpp"

namespace simulcast::control {

class Metrics;
struct Call;
struct Context;

// With credentials; ?input=UID gives those of one input.
Response get_events(Context& context, const Call& call);
Response get_metrics(Context& context, const Call& call);

// What a listener of their own answers: the metrics at /metrics, and nothing else. As often for one client as
// the API. Owned by Application, used on the control thread.
class MetricsPage {
 public:
  // `metrics` must outlive this.
  MetricsPage(Metrics& metrics, unsigned requests_per_second)
      : metrics_(metrics), rate_(requests_per_second) {}

  Response handle(const Request& request);

 private:
  Response answer(const Request& request);

  Metrics& metrics_;
  RequestRate rate_;
};

}  // namespace simulcast::control
