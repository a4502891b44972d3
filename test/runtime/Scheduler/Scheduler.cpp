// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The scheduler by its C ABI: results, order, hints, what is refused.

#include "test/runtime/Scheduler/Machine.h"

#include <cstdlib>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace {

TEST_F(SchedulerTest, resultsAreRight) {
  Flaw plain, copying;
  copying.hasCopyEngine = true;
  make({&plain, &copying});
  for (const char *hint : {"cpu:0", "cpu:1", "cpu:2", "auto"}) {
    for (uint32_t i = 0; i < 8; ++i) {
      Product product = makeProduct(30 + i, i);
      product.submit(hint);
      product.check();
    }
  }
}

/// Every device is used when there is enough to do.
TEST_F(SchedulerTest, allDevicesWork) {
  Flaw first, second;
  second.hasCopyEngine = true;
  make({&first, &second});
  std::vector<Product> products;
  for (uint32_t i = 0; i < 32; ++i)
    products.push_back(makeProduct(2000 + i, i));
  for (Product &product : products)
    product.submit();
  for (Product &product : products)
    product.check();
  uint64_t parts = 0;
  for (size_t i = 0; i < 3; ++i) {
    parts += counters(i).parts;
    EXPECT_EQ(counters(i).failures, 0u);
    EXPECT_EQ(counters(i).in_flight, 0u);
  }
  EXPECT_EQ(parts, 32u);
  EXPECT_GT(counters(1).parts, 0u);
  EXPECT_GT(counters(1).uploaded, 0u);
  EXPECT_GT(counters(1).downloaded, 0u);
  EXPECT_EQ(counters(0).uploaded, 0u);
}

/// y = 2x + z, sixty times through three arrays in turn: each submission
/// reads what the one before wrote, and writes what the one before read.
TEST_F(SchedulerTest, orderByArrays) {
  Flaw first, second;
  make({&first, &second});
  int64_t n = 1000;
  Task task;
  ok(sparkle_task_create(scheduler, kernel("add"), &n, 1, nullptr, 3,
                         task.out(), &error));
  Array arrays[3], zero = makeArray(4000);
  for (Array &array : arrays)
    array = makeArray(4000);
  float *start = map(arrays[0], SPARKLE_ACCESS_WRITE);
  for (int i = 0; i < n; ++i)
    start[i] = static_cast<float>(i % 3);
  for (int i = 0; i < 60; ++i) {
    sparkle_array_t *given[] = {arrays[i % 3], zero, arrays[(i + 1) % 3]};
    ok(sparkle_task_submit(task, given, 3, nullptr, nullptr, &error));
  }
  float *end = map(arrays[60 % 3], SPARKLE_ACCESS_READ);
  for (int i = 0; i < n; ++i)
    EXPECT_EQ(end[i], static_cast<float>(i % 3) * 0x1p60f) << i;
}

TEST_F(SchedulerTest, hints) {
  Flaw flaw;
  make({&flaw});
  Product product = makeProduct();
  uint64_t ticket = product.submit("cpu:0");
  product.check();
  sparkle_decision_t decision = explain(ticket);
  EXPECT_STREQ(decision.reason, "cpu is what the hint asks for");
  EXPECT_EQ(decision.part_count, 1u);
  EXPECT_EQ(decision.parts[0].device, 0u);
  EXPECT_GT(decision.actual_ns, 0);
  EXPECT_GT(decision.parts[0].actual_ns, 0);
  EXPECT_STREQ(decision.kernel->name, "product");
  sparkle_array_t *arrays[] = {product.x, nullptr, product.b, product.y};
  expect(sparkle_task_submit(product.task, arrays, 4, "tpu", &ticket, &error),
         SPARKLE_INVALID_ARGUMENT,
         "expected the name of a device, but got 'tpu'");
  // A device that is not there.
  ticket = product.submit("amdgpu:7");
  product.check();
  EXPECT_EQ(std::string(explain(ticket).reason)
                .find("the device of the hint cannot; "),
            0u)
      << explain(ticket).reason;
}

