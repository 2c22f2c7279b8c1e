// The notifications that wait for their webhooks, each webhook's in their order, and how much they are.
//
// Owned by SqliteNotifications, used on the control thread, inside SqliteDatabase::guarded(). How much waits
// is counted here rather than asked for: the sum over a full outbox would have to read all of it with each
// event.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "control/store/notification_store.hpp"
#include "control/store/sqlite_database.hpp"

namespace simulcast::control {

class SqliteOutbox {
 public:
  using GivenUp = NotificationStore::GivenUp;

  // `database` must outlive this.
  explicit SqliteOutbox(SqliteDatabase& database) : database_(database) {}

  // As those of NotificationStore.
  GivenUp push(const std::vector<Delivery>& deliveries, const OutboxLimits& limits);
  std::vector<std::string> webhooks(std::string_view account);
  std::optional<Delivery> next(std::string_view webhook, std::int64_t behind);
  std::size_t drop(std::string_view webhook, Timestamp time);
  // All up to this one, within the caller's transaction.
  void remove(std::string_view webhook, std::int64_t sequence);
  // The webhook is gone, and its deliveries with it.
  void forget(std::string_view webhook) { changed_.emplace(webhook); }

 private:
  struct Size {
    std::size_t rows = 0;
    std::size_t bytes = 0;
  };
  using Sizes = std::map<std::string, Size, std::less<>>;  // by webhook

  Sizes take_sizes();
  std::size_t drop_oldest(std::string_view webhook, Size& size, std::size_t rows, std::size_t bytes);
  void keep_within(const OutboxLimits& limits, Sizes& sizes, GivenUp& given_up);
  void note_given_up(std::string_view webhook, std::size_t count);

  SqliteDatabase& database_;
  std::optional<Sizes> sizes_;  // not known: before the first push, and behind one that failed
  std::set<std::string, std::less<>> changed_;  // webhooks whose size is another by now

  SQLite::Statement webhook_exists_ = database_.prepare("SELECT 1 FROM webhooks WHERE id = ?");
  SQLite::Statement insert_ =
      database_.prepare("INSERT INTO outbox (webhook_id, created, body) VALUES (?, ?, ?)");
  SQLite::Statement all_sizes_ = database_.prepare(
      "SELECT webhook_id, count(*), sum(length(CAST(body AS BLOB))) FROM outbox GROUP BY webhook_id");
  SQLite::Statement size_ = database_.prepare(
      "SELECT count(*), coalesce(sum(length(CAST(body AS BLOB))), 0) FROM outbox WHERE webhook_id = ?");
  SQLite::Statement oldest_ = database_.prepare(
      "SELECT sequence, length(CAST(body AS BLOB)) FROM outbox WHERE webhook_id = ? ORDER BY sequence");
  SQLite::Statement waiting_ = database_.prepare(
      "SELECT id FROM webhooks WHERE account = ? AND EXISTS (SELECT 1 FROM outbox WHERE webhook_id = "
      "webhooks.id)");
  SQLite::Statement next_ = database_.prepare(
      "SELECT sequence, created, body FROM outbox WHERE webhook_id = ? AND sequence > ? ORDER BY sequence "
      "LIMIT 1");
  SQLite::Statement remove_ = database_.prepare("DELETE FROM outbox WHERE webhook_id = ? AND sequence <= ?");
  SQLite::Statement drop_old_ = database_.prepare("DELETE FROM outbox WHERE webhook_id = ? AND created <= ?");
  SQLite::Statement note_given_up_ =
      database_.prepare("UPDATE webhooks SET given_up = given_up + ? WHERE id = ?");
};

}  // namespace simulcast::control
