// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Threads that nobody joins, and the clock. std::thread would abort when the
// system has no thread left, as there are no exceptions here.

#ifndef SPARKLE_RUNTIME_THREAD_H
#define SPARKLE_RUNTIME_THREAD_H

#include "runtime/Status.h"

#include <unistd.h>

namespace sparkle::runtime {

/// Runs `run(argument)` in a thread of its own, which ends when that returns,
/// or with the process. SPARKLE_OUT_OF_RESOURCES if the system has no thread
/// left; nothing runs then.
Status startThread(void (*run)(void *argument), void *argument);

/// Such a thread's calls of a driver, and what has to come behind them. When
/// the process ends, drivers and layers take themselves apart: the end waits
/// for what is under way, and `begin` never returns after it.
class DriverCall {
public:
  DriverCall() { begin(); }
  DriverCall(const DriverCall &) = delete;
  ~DriverCall() { end(); }

  static void begin();
  /// For another thread, which ends it; false if the process is ending.
  [[nodiscard]] static bool tryBegin();
  static void end();
};

/// The process that an object's threads and files belong to. One that was
/// forked from it has a copy of the object, but neither may be used there.
class OwnerProcess {
public:
  bool isForked() const { return getpid() != process; }

private:
  const pid_t process = getpid();
};

/// Nanoseconds of the steady clock.
uint64_t getNanoseconds();

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_THREAD_H
