#include <spdlog/spdlog.h>

#include <algorithm>

#include "control/api/alerting.hpp"
#include "control/api/context.hpp"
#include "control/api/members.hpp"
#include "control/notifications/notifier.hpp"
#include "control/notifications/webhook_url.hpp"
#include "control/random_hex.hpp"

namespace simulcast::control {

namespace json = boost::json;

namespace {

constexpr std::size_t kMaxName = 255;
constexpr std::size_t kMaxSecret = 1024;

// It travels in a header as it is, where blanks around it would be lost.
bool fits_a_header(std::string_view secret) {
  return std::ranges::all_of(secret, [](unsigned char c) { return c > 0x20 && c < 0x7F; });
}

// Absent members change nothing.
void apply(const Context& context, const json::object& body, bool creating, Webhook& webhook,
           Findings& findings) {
  Members members(body, findings);
  if (creating) {
    members.require("name");
    members.require("url");
  }
  if (auto name = members.text("name", kMaxName)) {
    if (name->empty()) findings.add(Problem::bad_value, "\"name\" must not be empty", "/name");
    webhook.name = *std::move(name);
  }
  if (auto url = members.text("url", kMaxWebhookUrl)) {
    std::string problem = webhook_url_problem(*url, context.settings.denied_networks);
    if (!problem.empty()) findings.add(Problem::bad_output_url, std::move(problem), "/url");
    webhook.url = *std::move(url);
  }
  if (members.is_null("secret")) {
    webhook.secret.clear();
  } else if (auto secret = members.text("secret", kMaxSecret)) {
    if (!fits_a_header(*secret)) {
      findings.add(Problem::bad_value, "\"secret\" must be of printable ASCII characters, without spaces",
                   "/secret");
    }
    webhook.secret = *std::move(secret);
  }
  members.report_unknown();
  findings.throw_if_faulty();
}

json::object webhook_json(const Webhook& webhook) {
  json::object object{{"id", webhook.id},
                      {"name", webhook.name},
                      {"url", webhook.url},
                      {"type", "generic"},
                      {"created_at", to_rfc3339(webhook.created)}};
  if (webhook.last_success) object["last_success"] = to_rfc3339(*webhook.last_success);
  if (webhook.last_failure) object["last_failure"] = to_rfc3339(*webhook.last_failure);
  if (webhook.given_up > 0) object["given_up"] = webhook.given_up;
  return object;
}

[[noreturn]] void throw_no_webhook() {
  throw RequestError(Problem::not_found, "There is no webhook destination with this id");
}

Webhook find_webhook(Context& context, const Call& call) {
  auto webhook = notifier_of(context).store().webhook(context.settings.account, call.parameter("id"));
  if (!webhook) throw_no_webhook();
  return *std::move(webhook);
}

}  // namespace

Notifier& notifier_of(Context& context) {
  if (context.parts.notifier == nullptr) {
    throw RequestError(Problem::unknown_path, "There is nothing at this path");
  }
  return *context.parts.notifier;
}

Response list_webhooks(Context& context, const Call&) {
  json::array items;
  for (const Webhook& webhook : notifier_of(context).store().webhooks(context.settings.account)) {
    items.push_back(webhook_json(webhook));
  }
  return success(std::move(items));
}

// The receiver is not asked whether it is there: it may come later.
Response create_webhook(Context& context, const Call& call) {
  Notifier& notifier = notifier_of(context);
  const json::object body = body_of(call.request);
  const auto key = idempotency_key(context, call.request);
  Findings findings;
  Webhook webhook;
  apply(context, body, true, webhook, findings);
  webhook.account = context.settings.account;
  webhook.id = random_hex(16);
  webhook.created = context.settings.now();

  const auto inserted = notifier.store().insert_webhook(webhook, kMaxWebhooks, key);
  if (inserted.outcome == InsertOutcome::gone) throw_used_key();
  if (inserted.outcome == InsertOutcome::limit_reached) {
    throw RequestError(
        Problem::too_many_outputs,
        fmt::format("There are {} webhook destinations, as many as there may be; delete one first",
                    kMaxWebhooks));
  }
  if (inserted.outcome == InsertOutcome::inserted) {
    spdlog::info("webhook created webhook={}", webhook.id);
    notifier.policies_changed();
  }
  return success(json::object{{"id", inserted.record->id}}, findings.notices);
}

Response get_webhook(Context& context, const Call& call) {
  return success(webhook_json(find_webhook(context, call)));
}

Response update_webhook(Context& context, const Call& call) {
  const json::object body = body_of(call.request);
  Findings findings;
  Webhook webhook = find_webhook(context, call);
  apply(context, body, false, webhook, findings);
  Notifier& notifier = notifier_of(context);
  if (!notifier.store().update_webhook(webhook)) throw_no_webhook();
  spdlog::info("webhook updated webhook={}", webhook.id);
  notifier.webhook_changed(webhook.id);
  return success(json::object{{"id", webhook.id}}, findings.notices);
}

Response delete_webhook(Context& context, const Call& call) {
  Notifier& notifier = notifier_of(context);
  const std::string& id = call.parameter("id");
  if (!notifier.store().delete_webhook(context.settings.account, id)) throw_no_webhook();
  spdlog::info("webhook deleted webhook={}", id);
  notifier.webhook_deleted(id);
  return success(json::object{{"id", id}});
}

}  // namespace simulcast::control
