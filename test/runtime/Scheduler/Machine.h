// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A scheduler over the CPU and flaky devices, and work for it whose results are
// known.

#ifndef SPARKLE_TEST_RUNTIME_SCHEDULER_MACHINE_H
#define SPARKLE_TEST_RUNTIME_SCHEDULER_MACHINE_H

#include "runtime/Handle.h"
#include "test/runtime/Environment.h"
#include "test/runtime/Owned.h"
#include "test/runtime/Scheduler/Flaky.h"

#include <cstring>
#include <string>
#include <vector>

using Array = Owned<sparkle_array_t>;
using Scheduler = Owned<sparkle_scheduler_t>;
using Task = Owned<sparkle_task_t>;

/// `y = relu(b + x w)` of kernels.spk, with inputs of small whole numbers, so
/// that results are exact on every device.
struct Product {
  static constexpr int64_t K = 20, C = 24;

  Product(sparkle_scheduler_t *scheduler, const sparkle_kernel_t *kernel,
          int64_t n, uint32_t salt);
  /// A run of the task; its ticket.
  uint64_t submit(const char *hint = nullptr);
  /// Waits for the array, and compares all of it.
  void check();

  sparkle_error_t error = {};
  int64_t n;
  Task task;
  Array x, b, y;
  std::vector<float> expected;
};

class SchedulerTest : public testing::Test {
public:
  void SetUp() override;
  /// The CPU, unless it is left out, and a device for each flaw, which take
  /// `pace` (Flaky.h).
  void make(const std::vector<Flaw *> &flaws, bool hasCpu = true,
            sparkle_scheduler_options_t options = {}, double pace = 0);
  Product makeProduct(int64_t n = 64, uint32_t salt = 0) {
    return Product(scheduler, kernel("product"), n, salt);
  }
  Array makeArray(uint64_t size);
  float *map(sparkle_array_t *array, sparkle_access_t access);
  sparkle_device_counters_t counters(size_t device);
  sparkle_decision_t explain(uint64_t ticket);
  void ok(sparkle_status_t got) { EXPECT_EQ(got, SPARKLE_OK) << error.message; }
  void expect(sparkle_status_t got, sparkle_status_t status,
              const std::string &sentence);
  const sparkle_kernel_t *kernel(const char *name) const {
    return sparkle_library_find_kernel(library, name);
  }

  Folder folder;
  Variable cache{"SPARKLE_CACHE_DIR", folder.path.c_str()};
  Library library;
  sparkle::runtime::Ref<sparkle::runtime::Context> context;
  Scheduler scheduler;
  sparkle_error_t error = {};
};

#endif // SPARKLE_TEST_RUNTIME_SCHEDULER_MACHINE_H
