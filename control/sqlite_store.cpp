#include "control/sqlite_store.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <fcntl.h>
#include <spdlog/fmt/fmt.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <map>
#include <system_error>

#include "control/sqlite_rows.hpp"
#include "control/sqlite_schema.hpp"

namespace simulcast::control {

namespace {

constexpr int kBusyTimeoutMs = 5000;  // another process, such as a backup, may hold the lock for a moment
constexpr mode_t kOwnerOnly = S_IRUSR | S_IWUSR;
// For SQLite as a whole, which needs some 2 MiB and a few times the largest record (a request's body, at most
// 1 MiB). What a damaged file announces beyond is refused, not allocated.
constexpr std::int64_t kMaxMemory = std::int64_t{32} << 20;

StoreError::Kind kind_of(int error) {
  return error == ENOSPC || error == EDQUOT ? StoreError::Kind::full : StoreError::Kind::failed;
}

// SQLite has a code for a full disk, and uses it for writes to the database and its log only: elsewhere, and
// for a quota, it is an I/O error. `system_error` is the errno behind it, 0 if there is none.
StoreError store_error(const SQLite::Exception& error, int system_error) {
  const int code = error.getErrorCode();
  return StoreError(error.what(), code == SQLITE_FULL ? StoreError::Kind::full
                                  : code == SQLITE_IOERR || code == SQLITE_CANTOPEN
                                      ? kind_of(system_error)
                                      : StoreError::Kind::failed);
}

// SQLite gives its -wal and -shm files the mode of the database; files of an earlier run may have another
// one.
void make_private(const std::filesystem::path& file) {
  const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kOwnerOnly);
  if (descriptor < 0 || ::fchmod(descriptor, kOwnerOnly) != 0) {
    const int error = errno;
    if (descriptor >= 0) ::close(descriptor);
    throw StoreError(std::generic_category().message(error), kind_of(error));
  }
  ::close(descriptor);
  for (const char* suffix : {"-wal", "-shm"}) ::chmod((file.string() + suffix).c_str(), kOwnerOnly);
}

SQLite::Database open_database(const std::filesystem::path& file) {
  make_private(file);
  ::sqlite3_hard_heap_limit64(kMaxMemory);
  SQLite::Database database(file.string(), SQLite::OPEN_READWRITE, kBusyTimeoutMs);
  const std::string journal = database.execAndGet("PRAGMA journal_mode = WAL").getString();
  if (journal != "wal") throw StoreError("its file system does not support a write-ahead log");
  database.exec("PRAGMA synchronous = FULL");
  database.exec("PRAGMA foreign_keys = ON");
  migrate(database);
  return database;
}

std::string insert_sql(std::string_view table, std::string_view columns, std::string_view values) {
  return fmt::format("INSERT INTO {} ({}) VALUES ({})", table, columns, values);
}

// Compare-and-set: binds the record, its uid and the revision that was read.
std::string update_sql(std::string_view table, std::string_view columns, std::string_view values) {
  return fmt::format("UPDATE {} SET ({}) = ({}) WHERE uid = ? AND revision = ?", table, columns, values);
}

// Tells how long it has lived.
class Stopwatch {
 public:
  explicit Stopwatch(const SqliteStore::Called& called) : called_(called) {}
  ~Stopwatch() {
    if (called_) called_(Clock::now() - began_);
  }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

 private:
  using Clock = std::chrono::steady_clock;
  const SqliteStore::Called& called_;
  const Clock::time_point began_ = Clock::now();
};

}  // namespace

struct SqliteStore::Impl {
  explicit Impl(const std::filesystem::path& file) : database(open_database(file)) {}

  SQLite::Statement prepare(const std::string& sql) { return {database, sql}; }
  SQLite::Transaction begin() {
    return SQLite::Transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
  }

  std::optional<LiveInput> find_input(std::string_view account, std::string_view uid) {
    Query query(input);
    if (!query.bind(account).bind(uid).step()) return std::nullopt;
    return read_input(query.row());
  }

  std::optional<Output> find_output(std::string_view input_uid, std::string_view uid) {
    Query query(output);
    if (!query.bind(input_uid).bind(uid).step()) return std::nullopt;
    return read_output(query.row());
  }

