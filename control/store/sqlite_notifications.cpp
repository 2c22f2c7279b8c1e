#include "control/store/sqlite_notifications.hpp"

#include <spdlog/fmt/fmt.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_from.hpp>
#include <boost/json/value_to.hpp>
#include <utility>

#include "control/store/sqlite_database.hpp"
#include "control/store/sqlite_outbox.hpp"
#include "control/store/sqlite_rows.hpp"

namespace simulcast::control {

namespace json = boost::json;

namespace {

constexpr std::string_view kWebhookColumns =
    "account, id, created, name, url, secret, last_success, last_failure, given_up";
constexpr std::string_view kPolicyColumns =
    "account, id, created, modified, name, description, enabled, input_ids, event_types";

Timestamp time_of(const SQLite::Column& column) {
  return Timestamp(std::chrono::microseconds(column.getInt64()));
}

std::optional<Timestamp> time_if_any(const SQLite::Column& column) {
  return column.isNull() ? std::nullopt : std::optional(time_of(column));
}

std::int64_t number(Timestamp time) {
  return SqliteDatabase::microseconds(time);
}

// Written by us, but files get damaged, and edited by hand.
std::vector<std::string> texts_of(const SQLite::Column& column, const std::string& id) {
  try {
    return json::value_to<std::vector<std::string>>(json::parse(column.getString()));
  } catch (const std::exception&) {
    throw DamagedRecord(
        fmt::format("the record of policy {} is damaged: its {} makes no sense", id, column.getName()));
  }
}

std::string text_of(const std::vector<std::string>& texts) {
  return json::serialize(json::value_from(texts));
}

Webhook read_webhook(SQLite::Statement& row) {
  return {.account = row.getColumn(0).getString(),
          .id = row.getColumn(1).getString(),
          .created = time_of(row.getColumn(2)),
          .name = row.getColumn(3).getString(),
          .url = row.getColumn(4).getString(),
          .secret = row.getColumn(5).getString(),
          .last_success = time_if_any(row.getColumn(6)),
          .last_failure = time_if_any(row.getColumn(7)),
          .given_up = row.getColumn(8).getInt64()};
}

// Without its webhooks.
Policy read_policy(SQLite::Statement& row) {
  const std::string id = row.getColumn(1).getString();
  return {.account = row.getColumn(0).getString(),
          .id = id,
          .created = time_of(row.getColumn(2)),
          .modified = time_of(row.getColumn(3)),
          .name = row.getColumn(4).getString(),
          .description = row.getColumn(5).getString(),
          .enabled = row.getColumn(6).getInt64() != 0,
          .input_ids = texts_of(row.getColumn(7), id),
          .event_types = texts_of(row.getColumn(8), id),
          .webhooks = {}};
}

}  // namespace

struct SqliteNotifications::Impl {
  explicit Impl(std::shared_ptr<SqliteDatabase> file) : database(std::move(file)), outbox(*database) {}

  SQLite::Statement prepare(const std::string& sql) { return database->prepare(sql); }

  std::optional<Webhook> find_webhook(std::string_view account, std::string_view id) {
    Query query(webhook);
    if (!query.bind(account).bind(id).step()) return std::nullopt;
    return read_webhook(query.row());
  }

  std::optional<Policy> find_policy(std::string_view account, std::string_view id) {
    Query query(policy);
    if (!query.bind(account).bind(id).step()) return std::nullopt;
    return with_webhooks(read_policy(query.row()));
  }

  Policy with_webhooks(Policy record) {
    Query query(webhooks_of_policy);
    query.bind(record.id);
    while (query.step()) record.webhooks.push_back(query.row().getColumn(0).getString());
    return record;
  }

  void set_webhooks(const Policy& record) {
    Query(clear_policy).bind(record.id).exec();
    std::int64_t position = 0;
    for (const std::string& id : record.webhooks) {
      Query(add_to_policy).bind(record.id).bind(position++).bind(id).exec();
    }
  }

