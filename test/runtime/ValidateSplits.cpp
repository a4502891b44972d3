// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Splits, good and damaged: each check of runtime/ValidateSplits.cpp fails
// once, with its own sentence.

#include "sparkle/runtime.h"
#include "test/runtime/Descriptor.h"

#include <gtest/gtest.h>

namespace {

struct ValidateSplits : testing::Test {
  Descriptor good;

  void expectGood() {
    sparkle_error_t error;
    EXPECT_EQ(sparkle_kernel_validate(&good.kernel, &error), SPARKLE_OK)
        << error.message;
  }
  void expectMessage(const char *message) {
    sparkle_error_t error;
    EXPECT_EQ(sparkle_kernel_validate(&good.kernel, &error),
              SPARKLE_INVALID_ARTIFACT);
    EXPECT_STREQ(error.message, message);
  }
};

TEST_F(ValidateSplits, none) {
  good.kernel.split_count = 0;
  expectMessage("expected 0 splits, but got a pointer");
  good.kernel.splits = nullptr;
  expectGood();
  good.kernel.split_count = 1;
  expectMessage("expected 1 splits, but got a null pointer");
  good.kernel.split_count = 257;
  expectMessage("expected at most 256 splits, but got 257");
}

TEST_F(ValidateSplits, reserved) {
  good.kernel.reserved = 1;
  expectMessage("kernel 'product': expected reserved to be 0, but got 1");
}

TEST_F(ValidateSplits, size) {
  good.split.size = 1;
  expectMessage("kernel 'product': expected split 0 along a size below 1, but "
                "got 1");
}

TEST_F(ValidateSplits, twice) {
  sparkle_split_t two[] = {good.split, good.split};
  good.kernel.splits = two;
  good.kernel.split_count = 2;
  expectMessage("kernel 'product': expected splits along distinct sizes, but "
                "got 'N' twice");
}

TEST_F(ValidateSplits, step) {
  good.split.step = 0;
  expectMessage("split along 'N': expected a step of 1 or more, but got 0");
}

TEST_F(ValidateSplits, slices) {
  good.split.slices = nullptr;
  expectMessage("expected 2 slices, but got a null pointer");
  good.split.slice_count = 0;
  expectMessage("split along 'N': expected a slice of tensor 'x', but got "
                "none");
  good.split.slice_count = 257;
  expectMessage("expected at most 256 slices, but got 257");
}

TEST_F(ValidateSplits, tooFewSlices) {
  good.split.slice_count = 1;
  expectMessage("split along 'N': expected a slice of tensor 'y', but got "
                "none");
}

TEST_F(ValidateSplits, tooManySlices) {
  sparkle_slice_t three[] = {good.slices[0], good.slices[1], good.slices[1]};
  good.split.slices = three;
  good.split.slice_count = 3;
  expectMessage("split along 'N': expected 2 slices, but got 3");
}

TEST_F(ValidateSplits, place) {
  good.slices[1].tensor = 1;
  expectMessage("split along 'N': expected slice 1 to be of dimension 0 of "
                "tensor 2, but got 0 of 1");
  good.slices[0].dimension = 7;
  expectMessage("split along 'N': expected slice 0 to be of dimension 0 of "
                "tensor 0, but got 7 of 0");
}

TEST_F(ValidateSplits, twoExtents) {
  good.xExtents[1].coefficients = good.n;
  expectMessage("split along 'N': expected it in at most one extent of tensor "
                "'x', but got it in 2");
}

TEST_F(ValidateSplits, fixedOutput) {
  good.yExtents[0] = {8, 1, nullptr};
  good.split.slice_count = 1;
  expectMessage("split along 'N': expected output 'y' to depend on it");
}

TEST_F(ValidateSplits, fixedInput) {
  good.xExtents[0] = {8, 1, nullptr};
  good.split.slices = &good.slices[1];
  good.split.slice_count = 1;
  expectGood();
}

TEST_F(ValidateSplits, reach) {
  good.slices[0].low = -3;
  good.slices[0].high = -2;
  expectGood();
  good.slices[0].high = -4;
  expectMessage(
      "split along 'N': expected a positive stride and no empty reach "
      "in tensor 'x', but got 1 and -3 to -4");
  good.slices[0] = {0, 0, 0, 0, 0};
  expectMessage(
      "split along 'N': expected a positive stride and no empty reach "
      "in tensor 'x', but got 0 and 0 to 0");
}

TEST_F(ValidateSplits, reachOfOutput) {
  good.slices[1].high = 1;
  expectMessage("split along 'N': expected a stride of 1 and a reach of 0 in "
                "output 'y', but got 1 and 0 to 1");
}

TEST_F(ValidateSplits, move) {
  good.slices[0].stride = 2;
  expectMessage("split along 'N': expected a step to take as much of tensor "
                "'x' as a unit moves, but got 1 * 1 / 1 and 2");
  good.split.step = 2;
  int64_t n[] = {INT64_MAX};
  good.xExtents[0].coefficients = n;
  expectMessage("split along 'N': expected a step to take as much of tensor "
                "'x' as a unit moves, but got 2 * 9223372036854775807 / 1 and "
                "2");
}

TEST_F(ValidateSplits, moveOfHalfASize) {
  // y[p] reads x[2 * p], with extents N and (N + 1) / 2.
  good.slices[0].stride = 2;
  good.split.step = 2;
  good.yExtents[0].constant = 1;
  good.yExtents[0].divisor = 2;
  expectGood();
}

TEST_F(ValidateSplits, blocked) {
  good.tensors[0].layout = good.blocked;
  good.tensors[0].layout_count = 3;
  expectMessage("split along 'N': expected one factor of dimension 0 of tensor "
                "'x', but got 2");
  // Nobody cuts a temp.
  good.tensors[0].role = SPARKLE_ROLE_TEMP;
  good.code.workspace_size = Descriptor::workspaceSize;
  expectGood();
}

TEST_F(ValidateSplits, outputs) {
  good.tensors[0].role = SPARKLE_ROLE_OUTPUT;
  expectGood();
  good.yExtents[0].constant = 1;
  expectMessage("split along 'N': expected outputs of one extent, but got "
                "another of 'y' than of 'x'");
}

} // namespace