TEST_F(SchedulerTest, hintOfTheEnvironment) {
  Variable hint("SPARKLE_DEVICE_HINT", "cpu:0");
  Flaw flaw;
  make({&flaw});
  Product product = makeProduct();
  uint64_t ticket = product.submit();
  product.check();
  EXPECT_STREQ(explain(ticket).reason, "cpu is what the hint asks for");
  ticket = product.submit("auto"); // The call knows better.
  product.check();
  EXPECT_STRNE(explain(ticket).reason, "cpu is what the hint asks for");
  Variable wrong("SPARKLE_DEVICE_HINT", "tpu");
  expect(sparkle_scheduler_create(sparkle::runtime::wrap(context.get()),
                                  nullptr, scheduler.out(), &error),
         SPARKLE_INVALID_ARGUMENT,
         "SPARKLE_DEVICE_HINT: expected the name of a device, but got 'tpu'");
}

TEST_F(SchedulerTest, predictionsLearnAndStay) {
  make({});
  {
    Product product = makeProduct();
    sparkle_prediction_t before = {}, after = {};
    ok(sparkle_task_predict(product.task, 0, &before, &error));
    EXPECT_EQ(before.source, SPARKLE_SOURCE_ROOFLINE);
    EXPECT_GT(before.kernel_ns, before.bound_ns);
    for (int i = 0; i < 8; ++i)
      product.submit();
    product.check();
    ok(sparkle_task_predict(product.task, 0, &after, &error));
    // Beside other work a peak may be measured too low: what passes it does not
    // count, until it has been measured again.
    EXPECT_GE(after.runs + counters(0).suspects, 4u);
    for (int i = 0; i < 100 && after.runs == 0; ++i) {
      product.submit();
      product.check();
      ok(sparkle_task_predict(product.task, 0, &after, &error));
    }
    EXPECT_EQ(after.source, SPARKLE_SOURCE_HISTORY);
    EXPECT_GT(after.last_ns, 0);
    expect(sparkle_task_predict(product.task, 1, &after, &error),
           SPARKLE_INVALID_ARGUMENT,
           "expected one of 1 devices, but got number 1");
  }
  make({}); // the old one is released, and its history written
  Product product = makeProduct();
  sparkle_prediction_t known = {};
  ok(sparkle_task_predict(product.task, 0, &known, &error));
  EXPECT_EQ(known.source, SPARKLE_SOURCE_HISTORY);
  sparkle_scheduler_options_t options = {};
  options.flags = SPARKLE_SCHEDULER_NO_HISTORY;
  make({}, true, options);
  Product other = makeProduct();
  ok(sparkle_task_predict(other.task, 0, &known, &error));
  EXPECT_EQ(known.source, SPARKLE_SOURCE_ROOFLINE);
}

/// Objects keep each other alive; work in flight keeps all of them.
TEST_F(SchedulerTest, releasesInAnyOrder) {
  static Flaw flaw; // outlives the work that this leaves in flight
  make({&flaw});
  {
    Product product = makeProduct(3000);
    for (int i = 0; i < 20; ++i)
      product.submit();
    scheduler = {};
    context = {};
    product.check();
    for (int i = 0; i < 20; ++i)
      product.submit();
  }
}