  // Inserts a record that find() gives back, once for each key.
  template <class Record, class Find, class Insert>
  InsertResult<Record> insert(const std::string& scope, const Record& record, SQLite::Statement& count,
                              std::size_t limit, const std::optional<IdempotencyKey>& key, Find find,
                              Insert insert_record) {
    return database->guarded([&]() -> InsertResult<Record> {
      auto transaction = database->begin();
      if (key) {
        if (const auto id = database->recall(scope, *key)) {
          auto found = find(*id);
          return {found ? InsertOutcome::repeated : InsertOutcome::gone, std::move(found)};
        }
        database->remember(scope, *key, record.id);
      }
      {
        Query query(count);
        query.bind(record.account).step();
        if (static_cast<std::size_t>(query.row().getColumn(0).getInt64()) >= limit) {
          return {InsertOutcome::limit_reached, {}};
        }
      }
      insert_record();
      transaction.commit();
      return {InsertOutcome::inserted, record};
    });
  }

  const std::shared_ptr<SqliteDatabase> database;
  SqliteOutbox outbox;

  SQLite::Statement webhooks =
      prepare(fmt::format("SELECT {} FROM webhooks WHERE account = ? ORDER BY sequence", kWebhookColumns));
  SQLite::Statement webhook =
      prepare(fmt::format("SELECT {} FROM webhooks WHERE account = ? AND id = ?", kWebhookColumns));
  SQLite::Statement count_webhooks = prepare("SELECT count(*) FROM webhooks WHERE account = ?");
  SQLite::Statement insert_webhook =
      prepare("INSERT INTO webhooks (account, id, created, name, url, secret) VALUES (?, ?, ?, ?, ?, ?)");
  SQLite::Statement update_webhook =
      prepare("UPDATE webhooks SET name = ?, url = ?, secret = ? WHERE account = ? AND id = ?");
  SQLite::Statement delete_webhook = prepare("DELETE FROM webhooks WHERE account = ? AND id = ?");
  SQLite::Statement note_success = prepare("UPDATE webhooks SET last_success = ? WHERE id = ?");
  SQLite::Statement note_failure = prepare("UPDATE webhooks SET last_failure = ? WHERE id = ?");

