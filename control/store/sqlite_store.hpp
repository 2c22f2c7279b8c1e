// The store in one SQLite file: write-ahead log, every commit synced to disk, readable by its owner alone.
//
// Owned by Application, used on the control thread.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>

#include "control/store/store.hpp"

namespace simulcast::control {

class SqliteDatabase;

class SqliteStore final : public Store {
 public:
  // Opens or makes the file (mode 0600) and brings its schema up to date. Throws StoreError with the file's
  // name and a sentence: not writable, not a database, made by a newer version. `expected`: this daemon has
  // been used before, so that a file of 0 bytes has lost what it held.
  explicit SqliteStore(const std::filesystem::path& file, bool expected = false);
  ~SqliteStore() override;
  SqliteStore(const SqliteStore&) = delete;
  SqliteStore& operator=(const SqliteStore&) = delete;

  // `called` hears how long each call has taken, also those of the other stores in this file.
  using Called = std::function<void(std::chrono::duration<double>)>;
  void on_call(Called called);
  // The file, for other stores that live in it.
  std::shared_ptr<SqliteDatabase> database() const;

  std::vector<WantedInput> everything(std::string_view account) override;

  std::vector<LiveInput> inputs(std::string_view account) override;
  std::optional<LiveInput> input(std::string_view account, std::string_view uid) override;
  InsertResult<LiveInput> insert_input(const LiveInput& input,
                                       const std::optional<IdempotencyKey>& key) override;
  bool update_input(const LiveInput& input) override;
  bool delete_input(std::string_view account, std::string_view uid) override;

  std::vector<Output> outputs(std::string_view input_uid) override;
  std::optional<Output> output(std::string_view input_uid, std::string_view uid) override;
  InsertResult<Output> insert_output(const Output& output, std::size_t limit,
                                     const std::optional<IdempotencyKey>& key) override;
  bool update_output(const Output& output) override;
  bool delete_output(std::string_view input_uid, std::string_view uid) override;

  void check_writable() override;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace simulcast::control
