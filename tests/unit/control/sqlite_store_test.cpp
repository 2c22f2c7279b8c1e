#include "control/store/sqlite_store.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <fstream>

#include "api_fixture.hpp"

namespace simulcast::control::test {

using testing::ElementsAre;
using testing::HasSubstr;

namespace {

const Timestamp kNow{std::chrono::microseconds(1'700'000'000'123'456)};

LiveInput full_input(const std::string& uid) {
  LiveInput input;
  input.account = kAccount;
  input.uid = uid;
  input.created = kNow;
  input.modified = kNow + std::chrono::microseconds(1);
  input.enabled = false;
  input.meta = {{"name", "Show"}, {"list", {1, nullptr, "x"}}};
  input.default_creator = "someone";
  input.delete_recording_after_days = 45;
  input.prefer_low_latency = true;
  input.recording = {"automatic", 20, true, std::vector<std::string>{"a", "b"}, true};
  input.rtmp_secret = "r";
  input.srt_secret = "s";
  input.rtmp_playback_secret = "rp";
  input.srt_playback_secret = "sp";
  input.keys_rotated_at = kNow;
  return input;
}

Output full_output(const std::string& input, const std::string& uid) {
  Output output;
  output.uid = uid;
  output.input_uid = input;
  output.created = kNow;
  output.modified = kNow + std::chrono::microseconds(1);
  output.url = "rtmp://host/app";
  output.stream_key = "key";
  output.enabled = false;
  output.name = "name";
  output.verify_tls = false;
  return output;
}

unsigned mode_of(const std::filesystem::path& file) {
  struct stat status {};
  return ::stat(file.c_str(), &status) == 0 ? status.st_mode & 0777U : 0U;
}

class SqliteStoreTest : public testing::Test {
 protected:
  void reopen() {
    store_.reset();
    store_ = std::make_unique<SqliteStore>(file_);
  }
  std::string failure_to_open() {
    try {
      SqliteStore store(file_);
    } catch (const StoreError& error) {
      return error.what();
    }
    return "it opened";
  }

  TemporaryDirectory directory_;
  std::filesystem::path file_ = directory_.path() / "simulcastd.db";
  std::unique_ptr<SqliteStore> store_ = std::make_unique<SqliteStore>(file_);
};

TEST_F(SqliteStoreTest, EveryMemberSurvivesReopening) {
  LiveInput plain;
  plain.account = kAccount;
  plain.uid = "plain";
  store_->insert_input(full_input("full"), {});
  store_->insert_input(plain, {});
  store_->insert_output(full_output("full", "o1"), 50, {});
  reopen();
  EXPECT_EQ(store_->input(kAccount, "full"), full_input("full"));
  EXPECT_EQ(store_->input(kAccount, "plain"), plain);
  EXPECT_EQ(store_->output("full", "o1"), full_output("full", "o1"));
  EXPECT_FALSE(store_->input(kAccount, "absent"));
  EXPECT_FALSE(store_->input("other", "full"));
  EXPECT_FALSE(store_->output("plain", "o1"));
}

TEST_F(SqliteStoreTest, EverythingIsInputsWithTheirOutputs) {
  for (const char* uid : {"b", "a", "c"}) store_->insert_input(full_input(uid), {});
  LiveInput foreign = full_input("foreign");
  foreign.account = "other";
  store_->insert_input(foreign, {});
  store_->insert_output(full_output("foreign", "of"), 50, {});
  for (const char* uid : {"o3", "o1"}) store_->insert_output(full_output("a", uid), 50, {});
  store_->insert_output(full_output("b", "o2"), 50, {});
  const auto all = store_->everything(kAccount);
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].input, full_input("b"));
  EXPECT_THAT(all[0].outputs, ElementsAre(full_output("b", "o2")));
  EXPECT_THAT(all[1].outputs, ElementsAre(full_output("a", "o3"), full_output("a", "o1")));
  EXPECT_THAT(all[2].outputs, ElementsAre());
}

TEST_F(SqliteStoreTest, UpdateIsCompareAndSet) {
  store_->insert_input(full_input("i"), {});
  store_->insert_output(full_output("i", "o"), 50, {});
  LiveInput input = *store_->input(kAccount, "i");
  input.enabled = true;
  EXPECT_TRUE(store_->update_input(input));
  EXPECT_FALSE(store_->update_input(input));  // of the revision before
  input.revision += 1;
  EXPECT_EQ(store_->input(kAccount, "i"), input);

  Output output = *store_->output("i", "o");
  output.url = "rtmp://other/app";
  EXPECT_TRUE(store_->update_output(output));
  EXPECT_FALSE(store_->update_output(output));
  EXPECT_EQ(store_->output("i", "o")->url, "rtmp://other/app");
  output = *store_->output("i", "o");
  store_->delete_output("i", "o");
  EXPECT_FALSE(store_->update_output(output));
}

TEST_F(SqliteStoreTest, DeletingAnInputTakesItsOutputs) {
  store_->insert_input(full_input("i"), {});
  store_->insert_input(full_input("j"), {});
  store_->insert_output(full_output("i", "oi"), 50, {});
  store_->insert_output(full_output("j", "oj"), 50, {});
  EXPECT_FALSE(store_->delete_input("other", "i"));
  EXPECT_TRUE(store_->delete_input(kAccount, "i"));
  EXPECT_FALSE(store_->delete_input(kAccount, "i"));
  EXPECT_FALSE(store_->output("i", "oi"));
  EXPECT_TRUE(store_->output("j", "oj"));
}

TEST_F(SqliteStoreTest, OutputLimitAndMissingInput) {
  store_->insert_input(full_input("i"), {});
  EXPECT_EQ(store_->insert_output(full_output("i", "o1"), 2, {}).outcome, InsertOutcome::inserted);
  EXPECT_EQ(store_->insert_output(full_output("i", "o2"), 2, {}).outcome, InsertOutcome::inserted);
  EXPECT_EQ(store_->insert_output(full_output("i", "o3"), 2, {}).outcome, InsertOutcome::limit_reached);
  EXPECT_EQ(store_->outputs("i").size(), 2U);
  EXPECT_EQ(store_->insert_output(full_output("none", "o4"), 2, {}).outcome, InsertOutcome::no_input);
}

TEST_F(SqliteStoreTest, RefusedOutputDoesNotUseUpItsKey) {
  store_->insert_input(full_input("i"), {});
  EXPECT_EQ(store_->insert_output(full_output("i", "o1"), 0, IdempotencyKey{"k", kNow}).outcome,
            InsertOutcome::limit_reached);
  EXPECT_EQ(store_->insert_output(full_output("i", "o1"), 1, IdempotencyKey{"k", kNow}).outcome,
            InsertOutcome::inserted);
}

TEST_F(SqliteStoreTest, KeysSurviveReopening) {
  const IdempotencyKey key{std::string("\xFF\x00 key", 6), kNow};  // any bytes
  EXPECT_EQ(store_->insert_input(full_input("i"), key).outcome, InsertOutcome::inserted);
  reopen();
  auto again = store_->insert_input(full_input("j"), key);
  EXPECT_EQ(again.outcome, InsertOutcome::repeated);
  EXPECT_EQ(again.record, full_input("i"));
  EXPECT_FALSE(store_->input(kAccount, "j"));

  LiveInput foreign = full_input("f");
  foreign.account = "other";
  EXPECT_EQ(store_->insert_input(foreign, key).outcome, InsertOutcome::inserted);

  store_->delete_input(kAccount, "i");
  reopen();
  EXPECT_EQ(store_->insert_input(full_input("j"), key).outcome, InsertOutcome::gone);
  const IdempotencyKey later{key.key, kNow + std::chrono::hours(6)};
  EXPECT_EQ(store_->insert_input(full_input("j"), later).outcome, InsertOutcome::inserted);
}

TEST_F(SqliteStoreTest, FilesAreTheOwnersAlone) {
  store_->insert_input(full_input("i"), {});
  for (const char* suffix : {"", "-wal", "-shm"}) {
    EXPECT_EQ(mode_of(file_.string() + suffix), 0600U) << suffix;
  }
  store_.reset();
  ASSERT_EQ(::chmod(file_.c_str(), 0644), 0);
  reopen();
  store_->insert_input(full_input("j"), {});
  for (const char* suffix : {"", "-wal", "-shm"}) {
    EXPECT_EQ(mode_of(file_.string() + suffix), 0600U) << suffix;
  }
}

TEST_F(SqliteStoreTest, DurableSettings) {
  store_->insert_input(full_input("i"), {});
  SQLite::Database other(file_.string(), SQLite::OPEN_READONLY);
  EXPECT_EQ(other.execAndGet("PRAGMA journal_mode").getString(), "wal");
  EXPECT_EQ(other.execAndGet("PRAGMA user_version").getInt(), 3);
  EXPECT_EQ(other.execAndGet("SELECT count(*) FROM live_inputs").getInt(), 1);  // committed, seen by others
}

TEST_F(SqliteStoreTest, NewerSchemaIsRefusedInWords) {
  store_.reset();
  SQLite::Database(file_.string(), SQLite::OPEN_READWRITE).exec("PRAGMA user_version = 1000");
  EXPECT_THAT(failure_to_open(), HasSubstr(file_.string()));
  EXPECT_THAT(failure_to_open(), HasSubstr("schema 1000"));
  EXPECT_THAT(failure_to_open(), HasSubstr("newer version"));
}

TEST_F(SqliteStoreTest, SchemaThatNoVersionMakesIsRefusedInWords) {
  store_.reset();
  SQLite::Database(file_.string(), SQLite::OPEN_READWRITE).exec("PRAGMA user_version = -1");
  EXPECT_THAT(failure_to_open(), HasSubstr("it has schema -1, which no version makes"));
}

TEST_F(SqliteStoreTest, DamagedRecordIsToldInWords) {
  const auto failure_with = [&](const std::string& column, const std::string& value) -> std::string {
    SQLite::Database(file_.string(), SQLite::OPEN_READWRITE)
        .exec("UPDATE live_inputs SET " + column + " = '" + value + "'");
    try {
      store_->everything(kAccount);
    } catch (const StoreError& error) {
      return error.what();
    }
    return "it was read";
  };
  store_->insert_input(full_input("i"), {});
  EXPECT_EQ(failure_with("meta", "{}"), "it was read");
  const std::string meta = "the record of live input i is damaged: its meta makes no sense";
  EXPECT_THAT(failure_with("meta", "{"), HasSubstr(meta));
  EXPECT_THAT(failure_with("meta", "[]"), HasSubstr(meta));
  EXPECT_THAT(failure_with("meta", "{"), HasSubstr("the database " + file_.string() + " is damaged: "));
  EXPECT_THAT(failure_with("meta", R"({"n": Infinity})"), HasSubstr(meta));
  failure_with("meta", "{}");
  const std::string origins = "the record of live input i is damaged: its allowed_origins makes no sense";
  EXPECT_THAT(failure_with("allowed_origins", R"({"a": 1})"), HasSubstr(origins));
  EXPECT_THAT(failure_with("allowed_origins", "[1]"), HasSubstr(origins));
}

TEST_F(SqliteStoreTest, WhatIsNoDatabaseIsRefusedAndKept) {
  store_.reset();
  std::ofstream(file_, std::ios::trunc) << std::string(4096, 'x');
  std::filesystem::remove(file_.string() + "-wal");
  EXPECT_THAT(failure_to_open(), HasSubstr("not a database"));
  EXPECT_THAT(failure_to_open(), HasSubstr("the database " + file_.string() + " is damaged: "));
  EXPECT_THAT(failure_to_open(), HasSubstr("put back a copy of it, or move it and"));
  EXPECT_EQ(std::filesystem::file_size(file_), 4096U);
}

// Its first page is good, so that it opens.
TEST_F(SqliteStoreTest, DamageFoundWhileReadingNamesTheFile) {
  for (int i = 0; i < 100; ++i) store_->insert_input(full_input(std::to_string(i)), {});
  store_.reset();
  const auto size = std::filesystem::file_size(file_);
  {
    std::fstream file(file_, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(4096);
    file << std::string(size - 4096, 'x');
  }
  std::string told = "it was read";
  try {
    SqliteStore(file_).everything(kAccount);
  } catch (const StoreError& error) {
    told = error.what();
    EXPECT_EQ(error.kind(), StoreError::Kind::damaged);
  }
  EXPECT_THAT(told, HasSubstr("the database " + file_.string() + " is damaged: "));
}

TEST_F(SqliteStoreTest, AFileOfNoBytesIsNotTakenForANewOneWhereThereWasOneBefore) {
  store_.reset();
  std::ofstream(file_, std::ios::trunc).close();
  EXPECT_NO_THROW(SqliteStore{file_});  // nothing tells of an earlier one
  std::ofstream(file_, std::ios::trunc).close();
  const auto refused = [&](bool expected) -> std::string {
    try {
      const SqliteStore store(file_, expected);
    } catch (const StoreError& error) {
      return error.what();
    }
    return "it was opened";
  };
  EXPECT_THAT(refused(true), HasSubstr("it has 0 bytes"));
  EXPECT_EQ(std::filesystem::file_size(file_), 0U);
  // What the log holds would be thrown away.
  std::ofstream(file_.string() + "-wal") << "x";
  EXPECT_THAT(refused(false), HasSubstr("it has 0 bytes"));
  EXPECT_EQ(std::filesystem::file_size(file_.string() + "-wal"), 1U);
  // Moved away, as the sentence says.
  std::filesystem::remove(file_);
  std::filesystem::remove(file_.string() + "-wal");
  EXPECT_EQ(refused(true), "it was opened");
}

TEST_F(SqliteStoreTest, MissingDirectoryIsToldInWords) {
  EXPECT_THROW(
      {
        try {
          SqliteStore store(directory_.path() / "absent" / "file.db");
        } catch (const StoreError& error) {
          EXPECT_THAT(error.what(), HasSubstr("No such file or directory"));
          throw;
        }
      },
      StoreError);
}

TEST_F(SqliteStoreTest, CheckWritesAndChangesNothing) {
  store_->insert_input(full_input("i"), {});
  store_->check_writable();
  EXPECT_EQ(store_->inputs(kAccount).size(), 1U);
  SQLite::Database other(file_.string(), SQLite::OPEN_READONLY);
  EXPECT_EQ(other.execAndGet("SELECT writes FROM write_check").getInt(), 1);
}

// Files may grow no more: as on a broken disk, every write fails. Reading goes on, and nothing half-written
// is seen.
TEST_F(SqliteStoreTest, FailedWriteLeavesEverythingAsItWas) {
  store_->insert_input(full_input("i"), {});
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit none = before;
  none.rlim_cur = 0;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &none), 0);
  EXPECT_THROW(store_->insert_input(full_input("j"), IdempotencyKey{"k", kNow}), StoreError);
  EXPECT_THROW(store_->check_writable(), StoreError);
  EXPECT_EQ(store_->inputs(kAccount).size(), 1U);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, old_handler);

  EXPECT_EQ(store_->insert_input(full_input("j"), IdempotencyKey{"k", kNow}).outcome,
            InsertOutcome::inserted);
  EXPECT_EQ(store_->inputs(kAccount).size(), 2U);
}

}  // namespace

}  // namespace simulcast::control::test
