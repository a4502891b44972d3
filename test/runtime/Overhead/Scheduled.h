// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The same work through the scheduler, which has one device to choose from.

#ifndef SPARKLE_TEST_RUNTIME_OVERHEAD_SCHEDULED_H
#define SPARKLE_TEST_RUNTIME_OVERHEAD_SCHEDULED_H

#include "sparkle/scheduler.h"

#include <vector>

class Scheduled {
public:
  /// kernel: of one input and one output, with one run-time size.
  Scheduled(const sparkle_kernel_t *kernel, const std::vector<float> &input);

  /// slot: below three; each has arrays of its own.
  uint64_t submit(uint32_t slot);
  void wait(uint64_t ticket);
  /// Waits for the last one of the slot.
  const float *getOutput(uint32_t slot);

private:
  sparkle_scheduler_t *scheduler = nullptr;
  sparkle_task_t *task = nullptr;
  sparkle_array_t *arrays[3][2] = {};
};

#endif // SPARKLE_TEST_RUNTIME_OVERHEAD_SCHEDULED_H
