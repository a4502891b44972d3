// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The scheduler over all devices of the machine, and over a stand-in that fails
// as it is told to.

#include "test/runtime/Scheduler/Machine.h"
#include "test/standin/Driver/Control.h"

#include <chrono>
#include <dlfcn.h>
#include <thread>

namespace {

struct RealTest : SchedulerTest {
  void SetUp() override {
    SchedulerTest::SetUp();
    ok(sparkle_context_create(machine.out(), &error));
    ok(sparkle_scheduler_create(machine, nullptr, scheduler.out(), &error));
    deviceCount = sparkle_scheduler_get_device_count(scheduler);
    ASSERT_GT(deviceCount, 0u);
  }
  std::string getName(size_t device) {
    sparkle_device_properties_t properties;
    sparkle_device_query_properties(
        sparkle_scheduler_get_device(scheduler, device), &properties);
    return properties.name;
  }
  uint64_t countFailures() {
    uint64_t failures = 0;
    for (size_t i = 0; i < deviceCount; ++i)
      failures += counters(i).failures;
    return failures;
  }
  /// Until each device may be tried again.
  void awaitRetries() {
    for (size_t i = 0; i < deviceCount; ++i)
      std::this_thread::sleep_for(
          std::chrono::nanoseconds(counters(i).retry_ns));
  }
  /// Each device by its name, several in flight, with arrays that are read
  /// again.
  void useEveryDevice() {
    for (size_t i = 0; i < deviceCount; ++i) {
      std::vector<Product> products;
      for (uint32_t j = 0; j < 4; ++j)
        products.push_back(makeProduct(20 + j, j));
      for (int round = 0; round < 3; ++round)
        for (Product &product : products)
          product.submit(getName(i).c_str());
      for (Product &product : products)
        product.check();
    }
  }

  Owned<sparkle_context_t> machine;
  size_t deviceCount = 0;
};

TEST_F(RealTest, everyDevice) {
  useEveryDevice();
  EXPECT_EQ(countFailures(), 0u);
  for (size_t i = 0; i < deviceCount; ++i)
    EXPECT_EQ(counters(i).parts, 12u) << getName(i);
}

/// Whatever is chosen, or divided.
TEST_F(RealTest, anyDevice) {
  for (int64_t n : {1, 17, 400}) {
    Product product = makeProduct(n);
    for (int i = 0; i < 10; ++i) {
      product.submit();
      product.check();
    }
  }
  EXPECT_EQ(countFailures(), 0u);
}

/// Results are right whatever the driver of one device does.
TEST_F(RealTest, devicesThatFail) {
  auto *control = static_cast<const SparkleStandinControl *>(
      dlsym(RTLD_DEFAULT, "sparkleStandinControl"));
  if (!control)
    GTEST_SKIP() << "needs a device that fails on demand: scheduler-on-gfx*";
  uint64_t failures = 0;
  for (const char *fault : {"hang", "soft-hang", "vram-lost", "cs:ENOMEM",
                            "cs:ECANCELED*2", "gem-create:ENOMEM"}) {
    awaitRetries();
    ASSERT_TRUE(control->setFaults(fault));
    useEveryDevice();
    EXPECT_GT(countFailures(), failures) << fault;
    failures = countFailures();
    ASSERT_TRUE(control->setFaults(""));
  }
  // And the device works again.
  awaitRetries();
  uint64_t parts = counters(deviceCount - 1).parts;
  useEveryDevice();
  EXPECT_GT(counters(deviceCount - 1).parts, parts);
}

} // namespace
