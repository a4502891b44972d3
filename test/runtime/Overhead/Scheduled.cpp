// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/runtime/Overhead/Scheduled.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

static void check(sparkle_status_t status, const sparkle_error_t &error) {
  if (status == SPARKLE_OK)
    return;
  std::fprintf(stderr, "runtime-overhead: %s\n", error.message);
  std::exit(1);
}

Scheduled::Scheduled(const sparkle_kernel_t *kernel,
                     const std::vector<float> &input) {
  sparkle_error_t error;
  sparkle_context_t *context;
  sparkle_scheduler_options_t options = {};
  options.devices = "vulkan:0";
  options.flags = SPARKLE_SCHEDULER_NO_HISTORY;
  int64_t size = static_cast<int64_t>(input.size());
  const void *weights[2] = {};
  check(sparkle_context_create(&context, &error), error);
  check(sparkle_scheduler_create(context, &options, &scheduler, &error), error);
  check(sparkle_task_create(scheduler, kernel, &size, 1, weights, 2, &task,
                            &error),
        error);
  for (auto &slot : arrays) {
    for (sparkle_array_t *&array : slot)
      check(sparkle_array_create(scheduler, input.size() * sizeof(float),
                                 &array, &error),
            error);
    void *bytes;
    check(sparkle_array_map(slot[0], SPARKLE_ACCESS_WRITE, SPARKLE_FOREVER,
                            &bytes, &error),
          error);
    std::copy(input.begin(), input.end(), static_cast<float *>(bytes));
  }
}

uint64_t Scheduled::submit(uint32_t slot) {
  sparkle_error_t error;
  uint64_t ticket;
  check(sparkle_task_submit(task, arrays[slot], 2, nullptr, &ticket, &error),
        error);
  return ticket;
}

void Scheduled::wait(uint64_t ticket) {
  sparkle_error_t error;
  check(sparkle_scheduler_wait(scheduler, ticket, SPARKLE_FOREVER, &error),
        error);
}

const float *Scheduled::getOutput(uint32_t slot) {
  sparkle_error_t error;
  void *bytes;
  check(sparkle_array_map(arrays[slot][1], SPARKLE_ACCESS_READ, SPARKLE_FOREVER,
                          &bytes, &error),
        error);
  return static_cast<const float *>(bytes);
}
