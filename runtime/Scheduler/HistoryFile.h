// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The file of the history: read once, and merged with what is new. It is open
// only meanwhile. A bad one is set aside and a new one begun.

#ifndef SPARKLE_RUNTIME_SCHEDULER_HISTORYFILE_H
#define SPARKLE_RUNTIME_SCHEDULER_HISTORYFILE_H

#include "runtime/Scheduler/History.h"
#include "runtime/Scheduler/Sqlite.h"

#include <functional>
#include <vector>

namespace sparkle::runtime {

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

/// Used by one thread at a time; any number of processes share the file.
class HistoryFile {
public:
  /// Rows of each table; those that have not changed for longest go first.
  static constexpr size_t maxRows = 4096;

  /// library: opened.
  HistoryFile(const std::string &folder, const Settings &settings,
              const SqliteLibrary &library)
      : folder(folder), path(folder + "/history.sqlite"), settings(settings),
        library(library) {}

  /// Everything that the file has, the latest first. OK if there is none.
  Status read(HistoryBatch &contents);
  /// All of it is in the file, or nothing.
  Status merge(HistoryBatch &batch);

private:
  enum class Access { Read, Write };
  using Work = std::function<void(Database &)>;

  Status use(Access access, const Work &work);
  Status attempt(Access access, const Work &work, bool &isDamaged) const;
  void transact(Database &database, Access access, const Work &work) const;
  bool prepare(Database &database, Access access) const;
  void checkContents(Database &database) const;
  Status setAside();
  Status rename(const std::string &name) const;

  const std::string folder, path;
  const Settings settings;
  const SqliteLibrary library;
  bool hasSetAside = false;
};

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_SCHEDULER_HISTORYFILE_H
