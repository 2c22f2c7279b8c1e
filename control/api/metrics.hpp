// What the daemon measures, in Prometheus' text format: inputs, outputs, shards, the store, the API, the
// process.
//
// Inputs and outputs are read from the engine when the text is built; what happens in between is counted
// here. The text is built at most once in kFresh, and everybody who asks meanwhile is sent the same one: with
// thousands of outputs it takes a while, and anybody who may ask may ask often. Labels are uids, which never
// change; names are in the _info metrics. No secret is in any of it. Owned by Application, used on the
// control thread.
#pragma once

#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <chrono>
#include <functional>
#include <string>

#include "control/engine.hpp"
#include "control/http/request.hpp"

namespace simulcast::control {

class Metrics {
 public:
  using Clock = std::chrono::steady_clock;

  static constexpr std::chrono::seconds kFresh{1};
  // How many times as long as it took to build, a text stays at least: so building takes a tenth of the
  // thread.
  static constexpr int kStaysFor = 10;

  explicit Metrics(Engine& engine, std::function<Clock::time_point()> now = Clock::now);

  void request_answered(const std::string& method, unsigned status, std::chrono::duration<double> took);
  void store_called(std::chrono::duration<double> took);

  Text text();
  // The same as an answer.
  Response response();

 private:
  std::string build() const;

  Engine& engine_;
  const std::function<Clock::time_point()> now_;
  Text text_;                        // none before the first request
  Clock::time_point fresh_until_{};  // `text_`
  prometheus::Registry registry_;
  prometheus::Family<prometheus::Counter>& requests_;
  prometheus::Histogram& request_seconds_;
  prometheus::Histogram& store_seconds_;
};

}  // namespace simulcast::control
