// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Threads that nobody joins, and the clock. std::thread would abort when the
// system has no thread left, as there are no exceptions here.

#ifndef SPARKLE_RUNTIME_THREAD_H
#define SPARKLE_RUNTIME_THREAD_H

#include "runtime/Status.h"

namespace sparkle::runtime {

/// Runs `run(argument)` in a thread of its own, which ends when that returns,
/// or with the process. SPARKLE_OUT_OF_RESOURCES if the system has no thread
/// left; nothing runs then.
Status startThread(void (*run)(void *argument), void *argument);

/// Held by such a thread while it calls a driver. When the process ends,
/// drivers and layers take themselves apart: the end waits for the calls that
/// are under way, and none begins after it.
class DriverCall {
public:
  DriverCall();
  DriverCall(const DriverCall &) = delete;
  ~DriverCall();
};

/// Nanoseconds of the steady clock.
uint64_t getNanoseconds();

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_THREAD_H
