// Webhooks, policies and the outbox, in the same SQLite file as the wanted state.
//
// Owned by Application, used on the control thread.
#pragma once

#include <memory>

#include "control/store/notification_store.hpp"

namespace simulcast::control {

class SqliteDatabase;

class SqliteNotifications final : public NotificationStore {
 public:
  // Throws StoreError.
  explicit SqliteNotifications(std::shared_ptr<SqliteDatabase> database);
  ~SqliteNotifications() override;
  SqliteNotifications(const SqliteNotifications&) = delete;
  SqliteNotifications& operator=(const SqliteNotifications&) = delete;

  std::vector<Webhook> webhooks(std::string_view account) override;
  std::optional<Webhook> webhook(std::string_view account, std::string_view id) override;
  InsertResult<Webhook> insert_webhook(const Webhook& webhook, std::size_t limit,
                                       const std::optional<IdempotencyKey>& key) override;
  bool update_webhook(const Webhook& webhook) override;
  bool delete_webhook(std::string_view account, std::string_view id) override;

  std::vector<Policy> policies(std::string_view account) override;
  std::optional<Policy> policy(std::string_view account, std::string_view id) override;
  InsertResult<Policy> insert_policy(const Policy& policy, std::size_t limit,
                                     const std::optional<IdempotencyKey>& key) override;
  bool update_policy(const Policy& policy) override;
  bool delete_policy(std::string_view account, std::string_view id) override;

  GivenUp push(const std::vector<Delivery>& deliveries, const OutboxLimits& limits) override;
  std::vector<std::string> webhooks_with_deliveries(std::string_view account) override;
  std::optional<Delivery> next_delivery(std::string_view webhook, std::int64_t behind) override;
  void delivered(std::string_view webhook, std::int64_t sequence, Timestamp now) override;
  void failed(std::string_view webhook, Timestamp now) override;
  std::size_t drop_deliveries(std::string_view webhook, Timestamp time) override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace simulcast::control
