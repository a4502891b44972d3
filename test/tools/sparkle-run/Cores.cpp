// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/sparkle-run/Execution/Cores.h"

#include <gtest/gtest.h>

using namespace sparkle;

/// The calling thread's cores.
static cpu_set_t getMask() {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  sched_getaffinity(0, sizeof mask, &mask);
  return mask;
}

// What measures a peak between the layers had one core for all its threads.
TEST(Cores, AreThoseOfBeforeAThreadWasBound) {
  cpu_set_t all = getMask(), one, inside, child;
  Cores cores;
  CPU_ZERO(&one);
  CPU_SET(sched_getcpu(), &one);
  ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
  cores.run([&] {
    inside = getMask();
    std::thread([&] { child = getMask(); }).join();
  });
  cpu_set_t after = getMask();
  sched_setaffinity(0, sizeof all, &all);
  EXPECT_TRUE(CPU_EQUAL(&inside, &all));
  EXPECT_TRUE(CPU_EQUAL(&child, &all));
  EXPECT_TRUE(CPU_EQUAL(&after, &one));
}
