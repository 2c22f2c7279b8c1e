// Where webhooks, policies and the outbox are kept.
//
// Lives on the control thread, beside Store and under its terms: synchronous, what was written survives a
// crash, StoreError when the store itself fails.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/store/notification_records.hpp"
#include "control/store/store.hpp"

namespace simulcast::control {

// How much may wait in the outbox. Beyond it the oldest go: of the webhook itself, or, where all together
// have too much, of the one with most.
struct OutboxLimits {
  // Of one webhook.
  std::size_t rows = 10'000;
  std::size_t bytes = std::size_t{2} << 20;  // in bodies
  // Of all webhooks; the file has up to half as much again.
  std::size_t bytes_of_all = std::size_t{8} << 20;
};

class NotificationStore {
 public:
  virtual ~NotificationStore() = default;

  // Lists are in the order of creation.
  virtual std::vector<Webhook> webhooks(std::string_view account) = 0;
  virtual std::optional<Webhook> webhook(std::string_view account, std::string_view id) = 0;
  // `limit`: how many the account may have, this one included.
  virtual InsertResult<Webhook> insert_webhook(const Webhook& webhook, std::size_t limit,
                                               const std::optional<IdempotencyKey>& key) = 0;
  // Writes name, URL and secret. False: there is none.
  virtual bool update_webhook(const Webhook& webhook) = 0;
  // It is taken out of all policies, and its deliveries go with it. False: there is none.
  virtual bool delete_webhook(std::string_view account, std::string_view id) = 0;

  virtual std::vector<Policy> policies(std::string_view account) = 0;
  virtual std::optional<Policy> policy(std::string_view account, std::string_view id) = 0;
  virtual InsertResult<Policy> insert_policy(const Policy& policy, std::size_t limit,
                                             const std::optional<IdempotencyKey>& key) = 0;
  virtual bool update_policy(const Policy& policy) = 0;
  virtual bool delete_policy(std::string_view account, std::string_view id) = 0;

  // The outbox. All of them or none; those of webhooks that are gone are left out. Gives how many of which
  // webhooks the limits have cost.
  using GivenUp = std::map<std::string, std::size_t, std::less<>>;
  virtual GivenUp push(const std::vector<Delivery>& deliveries, const OutboxLimits& limits) = 0;
  virtual std::vector<std::string> webhooks_with_deliveries(std::string_view account) = 0;
  // The first behind this one.
  virtual std::optional<Delivery> next_delivery(std::string_view webhook, std::int64_t behind) = 0;
  // All up to this one are done.
  virtual void delivered(std::string_view webhook, std::int64_t sequence, Timestamp now) = 0;
  virtual void failed(std::string_view webhook, Timestamp now) = 0;
  // Those made at or before `time` go; gives how many.
  virtual std::size_t drop_deliveries(std::string_view webhook, Timestamp time) = 0;
};

}  // namespace simulcast::control
