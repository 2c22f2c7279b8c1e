#include "control/api/health.hpp"

#include <spdlog/spdlog.h>

#include <boost/json/object.hpp>

#include "control/api/context.hpp"
#include "control/http/envelope.hpp"

namespace simulcast::control {

namespace json = boost::json;

namespace {

// A check is a synced write, and anybody may ask: a good result holds for a moment.
constexpr std::chrono::seconds kCheckHolds{1};

std::string store_problem(Context& context) {
  const Timestamp now = context.settings.now();
  const auto& last = context.last_good_write;
  if (last && now >= *last && now < *last + kCheckHolds) return {};
  try {
    context.store.check_writable();
    context.last_good_write = now;
    return {};
  } catch (const StoreError& error) {
    context.last_good_write.reset();
    spdlog::error("store not writable error=\"{}\"", error.what());
    return error.kind() == StoreError::Kind::full ? "The disk of the store is full"
                                                  : "The store is not writable";
  }
}

}  // namespace

Response get_health(Context&, const Call&) {
  return success(json::object{{"status", "ok"}});
}

Response get_readiness(Context& context, const Call&) {
  std::vector<Fault> faults;
  for (std::string problem : {context.engine.readiness_problem(), store_problem(context)}) {
    if (!problem.empty()) faults.push_back({Problem::not_ready, std::move(problem), {}});
  }
  if (!faults.empty()) return failure(faults);
  return success(json::object{{"status", "ready"}});
}

}  // namespace simulcast::control
