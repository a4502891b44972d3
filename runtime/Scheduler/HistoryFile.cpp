// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Transactions on the file, and what to do if it is not ours or not whole.

#include "runtime/Scheduler/HistoryFile.h"
#include "runtime/CacheFolder.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

namespace sparkle::runtime {

/// Changes with the tables. What has another one is set aside.
static constexpr int64_t formatVersion = 1;
/// "SPKL" as a number: PRAGMA application_id.
static constexpr int64_t applicationId = 0x53504b4c;

Status HistoryFile::read(HistoryBatch &contents) {
  return use(Access::Read, [&](Database &database) {
    HistoryBatch found;
    checkContents(database);
    readTables(database, found);
    if (database.isOk())
      contents = std::move(found);
  });
}

Status HistoryFile::merge(HistoryBatch &batch) {
  if (!makeFolders(path))
    return Status::failure(SPARKLE_FILE,
                           "expected to make the folder '%s', but got: %s",
                           folder.c_str(), std::strerror(errno));
  HistoryBatch merged;
  Status status = use(Access::Write, [&](Database &database) {
    merged = batch;
    mergeTables(database, merged);
  });
  if (status.isOk())
    batch = std::move(merged);
  return status;
}

//===----------------------------------------------------------------------===//
// Good and bad files
//===----------------------------------------------------------------------===//

/// One number that a statement results in.
static int64_t ask(Database &database, const char *text) {
  Statement statement(database, text);
  return statement.next() ? statement.integer(0) : 0;
}

static void writeMarks(Database &database) {
  std::string text =
      "PRAGMA application_id = " + std::to_string(applicationId) +
      "; PRAGMA user_version = " + std::to_string(formatVersion);
  database.run(text.c_str());
}

/// False if there is nothing yet to work on.
bool HistoryFile::prepare(Database &database, Access access) const {
  int64_t id = ask(database, "PRAGMA application_id");
  int64_t version = ask(database, "PRAGMA user_version");
  int64_t count = ask(database, "SELECT count(*) FROM sqlite_master");
  if (!database.isOk())
    return false;
  if (id == 0 && version == 0 && count == 0) {
    if (access == Access::Read)
      return false;
    writeMarks(database);
    createTables(database);
    return database.isOk();
  }
  if (id != applicationId)
    database.reject(Status::failure(
        SPARKLE_FILE, "expected '%s' to be a history, but got another file",
        path.c_str()));
  else if (version != formatVersion)
    database.reject(Status::failure(
        SPARKLE_FILE,
        "expected '%s' to be a history of version %lld, but got version %lld",
        path.c_str(), static_cast<long long>(formatVersion),
        static_cast<long long>(version)));
  else if (!hasTables(database))
    database.reject(Status::failure(
        SPARKLE_FILE,
        "expected '%s' to have the tables of a history, but got others",
        path.c_str()));
  return database.isOk();
}

/// Looks at every page, which takes some milliseconds.
void HistoryFile::checkContents(Database &database) const {
  Statement check(database, "PRAGMA quick_check(1)");
  std::string result = check.next() ? check.text(0) : "";
  if (database.isOk() && result != "ok")
    database.reject(Status::failure(SPARKLE_FILE,
                                    "expected '%s' to be whole, but got: %s",
                                    path.c_str(), result.c_str()));
}

void HistoryFile::transact(Database &database, Access access,
                           const Work &work) const {
  struct stat file;
  bool exists = stat(path.c_str(), &file) == 0;
  if (!exists && access == Access::Read)
    return; // why it does not is said when it is to be written
  if (exists && !S_ISREG(file.st_mode))
    return database.refuse(Status::failure(
        SPARKLE_FILE, "expected '%s' to be a file, but got %s", path.c_str(),
        S_ISDIR(file.st_mode) ? "a folder" : "something else"));
  database.open(path, access == Access::Write ? Database::Mode::Create
                                              : Database::Mode::Existing);
  // Who is to write has to be the only one from the first read on.
  database.run(access == Access::Write ? "BEGIN IMMEDIATE" : "BEGIN");
  if (prepare(database, access))
    work(database);
  database.run("COMMIT");
}

namespace {

/// Nobody renames the file while another process has it open: SQLite would take
/// the journal of the new one for that of the old one. Shared by those who use
/// the file, exclusive for whoever replaces it.
class FolderLock {
public:
  FolderLock(const std::string &folder, int operation)
      : descriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    const timespec pause = {0, 10000000};
    // As patient as with the file. Waiting in the system could be for ever.
    for (int i = 0; i < 500 && !isHeld; ++i) {
      isHeld = flock(descriptor, operation | LOCK_NB) == 0;
      error = isHeld ? 0 : errno;
      if (error != EWOULDBLOCK)
        return;
      nanosleep(&pause, nullptr);
    }
  }
  FolderLock(const FolderLock &) = delete;
  ~FolderLock() {
    if (descriptor < 0)
      return;
    // A process that was forked meanwhile has the same one.
    flock(descriptor, LOCK_UN);
    close(descriptor);
  }

  Status makeStatus(const std::string &folder) const {
    return Status::failure(error == EWOULDBLOCK ? SPARKLE_TIMEOUT
                                                : SPARKLE_FILE,
                           "expected to lock the folder '%s', but got: %s",
                           folder.c_str(), std::strerror(error));
  }

  int descriptor;
  bool isHeld = false;
  int error = 0;
};

} // namespace

Status HistoryFile::attempt(Access access, const Work &work,
                            bool &isDamaged) const {
  FolderLock lock(folder, LOCK_SH);
  // Where there are no such locks, nobody can get the other one either.
  if (lock.error == EWOULDBLOCK)
    return lock.makeStatus(folder);
  Database database(library);
  transact(database, access, work);
  isDamaged = database.isDamaged();
  return database.status();
}

Status HistoryFile::use(Access access, const Work &work) {
  bool isDamaged = false;
  Status status = attempt(access, work, isDamaged);
  // Once is enough: two versions at work would do so for ever.
  if (!isDamaged || hasSetAside)
    return status;
  settings.log(1, "%s", status.message());
  if (Status status = setAside(); !status.isOk())
    return status;
  return attempt(access, work, isDamaged);
}

Status HistoryFile::rename(const std::string &name) const {
  // A journal belongs to its file: a new one would be rolled back with it.
  for (const char *suffix : {"-journal", "-wal", "-shm", ""})
    if (std::rename((path + suffix).c_str(), (name + suffix).c_str()) != 0 &&
        errno != ENOENT)
      return Status::failure(SPARKLE_FILE,
                             "expected to rename '%s', but got: %s",
                             path.c_str(), std::strerror(errno));
  settings.log(1, "it is now '%s'", name.c_str());
  return {};
}

/// Only if it is still bad once no other process is at it.
Status HistoryFile::setAside() {
  FolderLock lock(folder, LOCK_EX);
  if (!lock.isHeld)
    return lock.makeStatus(folder);
  Database database(library);
  transact(database, Access::Write, [&](Database &database) {
    checkContents(database);
    HistoryBatch contents;
    readTables(database, contents);
    writeMarks(database); // some of what forbids to write shows only then
  });
  if (!database.isDamaged())
    return database.status();
  hasSetAside = true;
  char suffix[64];
  std::snprintf(suffix, sizeof(suffix), ".%ld-%lld",
                static_cast<long>(getpid()), static_cast<long long>(getTime()));
  return rename(path + suffix);
}

} // namespace sparkle::runtime