TEST_F(SchedulerTest, whatIsRefused) {
  make({});
  Product product = makeProduct(4);
  Array small = makeArray(12);
  sparkle_array_t *arrays[] = {product.x, nullptr, product.b, product.y};
  auto submit = [&] {
    return sparkle_task_submit(product.task, arrays, 4, nullptr, nullptr,
                               &error);
  };
  arrays[0] = nullptr;
  expect(submit(), SPARKLE_INVALID_ARGUMENT,
         "argument 'x': expected an array, but got a null pointer");
  arrays[0] = small;
  expect(submit(), SPARKLE_WRONG_SHAPE,
         "argument 'x': expected an array of 384 bytes, but got one of 12");
  expect(sparkle_task_submit(product.task, arrays, 3, nullptr, nullptr, &error),
         SPARKLE_WRONG_COUNT,
         "expected 4 arrays for kernel 'product', but got 3");
  // Nothing is read behind what there should be.
  expect(sparkle_task_submit(product.task, arrays, UINT32_MAX, nullptr, nullptr,
                             &error),
         SPARKLE_WRONG_COUNT,
         "expected 4 arrays for kernel 'product', but got 4294967295");
  expect(sparkle_task_submit(nullptr, arrays, 4, nullptr, nullptr, &error),
         SPARKLE_INVALID_ARGUMENT, "expected a task, but got a null pointer");
  expect(sparkle_scheduler_wait(scheduler, 1, 0, &error),
         SPARKLE_INVALID_ARGUMENT,
         "expected one of the last 4096 of 0 tickets, but got 1");
  sparkle_decision_t decision;
  expect(sparkle_scheduler_explain(scheduler, 9, &decision, &error),
         SPARKLE_INVALID_ARGUMENT,
         "expected one of the last 4096 of 0 tickets, but got 9");
  Task add;
  int64_t n = 3;
  ok(sparkle_task_create(scheduler, kernel("add"), &n, 1, nullptr, 3, add.out(),
                         &error));
  sparkle_array_t *same[] = {small, small, small};
  expect(sparkle_task_submit(add, same, 3, nullptr, nullptr, &error),
         SPARKLE_OVERLAP,
         "argument 'y': expected an array of its own, since it is written, but "
         "got that of 'x'");
  Scheduler second;
  ok(sparkle_scheduler_create(sparkle::runtime::wrap(context.get()), nullptr,
                              second.out(), &error));
  Array foreign;
  ok(sparkle_array_create(second, 384, foreign.out(), &error));
  arrays[0] = foreign;
  expect(submit(), SPARKLE_WRONG_DEVICE,
         "argument 'x': expected an array of the task's scheduler, but got one "
         "of another");
  void *bytes = nullptr;
  expect(sparkle_array_map(small, static_cast<sparkle_access_t>(7), 0, &bytes,
                           &error),
         SPARKLE_INVALID_ARGUMENT,
         "expected SPARKLE_ACCESS_READ or _WRITE, but got 7");
}

TEST_F(SchedulerTest, tasksThatAreRefused) {
  make({});
  Task task;
  int64_t n = 4;
  expect(sparkle_task_create(scheduler, kernel("product"), &n, 1, nullptr, 4,
                             task.out(), &error),
         SPARKLE_INVALID_ARGUMENT,
         "argument 'w': expected a pointer, but got a null pointer");
  expect(sparkle_task_create(scheduler, kernel("product"), &n, 1, nullptr, 2,
                             task.out(), &error),
         SPARKLE_WRONG_COUNT,
         "expected 4 arguments of kernel 'product', but got 2");
  EXPECT_EQ(sparkle_task_create(scheduler, kernel("product"), &n, 0, nullptr, 4,
                                task.out(), &error),
            SPARKLE_WRONG_COUNT);
  n = -1;
  EXPECT_EQ(sparkle_task_create(scheduler, kernel("product"), &n, 1, nullptr, 4,
                                task.out(), &error),
            SPARKLE_WRONG_SHAPE);
  // More bytes of a weight than there are.
  sparkle_kernel_t huge = *kernel("product");
  std::vector<sparkle_tensor_t> tensors(huge.tensors,
                                        huge.tensors + huge.tensor_count);
  const int64_t side = 15 << 16; // of whole blocks, whatever the layout is
  const sparkle_extent_t extents[] = {{side, 1, nullptr}, {side, 1, nullptr}};
  tensors[1].extents = extents;
  huge.tensors = tensors.data();
  std::vector<sparkle_code_t> codes(huge.codes, huge.codes + huge.code_count);
  std::vector<sparkle_packing_t> packings;
  for (const sparkle_code_t &code : codes)
    packings.push_back(code.packings[0]);
  for (size_t i = 0; i < codes.size(); ++i) {
    packings[i].size = 4 * side * side;
    codes[i].packings = &packings[i];
  }
  huge.codes = codes.data();
  float none = 0;
  const void *weights[] = {nullptr, &none, nullptr, nullptr};
  n = 4;
  EXPECT_EQ(sparkle_task_create(scheduler, &huge, &n, 1, weights, 4, task.out(),
                                &error),
            SPARKLE_OUT_OF_MEMORY)
      << error.message;
}

