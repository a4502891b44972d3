// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A device that runs the CPU's code in memory of its own, and fails as it is
// told to: what a GPU is to the scheduler, wherever tests run.

#ifndef SPARKLE_TEST_RUNTIME_SCHEDULER_FLAKY_H
#define SPARKLE_TEST_RUNTIME_SCHEDULER_FLAKY_H

#include "runtime/Context.h"

#include <atomic>
#include <cstdint>

struct Flaw {
  /// Of a million submissions, how many are lost, and all behind them with it.
  std::atomic<uint32_t> losses{0};
  /// Of a million buffers, how many get no memory.
  std::atomic<uint32_t> refusals{0};
  /// Work is refused, and not begun, though nothing is wrong with the device.
  std::atomic<bool> refuses{false};
  /// Nothing works: not even a measurement, or a new queue.
  std::atomic<bool> isDead{false};
  bool hasCopyEngine = false;
  // What it pretends to have: the default is faster than the CPU's pretence.
  std::atomic<double> gflops{200000};
  double launch = 100; // nanoseconds
  uint32_t seed = 1;
  std::atomic<uint32_t> lost{0}; // how often it happened
};

/// The CPU, which pretends to have 100 TFLOPS and a launch of 5 us, and one
/// flaky device for each flaw, "flaky:0" and so on, which the flaws outlive.
/// pace: nanoseconds that each device says a result of a kernel took; 0: what
/// it did take, which depends on what else runs on the machine.
sparkle::runtime::Ref<sparkle::runtime::Context>
makeFlakyContext(const std::vector<Flaw *> &flaws, bool hasCpu = true,
                 double pace = 0);

#endif // SPARKLE_TEST_RUNTIME_SCHEDULER_FLAKY_H
