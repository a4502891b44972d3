// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The file of the history: read once, and merged with what is new. It is open
// only meanwhile. A bad one is set aside and a new one begun.

#ifndef SPARKLE_RUNTIME_SCHEDULER_HISTORYFILE_H
#define SPARKLE_RUNTIME_SCHEDULER_HISTORYFILE_H

#include "runtime/Scheduler/HistoryTables.h"

#include <functional>

namespace sparkle::runtime {

/// Used by one thread at a time; any number of processes share the file.
class HistoryFile {
public:
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
