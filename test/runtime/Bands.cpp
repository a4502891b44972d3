// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What codes with different tiles have in common.

#include "runtime/Bands.h"
#include "test/runtime/Descriptor.h"

#include <gtest/gtest.h>

namespace {

using namespace sparkle::runtime;

/// y[n, k] of N x 20, by two codes.
struct BandsTest : testing::Test {
  BandsTest() {
    for (sparkle_code_t *code : {&cpu, &gpu}) {
      *code = good.code;
      code->cut_count = 2;
    }
    cpu.cuts = cpuCuts;
    gpu.cuts = gpuCuts;
    gpu.target = SPARKLE_TARGET_Vulkan;
    gpu.launches = &launch;
    gpu.launch_count = 1;
  }

  /// The units, and what is one: 1 unit if it is not divided.
  void expect(int64_t n, uint32_t dimension, int64_t unit, int64_t units) {
    Bands bands = findBands(good.kernel, {&cpu, &gpu}, &n);
    ASSERT_EQ(bands.output != nullptr, units > 1);
    if (!bands.output)
      return;
    EXPECT_EQ(bands.output, &good.tensors[2]);
    EXPECT_EQ(bands.dimension, dimension);
    EXPECT_EQ(bands.unit, unit);
    EXPECT_EQ(bands.countUnits(), units);
  }

  Descriptor good;
  sparkle_code_t cpu, gpu;
  sparkle_cut_t cpuCuts[2] = {{0, 0, 1}, {1, 1, 4}};
  sparkle_cut_t gpuCuts[2] = {{0, 0, 2}, {1, 1, 6}};
  sparkle_extent_t grid[2] = {{1, 2, good.n}, {4, 1, nullptr}};
  sparkle_launch_t launch = {"main", grid, 2, 64, 0, 0};
};

TEST_F(BandsTest, theFirstDimensionWithSeveral) {
  expect(9, 0, 2, 5);
  expect(3, 0, 2, 2);
  expect(2, 1, 12, 2); // the batch is one workgroup
  expect(0, 1, 0, 1);  // there is nothing
}

TEST_F(BandsTest, theLastOneMayBeShorter) {
  int64_t n = 9;
  Bands bands = findBands(good.kernel, {&cpu, &gpu}, &n);
  Band last = bands.get(3, 5);
  EXPECT_EQ(last.dimension, 0u);
  EXPECT_EQ(last.begin, 6);
  EXPECT_EQ(last.end, 9);
}

TEST_F(BandsTest, tilesWithoutACommonMultipleInside) {
  cpuCuts[1].tile = 5;
  expect(1, 1, 0, 1);
  cpuCuts[1].tile = INT64_MAX - 1; // whose multiple does not fit in 64 bits
  expect(1, 1, 0, 1);
}

TEST_F(BandsTest, noCut) {
  cpu.cut_count = 1;
  expect(1, 1, 0, 1);
  gpu.cuts = nullptr;
  gpu.cut_count = 0;
  expect(9, 0, 0, 1);
}

TEST_F(BandsTest, severalWorkgroupsBefore) {
  gpu.cut_count = 1;
  gpuCuts[0] = gpuCuts[1];
  expect(2, 1, 12, 2);
  expect(3, 1, 0, 1);
}

TEST_F(BandsTest, moreWorkgroupsThanARowOfTheGrid) {
  grid[1].constant = SPARKLE_GRID_WIDTH;
  expect(1, 1, 12, 2);
  grid[1].constant = SPARKLE_GRID_WIDTH + 1;
  expect(1, 1, 0, 1);
}

TEST_F(BandsTest, blockedLayout) {
  good.tensors[2].layout = good.blocked;
  good.tensors[2].layout_count = 3;
  expect(9, 1, 0, 1);
  expect(2, 1, 12, 2);
}

} // namespace
