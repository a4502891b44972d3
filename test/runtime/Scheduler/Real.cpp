// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The scheduler over all devices of the machine. Whoever runs these may let a
// device fail meanwhile, by its own means (SPARKLE_STANDIN_FAULT): results are
// right all the same. SPARKLE_TEST_FAILURES=1: something has to have failed.

#include "test/runtime/Scheduler/Machine.h"

#include <cstdlib>

namespace {

struct RealTest : SchedulerTest {
  void SetUp() override {
    SchedulerTest::SetUp();
    ok(sparkle_context_create(machine.out(), &error));
    ok(sparkle_scheduler_create(machine, nullptr, scheduler.out(), &error));
    deviceCount = sparkle_scheduler_get_device_count(scheduler);
  }
  void TearDown() override {
    const char *wanted = std::getenv("SPARKLE_TEST_FAILURES");
    uint64_t failures = 0;
    for (size_t i = 0; i < deviceCount; ++i)
      failures += counters(i).failures;
    EXPECT_EQ(failures > 0, wanted && *wanted == '1');
  }
  std::string getName(size_t device) {
    sparkle_device_properties_t properties;
    sparkle_device_query_properties(
        sparkle_scheduler_get_device(scheduler, device), &properties);
    return properties.name;
  }

  Owned<sparkle_context_t> machine;
  size_t deviceCount = 0;
};

/// Each device by its name, several in flight, with arrays that are read again.
TEST_F(RealTest, everyDevice) {
  ASSERT_GT(deviceCount, 0u);
  for (size_t i = 0; i < deviceCount; ++i) {
    std::vector<Product> products;
    for (uint32_t j = 0; j < 4; ++j)
      products.push_back(makeProduct(20 + j, j));
    for (int round = 0; round < 3; ++round)
      for (Product &product : products)
        product.submit(getName(i).c_str());
    for (Product &product : products)
      product.check();
    EXPECT_GT(counters(i).parts + counters(i).failures, 0u) << getName(i);
  }
}

/// Whatever is chosen, or divided.
TEST_F(RealTest, anyDevice) {
  for (size_t i = 0; i < deviceCount; ++i)
    makeProduct(30).submit(getName(i).c_str());
  for (int64_t n : {1, 17, 400}) {
    Product product = makeProduct(n);
    for (int i = 0; i < 10; ++i) {
      product.submit();
      product.check();
    }
  }
}

} // namespace
