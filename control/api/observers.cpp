#include "control/api/observers.hpp"

#include <boost/url/parse.hpp>

#include "control/api/authorize.hpp"
#include "control/api/context.hpp"
#include "control/api/event_stream.hpp"
#include "control/api/metrics.hpp"
#include "control/http/envelope.hpp"
#include "control/http/faults.hpp"

namespace simulcast::control {

namespace {

// The value of a key in the request's query; empty: it is not there.
std::string query_value(const Request& request, std::string_view key) {
  const auto query = request.target.find('?');
  if (query == std::string::npos) return {};
  const auto parsed = boost::urls::parse_relative_ref(std::string_view(request.target).substr(query));
  if (!parsed) throw RequestError(Problem::bad_value, "The query of the address makes no sense");
  const auto parameters = parsed->params();
  const auto found = parameters.find(key);
  return found == parameters.end() ? std::string() : std::string((*found).value);
}

[[noreturn]] void throw_not_there() {
  throw RequestError(Problem::unknown_path, "There is nothing at this path");
}

}  // namespace

Response get_events(Context& context, const Call& call) {
  if (context.parts.events == nullptr) throw_not_there();
  const std::string input = query_value(call.request, "input");
  if (!input.empty() && !context.store.input(context.settings.account, input)) throw_no_input();
  const Pass pass(call.request, context.settings.account);
  auto response = context.parts.events->subscribe(
      input, [pass, &tokens = context.tokens] { return pass.is_good(tokens); });
  if (response) return *std::move(response);
  throw RequestError(
      {{Problem::too_many_requests, "There are too many event streams; try again in a moment", {}}},
      {{"Retry-After", "5"}});
}

Response get_metrics(Context& context, const Call&) {
  if (context.parts.metrics == nullptr) throw_not_there();
  return context.parts.metrics->response();
}

Response MetricsPage::handle(const Request& request) {
  try {
    return answer(request);
  } catch (const RequestError& error) {
    return failure(error.faults(), error.headers());
  }
}

Response MetricsPage::answer(const Request& request) {
  rate_.admit(request);
  const std::string_view path = std::string_view(request.target).substr(0, request.target.find('?'));
  if (path != "/metrics") {
    throw RequestError(Problem::unknown_path, "There is nothing at this path but /metrics");
  }
  if (request.method != "GET" && request.method != "HEAD") {
    throw RequestError({{Problem::bad_method, "This path does not have this method", {}}},
                       {{"Allow", "GET, HEAD"}});
  }
  return metrics_.response();
}

}  // namespace simulcast::control