  SQLite::Statement policies =
      prepare(fmt::format("SELECT {} FROM policies WHERE account = ? ORDER BY sequence", kPolicyColumns));
  SQLite::Statement policy =
      prepare(fmt::format("SELECT {} FROM policies WHERE account = ? AND id = ?", kPolicyColumns));
  SQLite::Statement count_policies = prepare("SELECT count(*) FROM policies WHERE account = ?");
  SQLite::Statement insert_policy =
      prepare(fmt::format("INSERT INTO policies ({}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", kPolicyColumns));
  SQLite::Statement update_policy = prepare(
      "UPDATE policies SET modified = ?, name = ?, description = ?, enabled = ?, input_ids = ?, event_types "
      "= ? "
      "WHERE account = ? AND id = ?");
  SQLite::Statement delete_policy = prepare("DELETE FROM policies WHERE account = ? AND id = ?");
  SQLite::Statement webhooks_of_policy =
      prepare("SELECT webhook_id FROM policy_webhooks WHERE policy_id = ? ORDER BY position");
  SQLite::Statement clear_policy = prepare("DELETE FROM policy_webhooks WHERE policy_id = ?");
  SQLite::Statement add_to_policy =
      prepare("INSERT INTO policy_webhooks (policy_id, position, webhook_id) VALUES (?, ?, ?)");
};

SqliteNotifications::SqliteNotifications(std::shared_ptr<SqliteDatabase> database) {
  SqliteDatabase& file = *database;
  file.guarded([&] { impl_ = std::make_unique<Impl>(std::move(database)); });
}

SqliteNotifications::~SqliteNotifications() = default;

std::vector<Webhook> SqliteNotifications::webhooks(std::string_view account) {
  return impl_->database->guarded([&] {
    std::vector<Webhook> webhooks;
    Query query(impl_->webhooks);
    query.bind(account);
    while (query.step()) webhooks.push_back(read_webhook(query.row()));
    return webhooks;
  });
}

std::optional<Webhook> SqliteNotifications::webhook(std::string_view account, std::string_view id) {
  return impl_->database->guarded([&] { return impl_->find_webhook(account, id); });
}

InsertResult<Webhook> SqliteNotifications::insert_webhook(const Webhook& webhook, std::size_t limit,
                                                          const std::optional<IdempotencyKey>& key) {
  return impl_->insert(
      "webhooks " + webhook.account, webhook, impl_->count_webhooks, limit, key,
      [&](const std::string& id) { return impl_->find_webhook(webhook.account, id); },
      [&] {
        Query(impl_->insert_webhook)
            .bind(webhook.account)
            .bind(webhook.id)
            .bind(number(webhook.created))
            .bind(webhook.name)
            .bind(webhook.url)
            .bind(webhook.secret)
            .exec();
      });
}

bool SqliteNotifications::update_webhook(const Webhook& webhook) {
  return impl_->database->guarded([&] {
    return Query(impl_->update_webhook)
               .bind(webhook.name)
               .bind(webhook.url)
               .bind(webhook.secret)
               .bind(webhook.account)
               .bind(webhook.id)
               .exec() == 1;
  });
}

bool SqliteNotifications::delete_webhook(std::string_view account, std::string_view id) {
  return impl_->database->guarded([&] {
    impl_->outbox.forget(id);
    return Query(impl_->delete_webhook).bind(account).bind(id).exec() == 1;
  });
}

std::vector<Policy> SqliteNotifications::policies(std::string_view account) {
  return impl_->database->guarded([&] {
    std::vector<Policy> policies;
    Query query(impl_->policies);
    query.bind(account);
    while (query.step()) policies.push_back(impl_->with_webhooks(read_policy(query.row())));
    return policies;
  });
}

std::optional<Policy> SqliteNotifications::policy(std::string_view account, std::string_view id) {
  return impl_->database->guarded([&] { return impl_->find_policy(account, id); });
}

InsertResult<Policy> SqliteNotifications::insert_policy(const Policy& policy, std::size_t limit,
                                                        const std::optional<IdempotencyKey>& key) {
  return impl_->insert(
      "policies " + policy.account, policy, impl_->count_policies, limit, key,
      [&](const std::string& id) { return impl_->find_policy(policy.account, id); },
      [&] {
        Query(impl_->insert_policy)
            .bind(policy.account)
            .bind(policy.id)
            .bind(number(policy.created))
            .bind(number(policy.modified))
            .bind(policy.name)
            .bind(policy.description)
            .bind(std::int64_t{policy.enabled})
            .bind(text_of(policy.input_ids))
            .bind(text_of(policy.event_types))
            .exec();
        impl_->set_webhooks(policy);
      });
}

bool SqliteNotifications::update_policy(const Policy& policy) {
  return impl_->database->guarded([&] {
    auto transaction = impl_->database->begin();
    const int changed = Query(impl_->update_policy)
                            .bind(number(policy.modified))
                            .bind(policy.name)
                            .bind(policy.description)
                            .bind(std::int64_t{policy.enabled})
                            .bind(text_of(policy.input_ids))
                            .bind(text_of(policy.event_types))
                            .bind(policy.account)
                            .bind(policy.id)
                            .exec();
    if (changed == 0) return false;
    impl_->set_webhooks(policy);
    transaction.commit();
    return true;
  });
}

bool SqliteNotifications::delete_policy(std::string_view account, std::string_view id) {
  return impl_->database->guarded(
      [&] { return Query(impl_->delete_policy).bind(account).bind(id).exec() == 1; });
}

NotificationStore::GivenUp SqliteNotifications::push(const std::vector<Delivery>& deliveries,
                                                     const OutboxLimits& limits) {
  return impl_->database->guarded([&] { return impl_->outbox.push(deliveries, limits); });
}

std::vector<std::string> SqliteNotifications::webhooks_with_deliveries(std::string_view account) {
  return impl_->database->guarded([&] { return impl_->outbox.webhooks(account); });
}

std::optional<Delivery> SqliteNotifications::next_delivery(std::string_view webhook, std::int64_t behind) {
  return impl_->database->guarded([&] { return impl_->outbox.next(webhook, behind); });
}

void SqliteNotifications::delivered(std::string_view webhook, std::int64_t sequence, Timestamp now) {
  impl_->database->guarded([&] {
    auto transaction = impl_->database->begin();
    impl_->outbox.remove(webhook, sequence);
    Query(impl_->note_success).bind(number(now)).bind(webhook).exec();
    transaction.commit();
  });
}

void SqliteNotifications::failed(std::string_view webhook, Timestamp now) {
  impl_->database->guarded([&] { Query(impl_->note_failure).bind(number(now)).bind(webhook).exec(); });
}

std::size_t SqliteNotifications::drop_deliveries(std::string_view webhook, Timestamp time) {
  return impl_->database->guarded([&] { return impl_->outbox.drop(webhook, time); });
}

}  // namespace simulcast::control
