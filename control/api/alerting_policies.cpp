#include <spdlog/spdlog.h>

#include <algorithm>

#include "control/api/alerting.hpp"
#include "control/api/context.hpp"
#include "control/api/members.hpp"
#include "control/notifications/notifier.hpp"
#include "control/random_hex.hpp"

namespace simulcast::control {

namespace json = boost::json;

namespace {

constexpr std::string_view kAlertType = "stream_live_notifications";
constexpr std::size_t kMaxName = 255;
constexpr std::size_t kMaxDescription = 1024;
constexpr std::size_t kMaxId = 32;
constexpr std::size_t kMaxEventType = 64;
constexpr std::size_t kMaxInputs = 1000;    // that one policy names
constexpr std::size_t kMaxEventTypes = 64;  // with repetitions

void apply_filters(const json::object& object, Policy& policy, Findings& findings) {
  Members members(object, findings, "/filters");
  policy.input_ids = members.texts("input_id", kMaxId, kMaxInputs).value_or(std::vector<std::string>{});
  policy.event_types =
      members.texts("event_type", kMaxEventType, kMaxEventTypes).value_or(std::vector<std::string>{});
  for (std::size_t i = 0; i < policy.event_types.size(); ++i) {
    const bool known = std::ranges::any_of(
        kEventTypes, [&](EventType type) { return to_string(type) == policy.event_types[i]; });
    if (known) continue;
    std::string message = "There is no such event type; there are";
    for (const EventType type : kEventTypes) message += fmt::format(" {}", to_string(type));
    findings.add(Problem::bad_value, std::move(message), fmt::format("/filters/event_type/{}", i));
  }
  members.report_unknown();
}

void apply_mechanisms(const json::object& object, NotificationStore& store, Policy& policy,
                      Findings& findings) {
  Members members(object, findings, "/mechanisms");
  for (const std::string_view other : {"email", "pagerduty"}) {
    const json::array* list = members.array(other);
    if (list == nullptr || list->empty()) continue;
    findings.add(Problem::bad_value, "Notifications go to webhooks only", members.pointer_to(other));
  }
  members.require("webhooks");
  const json::array* webhooks = members.array("webhooks");
  members.report_unknown();
  if (webhooks == nullptr) return;
  policy.webhooks.clear();
  if (webhooks->empty()) {
    findings.add(Problem::bad_value, "\"webhooks\" must name a webhook destination", "/mechanisms/webhooks");
  }
  if (webhooks->size() > kMaxWebhooks) {
    findings.add(Problem::bad_value, fmt::format("\"webhooks\" must have at most {} items", kMaxWebhooks),
                 "/mechanisms/webhooks");
    return;
  }
  for (std::size_t i = 0; i < webhooks->size(); ++i) {
    const json::object* item = (*webhooks)[i].if_object();
    const json::value* id = item != nullptr ? item->if_contains("id") : nullptr;
    if (id == nullptr || !id->is_string() || !store.webhook(policy.account, id->get_string())) {
      findings.add(Problem::bad_value, "There is no webhook destination with this id",
                   fmt::format("/mechanisms/webhooks/{}/id", i));
      return;  // one is enough: there may be very many
    }
    std::string text(id->get_string());
    if (std::ranges::find(policy.webhooks, text) == policy.webhooks.end()) {
      policy.webhooks.push_back(std::move(text));
    }
  }
}

// Absent members change nothing; `filters` and `mechanisms` are replaced whole.
void apply(const json::object& body, NotificationStore& store, bool creating, Policy& policy,
           Findings& findings) {
  Members members(body, findings);
  if (creating) {
    for (const char* name : {"name", "alert_type", "mechanisms"}) members.require(name);
  }
  members.one_of("alert_type", {kAlertType});
  if (auto name = members.text("name", kMaxName)) {
    if (name->empty()) findings.add(Problem::bad_value, "\"name\" must not be empty", "/name");
    policy.name = *std::move(name);
  }
  if (members.is_null("description")) {
    policy.description.clear();
  } else if (auto description = members.text("description", kMaxDescription)) {
    policy.description = *std::move(description);
  }
  if (const auto enabled = members.boolean("enabled")) policy.enabled = *enabled;
  if (members.is_null("filters")) {
    policy.input_ids.clear();
    policy.event_types.clear();
  } else if (const json::object* filters = members.object("filters")) {
    apply_filters(*filters, policy, findings);
  }
  if (const json::object* mechanisms = members.object("mechanisms")) {
    apply_mechanisms(*mechanisms, store, policy, findings);
  }
  members.report_unknown();
  findings.throw_if_faulty();
}

json::array array_of(const std::vector<std::string>& texts) {
  json::array array;
  for (const std::string& text : texts) array.emplace_back(text);
  return array;
}

json::object policy_json(const Policy& policy) {
  json::object filters;
  if (!policy.input_ids.empty()) filters["input_id"] = array_of(policy.input_ids);
  if (!policy.event_types.empty()) filters["event_type"] = array_of(policy.event_types);
  json::array webhooks;
  for (const std::string& id : policy.webhooks) webhooks.push_back(json::object{{"id", id}});
  json::object mechanisms;
  mechanisms["webhooks"] = std::move(webhooks);
  json::object object{{"id", policy.id},
                      {"name", policy.name},
                      {"description", policy.description},
                      {"enabled", policy.enabled},
                      {"alert_type", kAlertType}};
  object["filters"] = std::move(filters);
  object["mechanisms"] = std::move(mechanisms);
  object["created"] = to_rfc3339(policy.created);
  object["modified"] = to_rfc3339(policy.modified);
  return object;
}

[[noreturn]] void throw_no_policy() {
  throw RequestError(Problem::not_found, "There is no notification policy with this id");
}

Policy find_policy(Context& context, const Call& call) {
  auto policy = notifier_of(context).store().policy(context.settings.account, call.parameter("id"));
  if (!policy) throw_no_policy();
  return *std::move(policy);
}

}  // namespace

Response list_policies(Context& context, const Call&) {
  json::array items;
  for (const Policy& policy : notifier_of(context).store().policies(context.settings.account)) {
    items.push_back(policy_json(policy));
  }
  return success(std::move(items));
}

Response create_policy(Context& context, const Call& call) {
  Notifier& notifier = notifier_of(context);
  const json::object body = body_of(call.request);
  const auto key = idempotency_key(context, call.request);
  Findings findings;
  Policy policy;
  policy.account = context.settings.account;
  apply(body, notifier.store(), true, policy, findings);
  policy.id = random_hex(16);
  policy.created = policy.modified = context.settings.now();

  const auto inserted = notifier.store().insert_policy(policy, kMaxPolicies, key);
  if (inserted.outcome == InsertOutcome::gone) throw_used_key();
  if (inserted.outcome == InsertOutcome::limit_reached) {
    throw RequestError(
        Problem::too_many_outputs,
        fmt::format("There are {} notification policies, as many as there may be; delete one first",
                    kMaxPolicies));
  }
  if (inserted.outcome == InsertOutcome::inserted) {
    spdlog::info("notification policy created policy={}", policy.id);
    notifier.policies_changed();
  }
  return success(json::object{{"id", inserted.record->id}}, findings.notices);
}

Response get_policy(Context& context, const Call& call) {
  return success(policy_json(find_policy(context, call)));
}

Response update_policy(Context& context, const Call& call) {
  Notifier& notifier = notifier_of(context);
  const json::object body = body_of(call.request);
  Findings findings;
  Policy policy = find_policy(context, call);
  apply(body, notifier.store(), false, policy, findings);
  policy.modified = std::max(context.settings.now(), policy.modified + std::chrono::microseconds(1));
  if (!notifier.store().update_policy(policy)) throw_no_policy();
  spdlog::info("notification policy updated policy={}", policy.id);
  notifier.policies_changed();
  return success(json::object{{"id", policy.id}}, findings.notices);
}

Response delete_policy(Context& context, const Call& call) {
  Notifier& notifier = notifier_of(context);
  const std::string& id = call.parameter("id");
  if (!notifier.store().delete_policy(context.settings.account, id)) throw_no_policy();
  spdlog::info("notification policy deleted policy={}", id);
  notifier.policies_changed();
  return success(json::object{{"id", id}});
}

}  // namespace simulcast::control
