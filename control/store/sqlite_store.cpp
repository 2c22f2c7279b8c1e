#include "control/store/sqlite_store.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <spdlog/fmt/fmt.h>

#include <cerrno>
#include <map>

#include "control/store/sqlite_database.hpp"
#include "control/store/sqlite_rows.hpp"

namespace simulcast::control {

namespace {

std::string insert_sql(std::string_view table, std::string_view columns, std::string_view values) {
  return fmt::format("INSERT INTO {} ({}) VALUES ({})", table, columns, values);
}

// Compare-and-set: binds the record, its uid and the revision that was read.
std::string update_sql(std::string_view table, std::string_view columns, std::string_view values) {
  return fmt::format("UPDATE {} SET ({}) = ({}) WHERE uid = ? AND revision = ?", table, columns, values);
}

}  // namespace

struct SqliteStore::Impl : SqliteDatabase {
  using SqliteDatabase::SqliteDatabase;

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

  SQLite::Statement check_write = prepare("UPDATE write_check SET writes = writes + 1");
};

SqliteStore::SqliteStore(const std::filesystem::path& file, bool expected) {
  const auto failure = [&](const StoreError& error) {
    if (error.kind() == StoreError::Kind::damaged) return error;  // names the file
    return StoreError(fmt::format("cannot use the database {}: {}", file.string(), error.what()),
                      error.kind());
  };
  try {
    impl_ = std::make_shared<Impl>(file, expected);
  } catch (const SQLite::Exception& error) {
    throw failure(store_error(error, errno, file));
  } catch (const StoreError& error) {
    throw failure(error);
  }
}

SqliteStore::~SqliteStore() = default;

void SqliteStore::on_call(Called called) {
  impl_->on_call(std::move(called));
}

std::shared_ptr<SqliteDatabase> SqliteStore::database() const {
  return impl_;
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
