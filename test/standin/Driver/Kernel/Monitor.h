// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The one lock of the stand-in: of handles, page tables, queues and fences. It
// is held through every ioctl, but not while a packet is executed.

#ifndef SPARKLE_TEST_STANDIN_DRIVER_KERNEL_MONITOR_H
#define SPARKLE_TEST_STANDIN_DRIVER_KERNEL_MONITOR_H

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>

namespace sparkle::standin {

using Lock = std::unique_lock<std::mutex>;

/// Nanoseconds of CLOCK_MONOTONIC, in which the kernel takes deadlines.
int64_t getNow();

class Monitor {
public:
  /// Never destroyed.
  static Monitor &get();

  Lock lock() { return Lock(mutex); }
  /// After anything that somebody may wait for.
  void notify() { changed.notify_all(); }
  /// False if the deadline passed and `isDone` is still false.
  bool wait(Lock &lock, int64_t deadline, const std::function<bool()> &isDone);

private:
  std::mutex mutex;
  std::condition_variable changed;
};

} // namespace sparkle::standin

#endif // SPARKLE_TEST_STANDIN_DRIVER_KERNEL_MONITOR_H
