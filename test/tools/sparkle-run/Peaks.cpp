// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/sparkle-run/Execution/Peaks.h"

#include <gtest/gtest.h>

using namespace sparkle;

// A kernel had the machine's two cores, and the peak before it one of them.
TEST(Peaks, AreMeasuredAgainBeforeARateIsAboveThem) {
  sparkle_context_t *context = nullptr;
  sparkle_error_t failure;
  ASSERT_EQ(sparkle_context_create(&context, &failure), SPARKLE_OK)
      << failure.message;
  auto devices = findDevices(context, {"cpu"});
  ASSERT_TRUE(devices);
  Peaks peaks(*devices, 1);
  ASSERT_EQ(peaks.getOperations(0), 0); // As low as one can be.
  peaks.update(0, 0.001);
  double peak = peaks.getOperations(0);
  EXPECT_GE(peak, 0.001);
  peaks.update(0, peak);
  EXPECT_EQ(peaks.getOperations(0), peak); // Enough.
  peaks.update(0, 1e12);
  EXPECT_LT(peaks.getOperations(0), 1e12); // No rate is worth waiting for ever.
  devices.reset();
  sparkle_context_release(context);
}
