// Records to and from rows: the column lists, and binding and reading in just that order.
#pragma once

#include <SQLiteCpp/Statement.h>

#include <optional>
#include <stdexcept>
#include <string_view>

#include "control/store/records.hpp"

namespace simulcast::control {

// For SELECT and INSERT.
extern const std::string_view kInputColumns;
extern const std::string_view kInputValues;  // a parameter for each
extern const std::string_view kOutputColumns;
extern const std::string_view kOutputValues;

// A row holds something that is never written.
class DamagedRecord : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Throw DamagedRecord.
LiveInput read_input(SQLite::Statement& row);
Output read_output(SQLite::Statement& row);

// Binds all columns from parameter 1 on; gives the number of the next parameter.
int bind_record(SQLite::Statement& statement, const LiveInput& input);
int bind_record(SQLite::Statement& statement, const Output& output);

// A prepared statement in use: left reset, whatever happens.
class Query {
 public:
  explicit Query(SQLite::Statement& statement) : statement_(statement) {}
  ~Query() { statement_.tryReset(); }
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

  Query& bind(std::string_view text);
  Query& bind(std::int64_t number);
  Query& bind_blob(std::string_view bytes);
  template <class Record>
  Query& bind_record(const Record& record) {
    next_ = control::bind_record(statement_, record);
    return *this;
  }

  bool step() { return statement_.executeStep(); }
  int exec() { return statement_.exec(); }  // rows changed
  SQLite::Statement& row() { return statement_; }

 private:
  SQLite::Statement& statement_;
  int next_ = 1;
};

}  // namespace simulcast::control
