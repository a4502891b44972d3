// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rows from and to the memory. Numbers that cannot be are not believed: a file
// may be damaged where SQLite does not see it.

#include "runtime/Scheduler/HistoryTables.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <time.h>

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
    {"near_gbytes_per_second",
     &sparkle_device_performance_t::near_gbytes_per_second},
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

int64_t getTime() {
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
  row.bind(int64_t(maxHistoryRows));
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
  device.bind(int64_t(maxHistoryRows));
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
      found.performance.*number.field = row.number(0);
      ++count;
    }
    if (count == std::size(numbers) && canBeKept(found.performance))
      contents.devices.push_back(std::move(found));
  }
}

bool canBeKept(const sparkle_device_performance_t &performance) {
  for (const Number &number : numbers) {
    double value = performance.*number.field;
    if (!(value >= 0 && value < 1e18))
      return false;
  }
  return true;
}

/// Drops what has not changed for longest.
static void drop(Database &database, const char *statement) {
  Statement drop(database, statement);
  drop.bind(int64_t(maxHistoryRows)).next();
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

void createTables(Database &database) { database.run(tables); }

bool hasTables(Database &database) {
  Statement statement(database,
                      "SELECT group_concat(sql, ';') FROM sqlite_master");
  return statement.next() && statement.text(0) == tables;
}

void readTables(Database &database, HistoryBatch &contents) {
  readRuns(database, contents);
  readDevices(database, contents);
}

void mergeTables(Database &database, HistoryBatch &batch) {
  int64_t now = getTime();
  mergeRuns(database, batch.runs, now);
  mergeDevices(database, batch.devices, now);
}

} // namespace sparkle::runtime
