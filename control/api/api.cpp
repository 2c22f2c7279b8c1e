#include "control/api/api.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>

#include "control/api/authorize.hpp"
#include "control/api/browser_guard.hpp"
#include "control/api/context.hpp"
#include "control/api/metrics.hpp"
#include "control/api/request_rate.hpp"
#include "control/api/routes.hpp"
#include "control/http/envelope.hpp"
#include "control/http/faults.hpp"
#include "control/http/router.hpp"
#include "control/random_hex.hpp"

namespace simulcast::control {

namespace {

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
      : settings(std::move(the_settings)),
        tokens(the_tokens),
        rate(settings.requests_per_second),
        context{settings, store, engine, tokens, parts} {
    for (const RouteTable& table : route_tables()) router.add(table.prefix, table.routes);
  }

  Response answer(const Request& request) {
    rate.admit(request);
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
    if (is_for_this_machine(*match.route) && !request.from_this_machine) authenticate(request, tokens);
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
  RequestRate rate;
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
