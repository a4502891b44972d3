// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The tables of the history, and what goes to and from them.

#ifndef SPARKLE_RUNTIME_SCHEDULER_HISTORYTABLES_H
#define SPARKLE_RUNTIME_SCHEDULER_HISTORYTABLES_H

#include "runtime/Scheduler/History.h"
#include "runtime/Scheduler/Sqlite.h"

#include <vector>

namespace sparkle::runtime {

/// Of each table; those that have not changed for longest go first.
constexpr size_t maxHistoryRows = 4096;

/// Times that the file does not have yet, in their order.
class NewTimes {
public:
  void add(double nanoseconds);
  /// Those that came later.
  void append(const NewTimes &later);
  void applyTo(Statistics &statistics) const;
  bool isEmpty() const { return times.empty(); }

private:
  void shorten();

  std::vector<double> times; // the last ones
  uint64_t forgotten = 0;    // earlier ones, whose effect is gone
};

struct DeviceNumbers {
  std::string device;
  sparkle_device_performance_t performance;
};

/// What goes to the file. Afterwards the statistics are those that it has now.
struct HistoryBatch {
  struct Run {
    HistoryKey key;
    Statistics statistics; // as this process knows them
    NewTimes times;        // those in it that the file lacks
  };
  std::vector<Run> runs;
  std::vector<DeviceNumbers> devices;

  bool isEmpty() const { return runs.empty() && devices.empty(); }
};

/// Whether these numbers can be what was measured.
bool canBeKept(const sparkle_device_performance_t &performance);

void createTables(Database &database);
/// Whether these are its tables, by the text that made them.
bool hasTables(Database &database);
/// Everything, the latest first.
void readTables(Database &database, HistoryBatch &contents);
void mergeTables(Database &database, HistoryBatch &batch);

/// Milliseconds since 1970.
int64_t getTime();

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_SCHEDULER_HISTORYTABLES_H