  // Runs one call of the store; what SQLite throws becomes a StoreError.
  template <class Work>
  auto guarded(Work work) {
    const Stopwatch stopwatch(called);
    try {
      return work();
    } catch (const SQLite::Exception& error) {
      throw store_error(error, ::sqlite3_system_errno(database.getHandle()));
    }
  }

  // What the key made when it was first seen. Forgets expired keys.
  std::optional<std::string> recall(const std::string& scope, const IdempotencyKey& key) {
    Query(forget_keys).bind(microseconds(key.now)).exec();
    Query query(recall_key);
    if (!query.bind(scope).bind_blob(key.key).step()) return std::nullopt;
    return query.row().getColumn(0).getString();
  }

  void remember(const std::string& scope, const IdempotencyKey& key, const std::string& uid) {
    Query(remember_key)
        .bind(scope)
        .bind_blob(key.key)
        .bind(uid)
        .bind(microseconds(key.now + key.kLifetime))
        .exec();
  }

  static std::int64_t microseconds(Timestamp time) { return time.time_since_epoch().count(); }

  SQLite::Database database;
  Called called;

  // Prepared once. Columns: see sqlite_rows.
  SQLite::Statement inputs =
      prepare(fmt::format("SELECT {} FROM live_inputs WHERE account = ? ORDER BY sequence", kInputColumns));
  SQLite::Statement input =
      prepare(fmt::format("SELECT {} FROM live_inputs WHERE account = ? AND uid = ?", kInputColumns));
  SQLite::Statement insert_input = prepare(insert_sql("live_inputs", kInputColumns, kInputValues));
  SQLite::Statement update_input = prepare(update_sql("live_inputs", kInputColumns, kInputValues));
  SQLite::Statement delete_input = prepare("DELETE FROM live_inputs WHERE account = ? AND uid = ?");
  SQLite::Statement input_exists = prepare("SELECT 1 FROM live_inputs WHERE uid = ?");

  SQLite::Statement all_outputs = prepare(
      fmt::format("SELECT {} FROM outputs WHERE input_uid IN (SELECT uid FROM live_inputs WHERE account = ?) "
                  "ORDER BY sequence",
                  kOutputColumns));
  SQLite::Statement outputs =
      prepare(fmt::format("SELECT {} FROM outputs WHERE input_uid = ? ORDER BY sequence", kOutputColumns));
  SQLite::Statement output =
      prepare(fmt::format("SELECT {} FROM outputs WHERE input_uid = ? AND uid = ?", kOutputColumns));
  SQLite::Statement count_outputs = prepare("SELECT count(*) FROM outputs WHERE input_uid = ?");
  SQLite::Statement insert_output = prepare(insert_sql("outputs", kOutputColumns, kOutputValues));
  SQLite::Statement update_output = prepare(update_sql("outputs", kOutputColumns, kOutputValues));
  SQLite::Statement delete_output = prepare("DELETE FROM outputs WHERE input_uid = ? AND uid = ?");

  SQLite::Statement forget_keys = prepare("DELETE FROM idempotency_keys WHERE expires <= ?");
  SQLite::Statement recall_key = prepare("SELECT uid FROM idempotency_keys WHERE scope = ? AND key = ?");
  SQLite::Statement remember_key =
      prepare("INSERT INTO idempotency_keys (scope, key, uid, expires) VALUES (?, ?, ?, ?)");

  SQLite::Statement check_write = prepare("UPDATE write_check SET writes = writes + 1");
};

SqliteStore::SqliteStore(const std::filesystem::path& file) {
  const auto because = [&](const std::string& cause) {
    return fmt::format("cannot use the database {}: {}", file.string(), cause);
  };
  try {
    impl_ = std::make_unique<Impl>(file);
  } catch (const SQLite::Exception& error) {
    throw StoreError(because(error.what()), store_error(error, errno).kind());
  } catch (const StoreError& error) {
    throw StoreError(because(error.what()), error.kind());
  }
}

SqliteStore::~SqliteStore() = default;

void SqliteStore::on_call(Called called) {
  impl_->called = std::move(called);
}

