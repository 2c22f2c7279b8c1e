// Handlers of /accounts/{account}/alerting/v3: webhooks and the policies that name them. See Route for their
// shape.
#pragma once

#include <cstddef>

#include "control/http/request.hpp"

namespace simulcast::control {

struct Call;
struct Context;
class Notifier;

inline constexpr std::size_t kMaxWebhooks = 64;
inline constexpr std::size_t kMaxPolicies = 256;

// Throws RequestError when there are no notifications.
Notifier& notifier_of(Context& context);

Response list_webhooks(Context& context, const Call& call);
Response create_webhook(Context& context, const Call& call);
Response get_webhook(Context& context, const Call& call);
Response update_webhook(Context& context, const Call& call);
Response delete_webhook(Context& context, const Call& call);

Response list_policies(Context& context, const Call& call);
Response create_policy(Context& context, const Call& call);
Response get_policy(Context& context, const Call& call);
Response update_policy(Context& context, const Call& call);
Response delete_policy(Context& context, const Call& call);

}  // namespace simulcast::control