/// What was forked has no lanes and no calls under way: it lets go of what its
/// parent has, and ends.
TEST_F(SchedulerTest, forked) {
  make({});
  Product product = makeProduct(3000);
  auto end = [&] {
    for (int i = 0; i < 8; ++i)
      product.submit();
    pid_t child = fork();
    if (child == 0) {
      alarm(20);
      sparkle_scheduler_release(scheduler);
      std::exit(0);
    }
    int status = 1;
    waitpid(child, &status, 0);
    _exit(status != 0);
  };
  // In a process of its own: what the forked one lets lie is no leak.
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  Variable lenient("LSAN_OPTIONS", "detect_leaks=0");
  EXPECT_EXIT(end(), testing::ExitedWithCode(0), "");
}

TEST_F(SchedulerTest, schedulersThatAreRefused) {
  context = makeFlakyContext({});
  sparkle_context_t *machine = sparkle::runtime::wrap(context.get());
  sparkle_scheduler_options_t options = {};
  options.flags = 64;
  expect(sparkle_scheduler_create(machine, &options, scheduler.out(), &error),
         SPARKLE_INVALID_ARGUMENT, "expected known flags, but got 0x40");
  options = {};
  options.pending = 100000;
  expect(sparkle_scheduler_create(machine, &options, scheduler.out(), &error),
         SPARKLE_INVALID_ARGUMENT,
         "expected at most 1024 pending submissions, but got 100000");
  options = {};
  options.devices = "cpu,tpu";
  expect(sparkle_scheduler_create(machine, &options, scheduler.out(), &error),
         SPARKLE_INVALID_ARGUMENT,
         "expected the name of a device, but got 'tpu'");
  options.devices = "cpu,amdgpu:5";
  expect(sparkle_scheduler_create(machine, &options, scheduler.out(), &error),
         SPARKLE_UNAVAILABLE,
         "expected one of 0 devices of 'amdgpu', but got 'amdgpu:5'");
  expect(sparkle_scheduler_create(nullptr, &options, scheduler.out(), &error),
         SPARKLE_INVALID_ARGUMENT,
         "expected a context, but got a null pointer");
}

/// Nothing to do is done, on every device.
TEST_F(SchedulerTest, emptyBatch) {
  Flaw plain, copying;
  copying.hasCopyEngine = true;
  make({&plain, &copying});
  for (const char *hint : {"cpu:0", "cpu:1", "cpu:2", "auto"}) {
    Product product = makeProduct(0);
    ok(sparkle_scheduler_wait(scheduler, product.submit(hint), SPARKLE_FOREVER,
                              &error));
  }
}

TEST_F(SchedulerTest, notAsynchronous) {
  Variable off("SPARKLE_GPU_ASYNC", "0");
  Flaw flaw;
  make({&flaw});
  Product product = makeProduct(3000);
  for (int i = 0; i < 10; ++i)
    EXPECT_EQ(sparkle_scheduler_wait(scheduler, product.submit(), 0, &error),
              SPARKLE_OK);
  product.check();
}

