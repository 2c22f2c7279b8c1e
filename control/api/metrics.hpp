// What the daemon measures, in Prometheus' text format: inputs, outputs, shards, the store, the API, the
// process.
//
// Inputs and outputs are read from the engine at the time of asking; what happens in between is counted here.
// Labels are uids, which never change; names are in the _info metrics. No secret is in any of it. Owned by
// Application, used on the control thread.
#pragma once

#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <chrono>
#include <string>

#include "control/engine.hpp"
#include "control/http/request.hpp"

namespace simulcast::control {

class Metrics {
 public:
  explicit Metrics(Engine& engine);

  void request_answered(const std::string& method, unsigned status, std::chrono::duration<double> took);
  void store_called(std::chrono::duration<double> took);

  std::string text() const;
  // The same as an answer.
  Response response() const;

 private:
  Engine& engine_;
  prometheus::Registry registry_;
  prometheus::Family<prometheus::Counter>& requests_;
  prometheus::Histogram& request_seconds_;
  prometheus::Histogram& store_seconds_;
};

}  // namespace simulcast::control