std::vector<WantedInput> SqliteStore::everything(std::string_view account) {
  return impl_->guarded([&] {
    std::vector<WantedInput> all;
    std::map<std::string, std::size_t> position;
    for (LiveInput& input : inputs(account)) {
      position.emplace(input.uid, all.size());
      all.push_back({std::move(input), {}});
    }
    Query query(impl_->all_outputs);
    query.bind(account);
    while (query.step()) {
      Output output = read_output(query.row());
      const auto owner = position.find(output.input_uid);
      if (owner != position.end()) all[owner->second].outputs.push_back(std::move(output));
    }
    return all;
  });
}

std::vector<LiveInput> SqliteStore::inputs(std::string_view account) {
  return impl_->guarded([&] {
    std::vector<LiveInput> inputs;
    Query query(impl_->inputs);
    query.bind(account);
    while (query.step()) inputs.push_back(read_input(query.row()));
    return inputs;
  });
}

std::optional<LiveInput> SqliteStore::input(std::string_view account, std::string_view uid) {
  return impl_->guarded([&] { return impl_->find_input(account, uid); });
}

InsertResult<LiveInput> SqliteStore::insert_input(const LiveInput& input,
                                                  const std::optional<IdempotencyKey>& key) {
  return impl_->guarded([&]() -> InsertResult<LiveInput> {
    const std::string scope = "account " + input.account;
    auto transaction = impl_->begin();
    if (key) {
      if (const auto uid = impl_->recall(scope, *key)) {
        auto record = impl_->find_input(input.account, *uid);
        return {record ? InsertOutcome::repeated : InsertOutcome::gone, std::move(record)};
      }
      impl_->remember(scope, *key, input.uid);
    }
    Query(impl_->insert_input).bind_record(input).exec();
    transaction.commit();
    return {InsertOutcome::inserted, input};
  });
}

bool SqliteStore::update_input(const LiveInput& input) {
  return impl_->guarded([&] {
    LiveInput next = input;
    ++next.revision;
    return Query(impl_->update_input).bind_record(next).bind(input.uid).bind(input.revision).exec() == 1;
  });
}

bool SqliteStore::delete_input(std::string_view account, std::string_view uid) {
  return impl_->guarded([&] { return Query(impl_->delete_input).bind(account).bind(uid).exec() == 1; });
}

std::vector<Output> SqliteStore::outputs(std::string_view input_uid) {
  return impl_->guarded([&] {
    std::vector<Output> outputs;
    Query query(impl_->outputs);
    query.bind(input_uid);
    while (query.step()) outputs.push_back(read_output(query.row()));
    return outputs;
  });
}

std::optional<Output> SqliteStore::output(std::string_view input_uid, std::string_view uid) {
  return impl_->guarded([&] { return impl_->find_output(input_uid, uid); });
}

InsertResult<Output> SqliteStore::insert_output(const Output& output, std::size_t limit,
                                                const std::optional<IdempotencyKey>& key) {
  return impl_->guarded([&]() -> InsertResult<Output> {
    const std::string scope = "input " + output.input_uid;
    auto transaction = impl_->begin();
    if (!Query(impl_->input_exists).bind(output.input_uid).step()) return {InsertOutcome::no_input, {}};
    if (key) {
      if (const auto uid = impl_->recall(scope, *key)) {
        auto record = impl_->find_output(output.input_uid, *uid);
        return {record ? InsertOutcome::repeated : InsertOutcome::gone, std::move(record)};
      }
      impl_->remember(scope, *key, output.uid);
    }
    {
      Query count(impl_->count_outputs);
      count.bind(output.input_uid).step();
      if (static_cast<std::size_t>(count.row().getColumn(0).getInt64()) >= limit) {
        return {InsertOutcome::limit_reached, {}};
      }
    }
    Query(impl_->insert_output).bind_record(output).exec();
    transaction.commit();
    return {InsertOutcome::inserted, output};
  });
}

bool SqliteStore::update_output(const Output& output) {
  return impl_->guarded([&] {
    Output next = output;
    ++next.revision;
    return Query(impl_->update_output).bind_record(next).bind(output.uid).bind(output.revision).exec() == 1;
  });
}

bool SqliteStore::delete_output(std::string_view input_uid, std::string_view uid) {
  return impl_->guarded([&] { return Query(impl_->delete_output).bind(input_uid).bind(uid).exec() == 1; });
}

void SqliteStore::check_writable() {
  impl_->guarded([&] { Query(impl_->check_write).exec(); });
}

}  // namespace simulcast::control
