// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The seam to SQLite: opened at run time, with the table of the functions that
// the runtime calls. No other file names the library.

#ifndef SPARKLE_RUNTIME_SCHEDULER_SQLITE_H
#define SPARKLE_RUNTIME_SCHEDULER_SQLITE_H

#include "runtime/Status.h"

#include <sqlite3.h>
#include <string>

namespace sparkle::runtime {

/// The opened library, which stays loaded, and the functions of Sqlite.def.
struct SqliteLibrary {
#define SQLITE_ENTRY(name) decltype(&::sqlite3_##name) name = nullptr;
#include "runtime/Scheduler/Sqlite.def"

  /// SPARKLE_UNAVAILABLE and what is missing if there is none.
  Status open();
};

/// An opened file. After the first failure nothing more is done with it. Used
/// by one thread at a time; what is not committed is undone at its end.
class Database {
public:
  explicit Database(const SqliteLibrary &library) : sqlite(library) {}
  Database(const Database &) = delete;
  Database &operator=(const Database &) = delete;
  ~Database() { close(); }

  enum class Mode { Existing, Create };
  void open(const std::string &path, Mode mode);
  void close();
  /// Statements without results.
  void run(const char *text);

  bool isOk() const { return failure.isOk(); }
  const Status &status() const { return failure; }
  /// The file is the reason of the failure, not its surroundings.
  bool isDamaged() const { return damaged; }
  /// What the file holds is not what it should be.
  void reject(const Status &reason);
  /// It cannot be used for a reason of the caller's.
  void refuse(const Status &reason);

private:
  friend class Statement;
  void check(int code);

  const SqliteLibrary &sqlite;
  std::string path;
  sqlite3 *handle = nullptr;
  Status failure;
  bool damaged = false;
};

/// A statement with parameters and rows. It ends before its database.
class Statement {
public:
  Statement(Database &database, const char *text);
  Statement(const Statement &) = delete;
  Statement &operator=(const Statement &) = delete;
  ~Statement();

  /// The next parameter.
  Statement &bind(int64_t value);
  Statement &bind(double value);
  Statement &bind(const std::string &value);
  /// Goes to the next row; false at the end or after a failure.
  bool next();
  /// Once more from the beginning, with other parameters.
  void reset();

  int64_t integer(int column) const;
  double number(int column) const;
  std::string text(int column) const;

private:
  Database &database;
  const SqliteLibrary &sqlite;
  sqlite3_stmt *handle = nullptr;
  int bound = 0;
};

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_SCHEDULER_SQLITE_H
