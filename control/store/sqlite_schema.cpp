#include "control/store/sqlite_schema.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <spdlog/spdlog.h>

#include <array>

#include "control/store/store.hpp"

namespace simulcast::control {

namespace {

// Times are microseconds since the epoch. `sequence` is the order of creation, which clocks do not give.
// Idempotency keys outlive what they made: `uid` is no reference.
constexpr std::array kSteps{
    R"sql(
CREATE TABLE live_inputs (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  account TEXT NOT NULL,
  uid TEXT NOT NULL UNIQUE,
  revision INTEGER NOT NULL,
  created INTEGER NOT NULL,
  modified INTEGER NOT NULL,
  enabled INTEGER NOT NULL,
  meta TEXT NOT NULL,
  default_creator TEXT NOT NULL,
  delete_recording_after_days INTEGER,
  prefer_low_latency INTEGER NOT NULL,
  recording_mode TEXT NOT NULL,
  recording_timeout_seconds INTEGER NOT NULL,
  require_signed_urls INTEGER NOT NULL,
  allowed_origins TEXT,
  hide_live_viewer_count INTEGER NOT NULL,
  rtmp_secret TEXT NOT NULL,
  srt_secret TEXT NOT NULL,
  rtmp_playback_secret TEXT NOT NULL,
  srt_playback_secret TEXT NOT NULL,
  keys_rotated_at INTEGER
) STRICT;
CREATE INDEX live_inputs_by_account ON live_inputs (account, sequence);

CREATE TABLE outputs (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  uid TEXT NOT NULL UNIQUE,
  input_uid TEXT NOT NULL REFERENCES live_inputs (uid) ON DELETE CASCADE,
  revision INTEGER NOT NULL,
  created INTEGER NOT NULL,
  modified INTEGER NOT NULL,
  url TEXT NOT NULL,
  stream_key TEXT NOT NULL,
  enabled INTEGER NOT NULL,
  name TEXT NOT NULL,
  verify_tls INTEGER NOT NULL
) STRICT;
CREATE INDEX outputs_by_input ON outputs (input_uid, sequence);

CREATE TABLE idempotency_keys (
  scope TEXT NOT NULL,
  key BLOB NOT NULL,
  uid TEXT NOT NULL,
  expires INTEGER NOT NULL,
  PRIMARY KEY (scope, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_keys_by_expiry ON idempotency_keys (expires);

CREATE TABLE write_check (writes INTEGER NOT NULL) STRICT;
INSERT INTO write_check VALUES (0);
)sql",
    // Notifications. `input_ids` and `event_types` are JSON arrays. Deliveries in the outbox leave in the
    // order of `sequence`, each webhook's by itself.
    R"sql(
CREATE TABLE webhooks (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  account TEXT NOT NULL,
  id TEXT NOT NULL UNIQUE,
  created INTEGER NOT NULL,
  name TEXT NOT NULL,
  url TEXT NOT NULL,
  secret TEXT NOT NULL,
  last_success INTEGER,
  last_failure INTEGER
) STRICT;

CREATE TABLE policies (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  account TEXT NOT NULL,
  id TEXT NOT NULL UNIQUE,
  created INTEGER NOT NULL,
  modified INTEGER NOT NULL,
  name TEXT NOT NULL,
  description TEXT NOT NULL,
  enabled INTEGER NOT NULL,
  input_ids TEXT NOT NULL,
  event_types TEXT NOT NULL
) STRICT;

CREATE TABLE policy_webhooks (
  policy_id TEXT NOT NULL REFERENCES policies (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  webhook_id TEXT NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
  PRIMARY KEY (policy_id, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX policy_webhooks_by_webhook ON policy_webhooks (webhook_id);

CREATE TABLE outbox (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  webhook_id TEXT NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
  created INTEGER NOT NULL,
  body TEXT NOT NULL
) STRICT;
CREATE INDEX outbox_by_webhook ON outbox (webhook_id, sequence);
)sql",
    // How many notifications a webhook never got.
    R"sql(
ALTER TABLE webhooks ADD COLUMN given_up INTEGER NOT NULL DEFAULT 0;
)sql",
};

int schema_of(SQLite::Database& database) {
  return database.execAndGet("PRAGMA user_version").getInt();
}

}  // namespace

void migrate(SQLite::Database& database) {
  constexpr int kNewest = kSteps.size();
  const int found = schema_of(database);
  if (found < 0) throw StoreError(fmt::format("it has schema {}, which no version makes", found));
  if (found > kNewest) {
    throw StoreError(
        fmt::format("it has schema {}, but this version knows schemas up to {} only; "
                    "run the newer version that made it",
                    found, kNewest));
  }
  for (;;) {
    SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
    const int schema = schema_of(database);  // under the lock: nobody else migrates now
    if (schema >= kNewest) return;
    database.exec(kSteps[static_cast<std::size_t>(schema)]);
    database.exec(fmt::format("PRAGMA user_version = {}", schema + 1));
    transaction.commit();
    spdlog::info("store schema brought to {}", schema + 1);
  }
}

}  // namespace simulcast::control
