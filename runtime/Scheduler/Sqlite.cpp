// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Opens the library and files, and says what went wrong.

#include "runtime/Scheduler/Sqlite.h"

#include <cstdlib>
#include <dlfcn.h>
#include <fcntl.h>
#include <unistd.h>

namespace sparkle::runtime {

/// How long another process may keep the file to itself, in milliseconds. A
/// transaction takes some, but SQLite is not fair to those who wait.
static constexpr int patience = 5000;

Status SqliteLibrary::open() {
  const char *path = std::getenv("SPARKLE_SQLITE_LIBRARY");
  if (!path || !*path)
    path = "libsqlite3.so.0";
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (!library) {
    const char *reason = dlerror();
    return Status::failure(SPARKLE_UNAVAILABLE,
                           "expected libsqlite3, but got: %s",
                           reason ? reason : path);
  }
  const char *missing = nullptr;
#define SQLITE_ENTRY(name)                                                     \
  name = reinterpret_cast<decltype(&::sqlite3_##name)>(                        \
      dlsym(library, "sqlite3_" #name));                                       \
  if (!name && !missing)                                                       \
    missing = "sqlite3_" #name;
#include "runtime/Scheduler/Sqlite.def"
  dlclose(library); // it stays all the same
  if (missing)
    return Status::failure(SPARKLE_UNAVAILABLE,
                           "expected libsqlite3, but got '%s' without %s", path,
                           missing);
  if (!threadsafe())
    return Status::failure(SPARKLE_UNAVAILABLE,
                           "expected libsqlite3, but got '%s' for one thread",
                           path);
  return {};
}

//===----------------------------------------------------------------------===//
// Files
//===----------------------------------------------------------------------===//

void Database::open(const std::string &path, Mode mode) {
  this->path = path;
  // Used by one thread at a time.
  int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX |
              (mode == Mode::Create ? SQLITE_OPEN_CREATE : 0);
  check(sqlite.open_v2(path.c_str(), &handle, flags, nullptr));
  if (isOk())
    check(sqlite.busy_timeout(handle, patience));
  // A file that is cut off under a mapping would end the process. Nothing of a
  // foreign file's is executed. Losing power may lose what came last.
  run("PRAGMA mmap_size = 0;"
      "PRAGMA trusted_schema = OFF;"
      "PRAGMA cell_size_check = ON;"
      "PRAGMA temp_store = MEMORY;"
      "PRAGMA synchronous = NORMAL");
}

void Database::close() {
  if (handle)
    sqlite.close(handle);
  handle = nullptr;
}

void Database::run(const char *text) {
  if (isOk())
    check(sqlite.exec(handle, text, nullptr, nullptr, nullptr));
}

void Database::reject(const Status &reason) {
  damaged = damaged || isOk();
  refuse(reason);
}

void Database::refuse(const Status &reason) {
  if (isOk())
    failure = reason;
}

void Database::check(int code) {
  if (code == SQLITE_OK || code == SQLITE_ROW || code == SQLITE_DONE || !isOk())
    return;
  int kind = code & 0xff;
  const char *text = handle ? sqlite.errmsg(handle) : sqlite.errstr(code);
  // To a header that it does not understand, SQLite says that it may not write.
  damaged = kind == SQLITE_CORRUPT || kind == SQLITE_NOTADB ||
            (kind == SQLITE_READONLY &&
             faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) == 0);
  if (damaged)
    failure = Status::failure(SPARKLE_FILE,
                              "expected a file of SQLite's that is whole, but "
                              "got '%s': %s",
                              path.c_str(), text);
  else
    failure = Status::failure(
        kind == SQLITE_BUSY ? SPARKLE_TIMEOUT : SPARKLE_FILE,
        "expected to use '%s', but got: %s", path.c_str(), text);
}

//===----------------------------------------------------------------------===//
// Statements
//===----------------------------------------------------------------------===//

Statement::Statement(Database &database, const char *text)
    : database(database), sqlite(database.sqlite) {
  if (database.isOk())
    database.check(
        sqlite.prepare_v2(database.handle, text, -1, &handle, nullptr));
}

Statement::~Statement() {
  if (handle)
    sqlite.finalize(handle);
}

Statement &Statement::bind(int64_t value) {
  if (database.isOk())
    database.check(sqlite.bind_int64(handle, ++bound, value));
  return *this;
}

Statement &Statement::bind(double value) {
  if (database.isOk())
    database.check(sqlite.bind_double(handle, ++bound, value));
  return *this;
}

Statement &Statement::bind(const std::string &value) {
  if (database.isOk())
    database.check(sqlite.bind_text(handle, ++bound, value.data(),
                                    static_cast<int>(value.size()),
                                    SQLITE_TRANSIENT));
  return *this;
}

bool Statement::next() {
  if (!database.isOk())
    return false;
  int code = sqlite.step(handle);
  database.check(code);
  return code == SQLITE_ROW;
}

void Statement::reset() {
  bound = 0;
  if (handle)
    sqlite.reset(handle); // says again what next() has said
}

int64_t Statement::integer(int column) const {
  return sqlite.column_int64(handle, column);
}

double Statement::number(int column) const {
  return sqlite.column_double(handle, column);
}

std::string Statement::text(int column) const {
  auto text =
      reinterpret_cast<const char *>(sqlite.column_text(handle, column));
  return text ? text : "";
}

} // namespace sparkle::runtime
