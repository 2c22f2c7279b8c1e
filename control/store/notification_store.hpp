// Where webhooks, policies and the outbox are kept.
//
// Lives on the control thread, beside Store and under its terms: synchronous, what was written survives a
// crash, StoreError when the store itself fails.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/store/notification_records.hpp"
#include "control/store/store.hpp"

namespace simulcast::control {

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

  // The outbox. All of them or none; those of webhooks that are gone are left out. `limit`: how many a
  // webhook may have waiting, beyond which its oldest go. Gives how many have gone.
  virtual std::size_t push(const std::vector<Delivery>& deliveries, std::size_t limit) = 0;
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
