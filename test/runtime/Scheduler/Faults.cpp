// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Devices that fail under the scheduler: nothing is lost, nothing comes twice.

#include "test/runtime/Scheduler/Machine.h"

#include <chrono>
#include <cstdlib>
#include <thread>

namespace {

using FaultTest = SchedulerTest;

TEST_F(FaultTest, workOfALostDeviceIsDoneElsewhere) {
  Flaw flaw;
  flaw.losses = 1000000;
  make({&flaw});
  Product product = makeProduct();
  uint64_t ticket = product.submit();
  product.check();
  sparkle_decision_t decision = explain(ticket);
  EXPECT_EQ(decision.failures, 1u);
  ASSERT_EQ(decision.part_count, 2u);
  EXPECT_EQ(decision.parts[0].device, 1u);
  EXPECT_EQ(decision.parts[0].actual_ns, 0);
  EXPECT_EQ(decision.parts[1].device, 0u);
  sparkle_device_counters_t after = counters(1);
  EXPECT_EQ(after.failures, 1u);
  EXPECT_EQ(after.is_set_aside, 1u);
  EXPECT_GT(after.retry_ns, 0u);
  EXPECT_EQ(after.reason.status, SPARKLE_DEVICE_LOST);
  EXPECT_STREQ(after.reason.message, "flaky: lost");
}

TEST_F(FaultTest, aDeviceThatRecoversIsUsedAgain) {
  Flaw flaw;
  flaw.losses = 1000000;
  make({&flaw});
  Product product = makeProduct(2000);
  product.submit();
  product.check();
  flaw.losses = 0;
  uint64_t done = 0;
  for (int i = 0; i < 200 && done == 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    product.submit();
    product.check();
    done = counters(1).parts;
  }
  EXPECT_GT(done, 0u);
  EXPECT_EQ(counters(1).is_set_aside, 0u);
}

TEST_F(FaultTest, whatNothingCanRunSaysWhy) {
  Flaw flaw;
  make({&flaw}, false);
  flaw.isDead = true;
  Product product = makeProduct();
  uint64_t ticket = product.submit();
  expect(sparkle_scheduler_wait(scheduler, ticket, SPARKLE_FOREVER, &error),
         SPARKLE_DRIVER,
         "kernel 'product' could run on no device: flaky:0: flaky: dead; "
         "flaky:0: flaky: dead");
  void *bytes = nullptr;
  EXPECT_EQ(sparkle_array_map(product.y, SPARKLE_ACCESS_READ, SPARKLE_FOREVER,
                              &bytes, &error),
            SPARKLE_DRIVER);
  // What reads it fails for that reason, before any device is asked.
  int64_t n = product.n * Product::K;
  Task add;
  ok(sparkle_task_create(scheduler, kernel("add"), &n, 1, nullptr, 3, add.out(),
                         &error));
  uint64_t size = sparkle_array_get_size(product.y);
  Array zero = makeArray(size), sum = makeArray(size);
  sparkle_array_t *arrays[] = {product.y, zero, sum};
  ok(sparkle_task_submit(add, arrays, 3, nullptr, &ticket, &error));
  EXPECT_EQ(sparkle_scheduler_wait(scheduler, ticket, SPARKLE_FOREVER, &error),
            SPARKLE_DRIVER);
  EXPECT_EQ(std::string(error.message)
                .find("argument 'x': what was to write it failed: "),
            0u)
      << error.message;
  // The device comes back, and so does the array.
  flaw.isDead = false;
  product.submit();
  product.check();
}

TEST_F(FaultTest, noDeviceWorks) {
  Flaw first, second;
  first.isDead = second.isDead = true;
  context = makeFlakyContext({&first, &second}, false);
  expect(sparkle_scheduler_create(sparkle::runtime::wrap(context.get()),
                                  nullptr, scheduler.out(), &error),
         SPARKLE_UNAVAILABLE,
         "expected a device that works, but flaky:0: flaky: dead; flaky:1: "
         "flaky: dead");
}

/// Inputs that were on their way with work that was refused never arrived.
TEST_F(FaultTest, refusedWorkBringsNothing) {
  for (bool hasCopyEngine : {false, true}) {
    Flaw flaw;
    flaw.hasCopyEngine = hasCopyEngine;
    make({&flaw});
    Product product = makeProduct();
    product.submit("cpu:1");
    product.check();
    map(product.x, SPARKLE_ACCESS_WRITE)[0] += 1;
    flaw.refuses = true;
    product.submit("cpu:1");
    float *elsewhere = map(product.y, SPARKLE_ACCESS_READ);
    EXPECT_EQ(counters(1).failures, 1u);
    product.expected.assign(elsewhere, elsewhere + product.expected.size());
    flaw.refuses = false;
    std::memset(map(product.y, SPARKLE_ACCESS_WRITE), 0xff,
                product.expected.size() * 4);
    uint64_t parts = counters(1).parts;
    product.submit("cpu:1");
    product.check();
    EXPECT_EQ(counters(1).parts, parts + 1);
  }
}

TEST_F(FaultTest, memoryThatRunsOut) {
  Flaw flaw;
  flaw.refusals = 1000000;
  make({&flaw});
  Product product = makeProduct();
  uint64_t ticket = product.submit();
  product.check();
  EXPECT_EQ(explain(ticket).failures, 1u);
  // It is no fault of the device's.
  EXPECT_EQ(counters(1).is_set_aside, 0u);
}

/// SPARKLE_TEST_SECONDS: how long; two seconds without it.
TEST_F(FaultTest, manyThreadsWhileDevicesFail) {
  const char *given = std::getenv("SPARKLE_TEST_SECONDS");
  std::chrono::seconds length(given ? std::atoi(given) : 2);
  Flaw flaws[3];
  for (uint32_t i = 0; i < 3; ++i) {
    flaws[i].losses = 20000;
    flaws[i].refusals = 2000;
    flaws[i].seed = i + 1;
    flaws[i].hasCopyEngine = i == 1;
  }
  make({&flaws[0], &flaws[1], &flaws[2]});
  std::vector<Product> products;
  for (uint32_t i = 0; i < 24; ++i)
    products.push_back(makeProduct(16 + 8 * i, i));
  auto end = std::chrono::steady_clock::now() + length;
  std::atomic<uint64_t> submitted{0};
  std::vector<std::thread> threads;
  for (Product &product : products)
    threads.emplace_back([&] {
      void *bytes = nullptr;
      do {
        for (int i = 0; i < 3; ++i, ++submitted)
          product.submit();
        product.check();
        // Its result has to come again.
        ASSERT_EQ(sparkle_array_map(product.y, SPARKLE_ACCESS_WRITE,
                                    SPARKLE_FOREVER, &bytes, nullptr),
                  SPARKLE_OK);
        std::memset(bytes, 0xff, sparkle_array_get_size(product.y));
      } while (std::chrono::steady_clock::now() < end);
    });
  for (std::thread &thread : threads)
    thread.join();
  uint64_t done = 0, failures = 0;
  for (size_t i = 0; i < 4; ++i) {
    done += counters(i).parts;
    failures += counters(i).failures;
    EXPECT_EQ(counters(i).in_flight, 0u);
  }
  EXPECT_GE(done, submitted); // some were divided
  EXPECT_GT(failures, 0u);
  RecordProperty("submissions", std::to_string(done));
  RecordProperty("failures", std::to_string(failures));
}

} // namespace
