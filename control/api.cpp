#include "control/api.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>

#include "control/alerting.hpp"
#include "control/authorize.hpp"
#include "control/browser_guard.hpp"
#include "control/context.hpp"
#include "control/envelope.hpp"
#include "control/faults.hpp"
#include "control/health.hpp"
#include "control/live_inputs.hpp"
#include "control/metrics.hpp"
#include "control/observers.hpp"
#include "control/output_test.hpp"
#include "control/outputs.hpp"
#include "control/random_hex.hpp"
#include "control/router.hpp"

namespace simulcast::control {

namespace {

// Under /client/v4/accounts/{account}; with credentials.
constexpr std::array kAccountRoutes{
    Route{"GET", "/alerting/v3/destinations/webhooks", list_webhooks},
    Route{"POST", "/alerting/v3/destinations/webhooks", create_webhook},
    Route{"GET", "/alerting/v3/destinations/webhooks/{id}", get_webhook},
    Route{"PUT", "/alerting/v3/destinations/webhooks/{id}", update_webhook},
    Route{"DELETE", "/alerting/v3/destinations/webhooks/{id}", delete_webhook},
    Route{"GET", "/alerting/v3/policies", list_policies},
    Route{"POST", "/alerting/v3/policies", create_policy},
    Route{"GET", "/alerting/v3/policies/{id}", get_policy},
    Route{"PUT", "/alerting/v3/policies/{id}", update_policy},
    Route{"DELETE", "/alerting/v3/policies/{id}", delete_policy},
    Route{"GET", "/stream/events", get_events},
    Route{"GET", "/stream/live_inputs", list_inputs},
    Route{"POST", "/stream/live_inputs", create_input},
    Route{"GET", "/stream/live_inputs/{uid}", get_input},
    Route{"PUT", "/stream/live_inputs/{uid}", update_input},
    Route{"DELETE", "/stream/live_inputs/{uid}", delete_input},
    Route{"POST", "/stream/live_inputs/{uid}/enable", enable_input},
    Route{"POST", "/stream/live_inputs/{uid}/disable", disable_input},
    Route{"POST", "/stream/live_inputs/{uid}/rotate_keys", rotate_input_keys},
    Route{"GET", "/stream/live_inputs/{uid}/videos", list_input_videos},
    Route{"GET", "/stream/live_inputs/{uid}/outputs", list_outputs},
    Route{"POST", "/stream/live_inputs/{uid}/outputs", create_output},
    Route{"POST", "/stream/live_inputs/{uid}/outputs/test", test_output},
    Route{"GET", "/stream/live_inputs/{uid}/outputs/{oid}", get_output},
    Route{"PUT", "/stream/live_inputs/{uid}/outputs/{oid}", update_output},
    Route{"POST", "/stream/live_inputs/{uid}/outputs/{oid}/retry", retry_output},
    Route{"DELETE", "/stream/live_inputs/{uid}/outputs/{oid}", delete_output},
};

// At the root; to this machine without credentials.
constexpr std::array kLocalRoutes{
    Route{"GET", "/metrics", get_metrics},
};

// At the root and under /client/v4, for those who only know the base URL; without credentials.
constexpr std::array kOpenRoutes{
    Route{"GET", "/healthz", get_health},
    Route{"GET", "/readyz", get_readiness},
    Route{"GET", "/{uid}/lifecycle", get_lifecycle},
};

void check_id(std::string_view id) {
  constexpr std::size_t kMaxId = 32;
  const bool good = !id.empty() && id.size() <= kMaxId && std::ranges::all_of(id, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
  });
  if (!good)
    throw RequestError(Problem::bad_value, "An id in the path must be 1 to 32 characters of 0-9 a-z A-Z -");
}

std::string allow_value(const std::vector<std::string_view>& methods) {
  std::string value;
  const auto add = [&](std::string_view method) {
    if (!value.empty()) value += ", ";
    value += method;
  };
  for (const std::string_view method : methods) {
    add(method);
    if (method == "GET") add("HEAD");
  }
  add("OPTIONS");
  return value;
}

// The caller gets an id, the log the cause.
Response inside_failure(Problem problem, std::string_view what, const Request& request, const char* cause) {
  const std::string id = random_hex(8);
  spdlog::error("request failed id={} method={} path={} error=\"{}\"", id, request.method,
                request.target.substr(0, request.target.find('?')), cause);
  return failure(problem, fmt::format("{} (its cause is in the log under id {})", what, id));
}

}  // namespace

struct Api::Impl {
  Impl(ApiSettings the_settings, Store& store, Engine& engine, const AccessTokens& the_tokens, ApiParts parts)
      : settings(std::move(the_settings)), tokens(the_tokens), context{settings, store, engine, parts} {
    router.add("/client/v4/accounts/{account}", kAccountRoutes);
    router.add("/client/v4", kOpenRoutes);
    router.add("", kOpenRoutes);
    router.add("", kLocalRoutes);
  }

  Response answer(const Request& request) {
    if (std::string problem = browser_problem(request, settings.hosts); !problem.empty()) {
      throw RequestError(Problem::forbidden, std::move(problem));
    }
    const Router::Match match = router.match(request.method, path_segments(request.target));
    if (match.allowed.empty()) throw RequestError(Problem::unknown_path, "There is nothing at this path");
    const Headers allow{{"Allow", allow_value(match.allowed)}};
    if (request.method == "OPTIONS") {
      Response response = success(nullptr);
      response.headers = allow;
      return response;
    }
    if (match.route == nullptr) {
      throw RequestError({{Problem::bad_method, "This path does not have this method", {}}}, allow);
    }
    if (const auto account = match.parameters.find("account"); account != match.parameters.end()) {
      const auto grants = authenticate(request, tokens);
      check_id(account->second);
      authorize(grants, account->second, match.route->method != "GET");
      if (account->second != settings.account) {
        throw RequestError(Problem::forbidden, "This daemon serves another account");
      }
    }
    if (match.route == kLocalRoutes.data() && !request.from_this_machine) authenticate(request, tokens);
    for (const auto& [name, id] : match.parameters) check_id(id);
    return match.route->handler(context, Call{request, match.parameters});
  }

  // Whatever goes wrong is an answer too.
  Response answer_anyhow(const Request& request) {
    try {
      return answer(request);
    } catch (const RequestError& error) {
      return failure(error.faults(), error.headers());
    } catch (const StoreError& error) {
      if (error.kind() == StoreError::Kind::full) {
        return inside_failure(Problem::storage_full, "The disk is full, nothing was changed", request,
                              error.what());
      }
      return inside_failure(Problem::internal, "Internal error", request, error.what());
    } catch (const std::exception& error) {
      return inside_failure(Problem::internal, "Internal error", request, error.what());
    }
  }

  ApiSettings settings;
  const AccessTokens& tokens;
  Context context;
  Router router;
};

Api::Api(ApiSettings settings, Store& store, Engine& engine, const AccessTokens& tokens, ApiParts parts)
    : impl_(std::make_unique<Impl>(std::move(settings), store, engine, tokens, parts)) {}

Api::~Api() = default;

Response Api::handle(const Request& request) {
  const auto began = std::chrono::steady_clock::now();
  Response response = impl_->answer_anyhow(request);
  if (impl_->context.parts.metrics != nullptr) {
    impl_->context.parts.metrics->request_answered(request.method, response.status,
                                                   std::chrono::steady_clock::now() - began);
  }
  return response;
}

}  // namespace simulcast::control
