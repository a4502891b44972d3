// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the scheduler's devices do, shown while they do it.

#ifndef SPARKLE_TOOLS_SPARKLE_RUN_COMMAND_TOP_H
#define SPARKLE_TOOLS_SPARKLE_RUN_COMMAND_TOP_H

#include "tools/sparkle-run/Execution/Scheduler.h"

#include <condition_variable>
#include <mutex>
#include <thread>

namespace sparkle {

/// On a terminal a table in one place, elsewhere lines now and then, on the
/// standard error stream, from a thread of its own.
class Top {
public:
  explicit Top(const Scheduler &scheduler);
  ~Top(); ///< Shows how it ended.

  /// What is run now, of how many.
  void setTitle(size_t done, size_t count, const std::string &what);

private:
  void watch();
  void show(const std::string &title);

  const Scheduler &scheduler;
  const bool isTerminal;
  size_t lines = 0; ///< Of the table on the terminal.
  std::mutex mutex;
  std::condition_variable changed;
  std::string title;
  bool isOver = false;
  std::thread watcher;
};

} // namespace sparkle

#endif // SPARKLE_TOOLS_SPARKLE_RUN_COMMAND_TOP_H
