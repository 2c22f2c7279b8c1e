#include "control/store/sqlite_database.hpp"

#include <fcntl.h>
#include <spdlog/fmt/fmt.h>
#include <spdlog/spdlog.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "control/store/sqlite_rows.hpp"
#include "control/store/sqlite_schema.hpp"

namespace simulcast::control {

namespace {

constexpr int kBusyTimeoutMs = 5000;  // another process, such as a backup, may hold the lock for a moment
constexpr mode_t kOwnerOnly = S_IRUSR | S_IWUSR;
// For SQLite as a whole, which needs some 2 MiB and a few times the largest record (a request's body, at most
// 1 MiB). What a damaged file announces beyond is refused, not allocated.
constexpr std::int64_t kMaxMemory = std::int64_t{32} << 20;

constexpr std::int64_t kMaxIdleLog = std::int64_t{4} << 20;

StoreError::Kind kind_of(int error) {
  return error == ENOSPC || error == EDQUOT ? StoreError::Kind::full : StoreError::Kind::failed;
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

bool has_no_bytes(const std::filesystem::path& file) {
  std::error_code error;
  return std::filesystem::file_size(file, error) == 0 && !error;
}

bool has_bytes(const std::filesystem::path& file) {
  std::error_code error;
  return std::filesystem::file_size(file, error) > 0 && !error;
}

// SQLite takes a file of 0 bytes for a new one, and throws the log beside it away. But such a file is what a
// full disk, a broken copy or a crashed file system leaves of one that had everything in it.
void check_not_emptied(const std::filesystem::path& file, bool expected) {
  if (!has_no_bytes(file)) return;
  if (expected || has_bytes(file.string() + "-wal")) {
    throw damaged_store(file, "it has 0 bytes, but this daemon has been used before");
  }
  spdlog::warn("the database has 0 bytes and starts empty file={}", file.string());
}

SQLite::Database open_database(const std::filesystem::path& file, bool expected) {
  check_not_emptied(file, expected);
  make_private(file);
  ::sqlite3_hard_heap_limit64(kMaxMemory);
  SQLite::Database database(file.string(), SQLite::OPEN_READWRITE, kBusyTimeoutMs);
  const std::string journal = database.execAndGet("PRAGMA journal_mode = WAL").getString();
  if (journal != "wal") throw StoreError("its file system does not support a write-ahead log");
  database.exec("PRAGMA synchronous = FULL");
  // Of the write-ahead log, once what is in it is in the database: a large moment leaves no large file.
  database.exec(fmt::format("PRAGMA journal_size_limit = {}", kMaxIdleLog));
  database.exec("PRAGMA foreign_keys = ON");
  migrate(database);
  return database;
}

}  // namespace

// SQLite has a code for a full disk, and uses it for writes to the database and its log only: elsewhere, and
// for a quota, it is an I/O error.
StoreError store_error(const SQLite::Exception& error, int system_error, const std::filesystem::path& file) {
  const int code = error.getErrorCode();
  if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB) return damaged_store(file, error.what());
  return StoreError(error.what(), code == SQLITE_FULL ? StoreError::Kind::full
                                  : code == SQLITE_IOERR || code == SQLITE_CANTOPEN
                                      ? kind_of(system_error)
                                      : StoreError::Kind::failed);
}

StoreError damaged_store(const std::filesystem::path& file, std::string_view cause) {
  return StoreError(
      fmt::format(
          "the database {0} is damaged: {1}; put back a copy of it, or move it and {2}-wal and {2}-shm "
          "away to start without live inputs",
          file.string(), cause, file.filename().string()),
      StoreError::Kind::damaged);
}

SqliteDatabase::SqliteDatabase(const std::filesystem::path& file, bool expected)
    : file_(file), database_(open_database(file, expected)) {}

StoreError SqliteDatabase::failure(const SQLite::Exception& error) {
  const StoreError told = store_error(error, ::sqlite3_system_errno(database_.getHandle()), file_);
  if (told.kind() == StoreError::Kind::damaged) return told;  // names the file
  return StoreError(fmt::format("the database {}: {}", file_.string(), told.what()), told.kind());
}

std::optional<std::string> SqliteDatabase::recall(const std::string& scope, const IdempotencyKey& key) {
  Query(forget_keys_).bind(microseconds(key.now)).exec();
  Query query(recall_key_);
  if (!query.bind(scope).bind_blob(key.key).step()) return std::nullopt;
  return query.row().getColumn(0).getString();
}

void SqliteDatabase::remember(const std::string& scope, const IdempotencyKey& key, const std::string& uid) {
  Query(remember_key_)
      .bind(scope)
      .bind_blob(key.key)
      .bind(uid)
      .bind(microseconds(key.now + key.kLifetime))
      .exec();
}

}  // namespace simulcast::control
