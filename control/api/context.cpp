#include "control/api/context.hpp"

#include <spdlog/fmt/fmt.h>

#include <boost/json/stream_parser.hpp>
#include <cmath>

#include "config/api_nesting.hpp"
#include "control/http/faults.hpp"

namespace simulcast::control {

namespace json = boost::json;

namespace {

// JSON has no word for infinity, but a number beyond what a double holds is read as such: written again, into
// an answer or the store, it would be no JSON any more.
bool has_infinity(const json::value& value) {
  switch (value.kind()) {
    case json::kind::double_:
      return !std::isfinite(value.get_double());
    case json::kind::array:
      return std::ranges::any_of(value.get_array(), has_infinity);
    case json::kind::object:
      return std::ranges::any_of(value.get_object(),
                                 [](const auto& member) { return has_infinity(member.value()); });
    default:
      return false;
  }
}

}  // namespace

json::object body_of(const Request& request) {
  if (request.body.empty()) return {};
  json::parse_options options;  // refuses what is not valid UTF-8
  options.max_depth = config::kMaxBodyNesting;
  json::stream_parser parser({}, options);
  json::error_code error;
  const std::size_t used = parser.write_some(request.body, error);
  if (!error && used < request.body.size()) error = json::error::extra_data;
  if (!error) parser.finish(error);
  if (error == json::error::too_deep) {
    throw RequestError(Problem::not_json,
                       fmt::format("The body must not nest more than {} levels of objects and arrays",
                                   config::kMaxBodyNesting));
  }
  if (error) {
    throw RequestError(Problem::not_json,
                       fmt::format("The body is not valid JSON: {} at byte {}", error.message(), used));
  }
  json::value value = parser.release();
  if (has_infinity(value)) {
    throw RequestError(Problem::bad_value, "The body has a number that is larger than any computer's");
  }
  if (!value.is_object()) throw RequestError(Problem::not_json, "The body must be a JSON object");
  return std::move(value.get_object());
}

LiveInput find_input(Context& context, const Call& call) {
  auto input = context.store.input(context.settings.account, call.parameter("uid"));
  if (!input) throw_no_input();
  return *std::move(input);
}

void throw_no_input() {
  throw RequestError(Problem::not_found, "There is no live input with this id");
}

std::optional<IdempotencyKey> idempotency_key(Context& context, const Request& request) {
  const auto values = request.header("Idempotency-Key");
  if (values.empty()) return std::nullopt;
  const std::string_view key = values.front();
  if (key.empty() || key.size() > IdempotencyKey::kMaxBytes) {
    throw RequestError(Problem::bad_value, fmt::format("The header Idempotency-Key must have 1 to {} bytes",
                                                       IdempotencyKey::kMaxBytes));
  }
  return IdempotencyKey{std::string(key), context.settings.now()};
}

void throw_used_key() {
  throw RequestError(Problem::used_idempotency_key,
                     "What was created with this Idempotency-Key has been deleted; use another key");
}

}  // namespace simulcast::control
