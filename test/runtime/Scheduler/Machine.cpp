// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/runtime/Scheduler/Machine.h"

#include <algorithm>

namespace {

/// A small whole number.
float draw(uint64_t place, uint64_t salt) {
  uint64_t bits = (place * 16 + salt + 1) * UINT64_C(0x9e3779b97f4a7c15);
  return static_cast<float>((bits >> 40) % 9) - 4;
}

} // namespace

Product::Product(sparkle_scheduler_t *scheduler, const sparkle_kernel_t *kernel,
                 int64_t n, uint32_t salt)
    : n(n), expected(static_cast<size_t>(n * K)) {
  std::vector<float> weight(K * C);
  for (size_t i = 0; i < weight.size(); ++i)
    weight[i] = draw(i, salt);
  const void *weights[] = {nullptr, weight.data(), nullptr, nullptr};
  EXPECT_EQ(sparkle_task_create(scheduler, kernel, &n, 1, weights, 4,
                                task.out(), &error),
            SPARKLE_OK)
      << error.message;
  auto make = [&](Array &array, int64_t count) {
    void *bytes = nullptr;
    EXPECT_EQ(sparkle_array_create(scheduler, static_cast<uint64_t>(count) * 4,
                                   array.out(), &error),
              SPARKLE_OK);
    EXPECT_EQ(sparkle_array_map(array, SPARKLE_ACCESS_WRITE, SPARKLE_FOREVER,
                                &bytes, &error),
              SPARKLE_OK);
    return static_cast<float *>(bytes);
  };
  float *input = make(x, n * C), *bias = make(b, K), *output = make(y, n * K);
  for (int64_t i = 0; i < n * C; ++i)
    input[i] = draw(static_cast<uint64_t>(i), salt + 1);
  for (int64_t i = 0; i < K; ++i)
    bias[i] = draw(static_cast<uint64_t>(i), salt + 2);
  std::fill_n(output, n * K, -1.0f); // which relu never gives
  for (int64_t i = 0; i < n; ++i)
    for (int64_t k = 0; k < K; ++k) {
      float sum = bias[k];
      for (int64_t c = 0; c < C; ++c)
        sum += input[i * C + c] * weight[static_cast<size_t>(k * C + c)];
      expected[static_cast<size_t>(i * K + k)] = std::max(sum, 0.0f);
    }
}

uint64_t Product::submit(const char *hint) {
  sparkle_array_t *arrays[] = {x, nullptr, b, y};
  uint64_t ticket = 0;
  EXPECT_EQ(sparkle_task_submit(task, arrays, 4, hint, &ticket, &error),
            SPARKLE_OK)
      << error.message;
  return ticket;
}

void Product::check() {
  void *bytes = nullptr;
  ASSERT_EQ(sparkle_array_map(y, SPARKLE_ACCESS_READ, SPARKLE_FOREVER, &bytes,
                              &error),
            SPARKLE_OK)
      << error.message;
  EXPECT_EQ(std::memcmp(bytes, expected.data(), expected.size() * 4), 0);
}

void SchedulerTest::SetUp() {
  ok(sparkle_library_open(SPARKLE_TEST_KERNELS, library.out(), &error));
}

void SchedulerTest::make(const std::vector<Flaw *> &flaws, bool hasCpu,
                         sparkle_scheduler_options_t options, double pace) {
  context = makeFlakyContext(flaws, hasCpu, pace);
  ok(sparkle_scheduler_create(sparkle::runtime::wrap(context.get()), &options,
                              scheduler.out(), &error));
}

Array SchedulerTest::makeArray(uint64_t size) {
  Array array;
  ok(sparkle_array_create(scheduler, size, array.out(), &error));
  return array;
}

float *SchedulerTest::map(sparkle_array_t *array, sparkle_access_t access) {
  void *bytes = nullptr;
  ok(sparkle_array_map(array, access, SPARKLE_FOREVER, &bytes, &error));
  return static_cast<float *>(bytes);
}

sparkle_device_counters_t SchedulerTest::counters(size_t device) {
  sparkle_device_counters_t counters = {};
  ok(sparkle_scheduler_query_counters(scheduler, device, &counters, &error));
  return counters;
}

sparkle_decision_t SchedulerTest::explain(uint64_t ticket) {
  sparkle_decision_t decision = {};
  ok(sparkle_scheduler_explain(scheduler, ticket, &decision, &error));
  return decision;
}

void SchedulerTest::expect(sparkle_status_t got, sparkle_status_t status,
                           const std::string &sentence) {
  EXPECT_EQ(sparkle_status_name(got), std::string(sparkle_status_name(status)));
  EXPECT_EQ(error.status, got);
  EXPECT_EQ(error.message, sentence);
}
