// Where the wanted state is kept: live inputs, their outputs, and the keys that make creating safe to repeat.
//
// Lives on the control thread; every call is synchronous, and when a writing call has returned, its effect
// survives a crash. Small on purpose, so that another database can stand in for SQLite. Calls throw
// StoreError when the store itself fails; everything that a well-working store can answer is a value.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "control/store/records.hpp"

namespace simulcast::control {

class StoreError : public std::runtime_error {
 public:
  enum class Kind {
    failed,
    full,     // no room left on the disk
    damaged,  // what is there makes no sense; the message says where, and what to do
  };
  explicit StoreError(const std::string& message, Kind kind = Kind::failed)
      : std::runtime_error(message), kind_(kind) {}
  Kind kind() const { return kind_; }

 private:
  Kind kind_;
};

// Makes an insert safe to repeat: while the key is remembered, the same key gives the same record back. Keys
// of inputs count per account, keys of outputs per input.
struct IdempotencyKey {
  static constexpr std::chrono::hours kLifetime{6};
  static constexpr std::size_t kMaxBytes = 255;

  std::string key;
  Timestamp now;  // remembered until now + kLifetime; what has expired by `now` is forgotten
};

enum class InsertOutcome {
  inserted,
  repeated,       // the key was seen before; `record` is what it made then
  gone,           // the key was seen before, but what it made has been deleted
  limit_reached,  // outputs only: the input has as many as it may have
  no_input,       // outputs only: there is no such input
};

template <class Record>
struct InsertResult {
  InsertOutcome outcome;
  std::optional<Record> record;  // with `inserted` and `repeated`
};

class Store {
 public:
  virtual ~Store() = default;

  // Everything of an account with one sweep, for start-up. Lists are in the order of creation.
  virtual std::vector<WantedInput> everything(std::string_view account) = 0;

  virtual std::vector<LiveInput> inputs(std::string_view account) = 0;
  virtual std::optional<LiveInput> input(std::string_view account, std::string_view uid) = 0;
  virtual InsertResult<LiveInput> insert_input(const LiveInput& input,
                                               const std::optional<IdempotencyKey>& key) = 0;
  // Takes effect only while the stored record is still of `input.revision`; false: changed or deleted
  // meanwhile.
  virtual bool update_input(const LiveInput& input) = 0;
  // Its outputs go with it. False: there is none.
  virtual bool delete_input(std::string_view account, std::string_view uid) = 0;

  virtual std::vector<Output> outputs(std::string_view input_uid) = 0;
  virtual std::optional<Output> output(std::string_view input_uid, std::string_view uid) = 0;
  // `limit`: how many outputs the input may have, this one included.
  virtual InsertResult<Output> insert_output(const Output& output, std::size_t limit,
                                             const std::optional<IdempotencyKey>& key) = 0;
  // As update_input().
  virtual bool update_output(const Output& output) = 0;
  virtual bool delete_output(std::string_view input_uid, std::string_view uid) = 0;

  // Writes something that changes nothing; throws when that fails.
  virtual void check_writable() = 0;
};

}  // namespace simulcast::control
