// One SQLite file, open: what the stores that live in it share. Write-ahead log, every commit synced to disk,
// readable by its owner alone.
//
// Owned by the stores, used on the control thread.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "control/store/sqlite_rows.hpp"
#include "control/store/store.hpp"

namespace simulcast::control {

// `system_error` is the errno behind it, 0 if there is none.
StoreError store_error(const SQLite::Exception& error, int system_error, const std::filesystem::path& file);
// `cause` without the file's name, which the sentence begins with.
StoreError damaged_store(const std::filesystem::path& file, std::string_view cause);

class SqliteDatabase {
 public:
  // Hears how long each call has taken.
  using Called = std::function<void(std::chrono::duration<double>)>;

  // Opens or makes the file (mode 0600) and brings its schema up to date. Throws StoreError or
  // SQLite::Exception. `expected`: the file was there before, so that one of 0 bytes has lost what it held.
  explicit SqliteDatabase(const std::filesystem::path& file, bool expected = false);

  SQLite::Statement prepare(const std::string& sql) { return {database_, sql}; }
  SQLite::Transaction begin() {
    return SQLite::Transaction(database_, SQLite::TransactionBehavior::IMMEDIATE);
  }

  // Runs one call of a store; what SQLite throws becomes a StoreError, and a damaged record tells its file.
  template <class Work>
  auto guarded(Work work) {
    const Stopwatch stopwatch(called_);
    try {
      return work();
    } catch (const SQLite::Exception& error) {
      throw failure(error);
    } catch (const DamagedRecord& error) {
      throw damaged_store(file_, error.what());
    }
  }
  void on_call(Called called) { called_ = std::move(called); }

  // What the key made when it was first seen. Forgets expired keys.
  std::optional<std::string> recall(const std::string& scope, const IdempotencyKey& key);
  void remember(const std::string& scope, const IdempotencyKey& key, const std::string& uid);

  static std::int64_t microseconds(Timestamp time) { return time.time_since_epoch().count(); }

 private:
  // Tells how long it has lived.
  class Stopwatch {
   public:
    explicit Stopwatch(const Called& called) : called_(called) {}
    ~Stopwatch() {
      if (called_) called_(Clock::now() - began_);
    }
    Stopwatch(const Stopwatch&) = delete;
    Stopwatch& operator=(const Stopwatch&) = delete;

   private:
    using Clock = std::chrono::steady_clock;
    const Called& called_;
    const Clock::time_point began_ = Clock::now();
  };

  StoreError failure(const SQLite::Exception& error);

  const std::filesystem::path file_;
  SQLite::Database database_;
  Called called_;

  SQLite::Statement forget_keys_ = prepare("DELETE FROM idempotency_keys WHERE expires <= ?");
  SQLite::Statement recall_key_ = prepare("SELECT uid FROM idempotency_keys WHERE scope = ? AND key = ?");
  SQLite::Statement remember_key_ =
      prepare("INSERT INTO idempotency_keys (scope, key, uid, expires) VALUES (?, ?, ?, ?)");
};

}  // namespace simulcast::control
