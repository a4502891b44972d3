// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Transactions on the file, and what to do if it is not ours or not whole.

#include "runtime/Scheduler/HistoryFile.h"
#include "runtime/CacheFolder.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <iterator>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

namespace sparkle::runtime {

//===----------------------------------------------------------------------===//
// New times
//===----------------------------------------------------------------------===//

/// 256 times later less than a millionth is left of a time's weight.
static constexpr size_t maxTimes = 256;

void NewTimes::add(double nanoseconds) {
  times.push_back(nanoseconds);
  if (times.size() >= 2 * maxTimes)
    shorten();
}

void NewTimes::append(const NewTimes &later) {
  times.insert(times.end(), later.times.begin(), later.times.end());
  forgotten += later.forgotten;
  shorten();
}

void NewTimes::shorten() {
  if (times.size() <= maxTimes)
    return;
  size_t excess = times.size() - maxTimes;
  times.erase(times.begin(),
              times.begin() + static_cast<std::ptrdiff_t>(excess));
  forgotten += excess;
}

void NewTimes::applyTo(Statistics &statistics) const {
  statistics = Statistics(statistics.count() + forgotten, statistics.mean(),
                          statistics.deviation(), statistics.last(),
                          statistics.strayCount(), statistics.strayMean());
  for (double nanoseconds : times)
    statistics.add(nanoseconds);
}

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

/// Changes with any of the tables. What has another one is set aside.
static constexpr int64_t formatVersion = 1;
/// "SPKL" as a number: PRAGMA application_id.
static constexpr int64_t applicationId = 0x53504b4c;

static constexpr const char *tables =
    "CREATE TABLE runs ("
    "  device TEXT NOT NULL, kernel INTEGER NOT NULL, pattern INTEGER NOT NULL,"
    "  shape INTEGER NOT NULL, is_part INTEGER NOT NULL,"
    "  count INTEGER NOT NULL, mean_ns REAL NOT NULL,"
    "  deviation_ns REAL NOT NULL, last_ns REAL NOT NULL,"
    "  strays INTEGER NOT NULL, stray_ns REAL NOT NULL,"
    "  changed INTEGER NOT NULL,"
    "  UNIQUE (device, kernel, pattern, shape, is_part));"
    "CREATE TABLE numbers ("
    "  device TEXT NOT NULL, name TEXT NOT NULL, value REAL NOT NULL,"
    "  changed INTEGER NOT NULL,"
    "  UNIQUE (device, name))";

namespace {

/// Those of a device are rows, so that one more needs no other version.
struct Number {
  const char *name;
  double sparkle_device_performance_t::*field;
};

constexpr Number numbers[] = {
    {"gflops", &sparkle_device_performance_t::gflops},
    {"gbytes_per_second", &sparkle_device_performance_t::gbytes_per_second},
    {"copy_gbytes_per_second",
     &sparkle_device_performance_t::copy_gbytes_per_second},
    {"launch_ns", &sparkle_device_performance_t::launch_ns},
};
static_assert(sizeof(sparkle_device_performance_t) ==
                  std::size(numbers) * sizeof(double),
              "every number is kept");

} // namespace

static int64_t toSigned(uint64_t value) {
  int64_t result;
  std::memcpy(&result, &value, sizeof(result));
  return result;
}

static uint64_t toUnsigned(int64_t value) {
  uint64_t result;
  std::memcpy(&result, &value, sizeof(result));
  return result;
}

/// Milliseconds since 1970.
static int64_t getTime() {
  timespec time;
  clock_gettime(CLOCK_REALTIME, &time);
  return int64_t(time.tv_sec) * 1000 + time.tv_nsec / 1000000;
}

static void bindKey(Statement &statement, const HistoryKey &key) {
  statement.bind(key.device)
      .bind(toSigned(key.kernel))
      .bind(toSigned(key.pattern))
      .bind(toSigned(key.shape))
      .bind(int64_t(key.isPart));
}

/// Six columns, from `column` on.
static Statistics readStatistics(const Statement &row, int column) {
  int64_t count = row.integer(column), strays = row.integer(column + 4);
  return Statistics(toUnsigned(std::max<int64_t>(count, 0)),
                    row.number(column + 1), row.number(column + 2),
                    row.number(column + 3),
                    static_cast<uint32_t>(std::clamp<int64_t>(strays, 0, 99)),
                    row.number(column + 5));
}

static void readRuns(Database &database, HistoryBatch &contents) {
  Statement row(
      database,
      "SELECT device, kernel, pattern, shape, is_part, count, mean_ns,"
      " deviation_ns, last_ns, strays, stray_ns FROM runs"
      " ORDER BY changed DESC LIMIT ?");
  row.bind(int64_t(HistoryFile::maxRows));
  while (row.next()) {
    HistoryBatch::Run run;
    run.key.device = row.text(0);
    run.key.kernel = toUnsigned(row.integer(1));
    run.key.pattern = toUnsigned(row.integer(2));
    run.key.shape = toUnsigned(row.integer(3));
    run.key.isPart = row.integer(4) != 0;
    run.statistics = readStatistics(row, 5);
    if (run.statistics.count())
      contents.runs.push_back(std::move(run));
  }
}

/// A device counts if all of its numbers are there.
static void readDevices(Database &database, HistoryBatch &contents) {
  Statement device(database, "SELECT DISTINCT device FROM numbers LIMIT ?");
  device.bind(int64_t(HistoryFile::maxRows));
  Statement row(database,
                "SELECT value FROM numbers WHERE device = ? AND name = ?");
  while (device.next()) {
    DeviceNumbers found = {device.text(0), {}};
    size_t count = 0;
    for (const Number &number : numbers) {
      row.reset();
      row.bind(found.device).bind(std::string(number.name));
      if (!row.next())
        break;
      double value = row.number(0);
      found.performance.*number.field = value;
      count += value >= 0 && value < 1e18;
    }
    if (count == std::size(numbers))
      contents.devices.push_back(std::move(found));
  }
}

/// Drops what has not changed for longest.
static void drop(Database &database, const char *statement) {
  Statement drop(database, statement);
  drop.bind(int64_t(HistoryFile::maxRows)).next();
}

static void mergeRuns(Database &database, std::vector<HistoryBatch::Run> &runs,
                      int64_t now) {
  Statement find(
      database, "SELECT count, mean_ns, deviation_ns, last_ns, strays, stray_ns"
                " FROM runs WHERE device = ? AND kernel = ? AND pattern = ?"
                " AND shape = ? AND is_part = ?");
  Statement write(database, "INSERT OR REPLACE INTO runs VALUES"
                            " (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  for (HistoryBatch::Run &run : runs) {
    find.reset();
    bindKey(find, run.key);
    Statistics kept = find.next() ? readStatistics(find, 0) : Statistics();
    // What the file has lost is known here.
    if (kept.count()) {
      run.times.applyTo(kept);
      run.statistics = kept;
    }
    write.reset();
    bindKey(write, run.key);
    write.bind(toSigned(run.statistics.count()))
        .bind(run.statistics.mean())
        .bind(run.statistics.deviation())
        .bind(run.statistics.last())
        .bind(int64_t(run.statistics.strayCount()))
        .bind(run.statistics.strayMean())
        .bind(now)
        .next();
  }
  drop(database, "DELETE FROM runs WHERE rowid IN (SELECT rowid FROM runs"
                 " ORDER BY changed DESC, rowid DESC LIMIT -1 OFFSET ?)");
}

static void mergeDevices(Database &database,
                         const std::vector<DeviceNumbers> &devices,
                         int64_t now) {
  Statement write(database,
                  "INSERT OR REPLACE INTO numbers VALUES (?, ?, ?, ?)");
  for (const DeviceNumbers &device : devices)
    for (const Number &number : numbers) {
      write.reset();
      write.bind(device.device)
          .bind(std::string(number.name))
          .bind(device.performance.*number.field)
          .bind(now)
          .next();
    }
  drop(database, "DELETE FROM numbers WHERE rowid IN (SELECT rowid FROM numbers"
                 " ORDER BY changed DESC, rowid DESC LIMIT -1 OFFSET ?)");
}

Status HistoryFile::read(HistoryBatch &contents) {
  return use(Access::Read, [&](Database &database) {
    HistoryBatch found;
    checkContents(database);
    readRuns(database, found);
    readDevices(database, found);
    if (database.isOk())
      contents = std::move(found);
  });
}

Status HistoryFile::merge(HistoryBatch &batch) {
  if (!makeFolders(path))
    return Status::failure(SPARKLE_FILE,
                           "expected to make the folder '%s', but got: %s",
                           folder.c_str(), std::strerror(errno));
  int64_t now = getTime();
  HistoryBatch merged;
  Status status = use(Access::Write, [&](Database &database) {
    merged = batch;
    mergeRuns(database, merged.runs, now);
    mergeDevices(database, merged.devices, now);
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

/// The text that made them.
static std::string readTables(Database &database) {
  Statement statement(database,
                      "SELECT group_concat(sql, ';') FROM sqlite_master");
  return statement.next() ? statement.text(0) : "";
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
    database.run(tables);
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
  else if (readTables(database) != tables)
    database.reject(Status::failure(
        SPARKLE_FILE,
        "expected '%s' to have the tables of a history, but got "
        "others",
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
    for (int i = 0; i < 200 && !isHeld; ++i) {
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
    readRuns(database, contents);
    readDevices(database, contents);
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
