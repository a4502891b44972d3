// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Submissions that are divided among devices give what they give whole.

#include "test/runtime/Scheduler/Machine.h"

#include <algorithm>

namespace {

/// Devices that are equally fast, by what they say, so that divided runs pay. A
/// microsecond is longer than a result does take.
struct PartsTest : SchedulerTest {
  void makeEqual(const std::vector<Flaw *> &flaws,
                 sparkle_scheduler_options_t options = {}) {
    make(flaws, true, options, 1000);
  }

  /// Runs a submission over and over; returns how often it was divided.
  template <typename Submit, typename Check>
  int repeat(int times, Submit submit, Check check) {
    int divided = 0;
    for (int i = 0; i < times; ++i) {
      uint64_t ticket = submit();
      ok(sparkle_scheduler_wait(scheduler, ticket, SPARKLE_FOREVER, &error));
      check();
      sparkle_decision_t decision = explain(ticket);
      int64_t next = 0;
      for (uint32_t j = 0; j < decision.part_count; ++j) {
        EXPECT_EQ(decision.parts[j].begin, next);
        next = decision.parts[j].end;
        EXPECT_GT(decision.parts[j].actual_ns, 0);
      }
      divided += decision.part_count > 1;
    }
    return divided;
  }

  /// Runs a task, whose output is the last array, on the CPU, and then over and
  /// over where it is put: bit by bit the same. How often it was divided.
  int compare(sparkle_task_t *task, std::vector<sparkle_array_t *> arrays) {
    sparkle_array_t *output = arrays.back();
    auto submit = [&](const char *hint) {
      uint64_t ticket = 0;
      ok(sparkle_task_submit(task, arrays.data(),
                             static_cast<uint32_t>(arrays.size()), hint,
                             &ticket, &error));
      return ticket;
    };
    ok(sparkle_scheduler_wait(scheduler, submit("cpu:0"), SPARKLE_FOREVER,
                              &error));
    float *result = map(output, SPARKLE_ACCESS_READ);
    std::vector<float> whole(result,
                             result + sparkle_array_get_size(output) / 4);
    EXPECT_NE(*std::max_element(whole.begin(), whole.end()), 0);
    return repeat(
        40, [&] { return submit(nullptr); },
        [&] {
          float *bytes = map(output, SPARKLE_ACCESS_READ);
          EXPECT_EQ(std::memcmp(bytes, whole.data(), whole.size() * 4), 0);
          std::fill_n(map(output, SPARKLE_ACCESS_WRITE), whole.size(), -1.0f);
        });
  }
};

TEST_F(PartsTest, rowsOfAProduct) {
  Flaw first, second;
  second.hasCopyEngine = true;
  makeEqual({&first, &second});
  Product product = makeProduct(100000);
  int divided = repeat(
      40, [&] { return product.submit(); },
      [&] {
        product.check();
        void *bytes = nullptr;
        ok(sparkle_array_map(product.y, SPARKLE_ACCESS_WRITE, SPARKLE_FOREVER,
                             &bytes, &error));
        std::memset(bytes, 0xff, sparkle_array_get_size(product.y));
      });
  EXPECT_GT(divided, 20);
}

TEST_F(PartsTest, canBeSwitchedOff) {
  Flaw flaw;
  sparkle_scheduler_options_t options = {};
  options.flags = SPARKLE_SCHEDULER_NO_SPLIT;
  makeEqual({&flaw}, options);
  Product product = makeProduct(100000);
  EXPECT_EQ(repeat(
                20, [&] { return product.submit(); }, [&] { product.check(); }),
            0);
}

/// Rows with a halo, stride 2 and padding; bit by bit what one device gives.
TEST_F(PartsTest, rowsWithAHalo) {
  Flaw first, second;
  makeEqual({&first, &second});
  constexpr int64_t H = 6001, P = 3001, W = 9, Q = 5, C = 5, K = 20;
  int64_t sizes[] = {1, H};
  std::vector<float> weight(K * C * 9);
  for (size_t i = 0; i < weight.size(); ++i)
    weight[i] = static_cast<float>(i % 7) / 3 - 1;
  const void *weights[] = {nullptr, weight.data(), nullptr, nullptr};
  Task task;
  ok(sparkle_task_create(scheduler, kernel("rows2_1"), sizes, 2, weights, 4,
                         task.out(), &error));
  Array x = makeArray(H * W * C * 4), z = makeArray(P * Q * K * 4);
  Array y = makeArray(P * Q * K * 4);
  float *input = map(x, SPARKLE_ACCESS_WRITE);
  for (int64_t i = 0; i < H * W * C; ++i)
    input[i] = static_cast<float>(i * 37 % 101) / 7;
  float *residual = map(z, SPARKLE_ACCESS_WRITE);
  for (int64_t i = 0; i < P * Q * K; ++i)
    residual[i] = static_cast<float>(i * 31 % 13);
  EXPECT_GT(compare(task, {x, nullptr, z, y}), 20);
}

/// Nothing but the output's channels can be divided, and the bands' channels
/// are no neighbours in memory.
TEST_F(PartsTest, bandsOfChannels) {
  Flaw first, second;
  second.hasCopyEngine = true;
  makeEqual({&first, &second});
  constexpr int64_t K = 1024, C = 64, H = 28;
  std::vector<float> weight(K * C * 9);
  for (size_t i = 0; i < weight.size(); ++i)
    weight[i] = static_cast<float>(i % 7) / 3 - 1;
  const void *weights[] = {nullptr, weight.data(), nullptr};
  Task task;
  ok(sparkle_task_create(scheduler, kernel("wide"), nullptr, 0, weights, 3,
                         task.out(), &error));
  Array x = makeArray(H * H * C * 4), y = makeArray(H * H * K * 4);
  float *input = map(x, SPARKLE_ACCESS_WRITE);
  for (int64_t i = 0; i < H * H * C; ++i)
    input[i] = static_cast<float>(i * 37 % 101) / 7;
  EXPECT_GT(compare(task, {x, nullptr, y}), 20);
}

/// A part that fails is done elsewhere, by itself.
TEST_F(PartsTest, partsThatFail) {
  Flaw first, second;
  make({&first, &second}, false);
  Product product = makeProduct(100000);
  repeat(
      20, [&] { return product.submit(); }, [&] { product.check(); });
  first.losses = 300000;
  for (int i = 0; i < 40; ++i) {
    // Whatever is learned, it is tried.
    uint64_t ticket = product.submit(i % 4 ? nullptr : "cpu:1");
    ok(sparkle_scheduler_wait(scheduler, ticket, SPARKLE_FOREVER, &error));
    product.check();
    float *bytes = map(product.y, SPARKLE_ACCESS_WRITE);
    std::fill_n(bytes, product.expected.size(), -1.0f);
  }
  EXPECT_GT(counters(0).failures, 0u);
}

} // namespace