/// A wait that ends early disturbs nothing.
TEST_F(SchedulerTest, waitsThatTimeOut) {
  Flaw flaw;
  make({&flaw});
  int outOfTime = 0;
  void *bytes = nullptr;
  for (uint32_t i = 0; i < 20; ++i) {
    Product product = makeProduct(20000 + i, i);
    uint64_t ticket = product.submit(i % 2 ? "cpu:0" : "cpu:1");
    sparkle_status_t status;
    while ((status = sparkle_scheduler_wait(scheduler, ticket, 1000, &error)) ==
           SPARKLE_TIMEOUT) {
      ++outOfTime;
      EXPECT_EQ(error.message, "expected submission " + std::to_string(ticket) +
                                   " to be done");
      if (sparkle_array_map(product.y, SPARKLE_ACCESS_WRITE, 0, &bytes,
                            &error) == SPARKLE_TIMEOUT) {
        EXPECT_STREQ(error.message,
                     "expected the work with the array to be done");
      }
    }
    ok(status);
    product.check();
  }
  EXPECT_GT(outOfTime, 0);
  // What waits for another submission has no device yet; on a busy machine the
  // other may be done before we ask.
  Product product = makeProduct(200000);
  bool isOutOfTime = false;
  for (int i = 0; i < 100 && !isOutOfTime; ++i) {
    product.submit("cpu:0");
    uint64_t second = product.submit("cpu:0");
    sparkle_decision_t decision;
    sparkle_status_t status =
        sparkle_scheduler_explain(scheduler, second, &decision, &error);
    isOutOfTime = status == SPARKLE_TIMEOUT;
    if (isOutOfTime)
      EXPECT_EQ(error.message,
                "expected a device to be chosen for submission " +
                    std::to_string(second));
    else
      ok(status);
  }
  EXPECT_TRUE(isOutOfTime);
  product.check();
}

/// The next submission waits when enough are pending.
TEST_F(SchedulerTest, backPressure) {
  sparkle_scheduler_options_t options = {};
  options.pending = 2;
  make({}, true, options);
  std::vector<Product> products;
  for (uint32_t i = 0; i < 16; ++i)
    products.push_back(makeProduct(3000, i));
  for (Product &product : products) {
    uint64_t ticket = product.submit();
    if (ticket > 2) {
      EXPECT_EQ(sparkle_scheduler_wait(scheduler, ticket - 2, 0, &error),
                SPARKLE_OK)
          << ticket;
    }
  }
  for (Product &product : products)
    product.check();
}

/// What is faster than the device's peak is told, and not learned from; and the
/// device is measured again.
TEST_F(SchedulerTest, fasterThanThePeak) {
  Flaw flaw;
  flaw.gflops = 1e-6; // a thousand operations a second
  make({&flaw}, false);
  Product product = makeProduct(1000);
  for (int i = 0; i < 4; ++i) {
    product.submit();
    product.check();
  }
  EXPECT_EQ(counters(0).parts, 4u);
  EXPECT_EQ(counters(0).suspects, 4u);
  EXPECT_EQ(counters(0).operations, 0);
  sparkle_prediction_t prediction = {};
  ok(sparkle_task_predict(product.task, 0, &prediction, &error));
  EXPECT_EQ(prediction.source, SPARKLE_SOURCE_ROOFLINE);
  flaw.gflops = 1000;
  make({&flaw}, false);
  EXPECT_EQ(counters(0).performance.gflops, 1000);
}

/// A peak that something else has kept down is found when nothing runs.
TEST_F(SchedulerTest, peakIsMeasuredAgain) {
  Flaw flaw;
  flaw.gflops = 1e-6;
  make({&flaw}, false);
  flaw.gflops = 1000;
  Product product = makeProduct(1000);
  product.submit();
  product.check(); // The first run is not looked at.
  product.submit();
  product.check();
  for (int i = 0; i < 10000 && counters(0).performance.gflops < 1000; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_EQ(counters(0).performance.gflops, 1000);
  EXPECT_GE(counters(0).suspects, 1u);
  product.submit();
  product.check();
  EXPECT_GT(counters(0).operations, 0);
}

} // namespace
