// The tables, as a list of steps: step N brings a database of schema N-1 to N. A step that has been released
// is never changed; the next change of the tables is a new step.
#pragma once

namespace SQLite {
class Database;
}

namespace simulcast::control {

// Runs what is missing, each step in a transaction of its own. Throws StoreError when the database is of a
// schema newer than the newest step, SQLite::Exception when a step fails.
void migrate(SQLite::Database& database);

}  // namespace simulcast::control
