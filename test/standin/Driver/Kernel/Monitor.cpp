// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Waiting with the kernel's deadlines.

#include "test/standin/Driver/Kernel/Monitor.h"

#include <algorithm>
#include <chrono>

namespace sparkle::standin {

using Clock = std::chrono::steady_clock;

int64_t getNow() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             Clock::now().time_since_epoch())
      .count();
}

Monitor &Monitor::get() {
  static auto *monitor = new Monitor;
  return *monitor;
}

bool Monitor::wait(Lock &lock, int64_t deadline,
                   const std::function<bool()> &isDone) {
  // A year is for ever, and does not overflow what the C library adds up.
  int64_t latest = getNow() + 365ll * 24 * 3600 * 1000000000;
  Clock::time_point until{std::chrono::nanoseconds(
      std::min(std::max<int64_t>(deadline, 0), latest))};
  return changed.wait_until(lock, until, isDone);
}

} // namespace sparkle::standin
