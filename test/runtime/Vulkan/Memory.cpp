// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The pieces of a block: aligned, never overlapping, and one hole again in the
// end.

#include "runtime/Device/Vulkan/Memory.h"

#include <gtest/gtest.h>

using sparkle::runtime::MemoryBlock;

namespace {

MemoryBlock makeBlock(uint64_t size) {
  MemoryBlock block;
  block.size = size;
  block.free.push_back({0, size});
  return block;
}

TEST(VulkanMemory, fillsHoles) {
  MemoryBlock block = makeBlock(256);
  uint64_t a, b, c, d;
  ASSERT_TRUE(block.take(64, 64, a));
  ASSERT_TRUE(block.take(65, 64, b));
  ASSERT_TRUE(block.take(64, 64, c));
  EXPECT_EQ(a, 0u);
  EXPECT_EQ(b, 64u);
  EXPECT_EQ(c, 192u);
  EXPECT_FALSE(block.take(64, 64, d));
  ASSERT_TRUE(block.take(63, 1, d)); // behind b
  EXPECT_EQ(d, 129u);
  block.give(b, 65);
  ASSERT_TRUE(block.take(33, 32, b));
  EXPECT_EQ(b, 64u);
  EXPECT_FALSE(block.isEmpty());
  block.give(a, 64);
  block.give(c, 64);
  block.give(b, 33);
  block.give(d, 63);
  EXPECT_TRUE(block.isEmpty());
}

/// Takes and gives in an order that a hash of the step gives.
TEST(VulkanMemory, anyOrder) {
  MemoryBlock block = makeBlock(1 << 16);
  struct Taken {
    uint64_t offset, size;
  };
  std::vector<Taken> taken;
  for (uint64_t step = 0; step < 20000; ++step) {
    uint64_t hash = (step * 0x9e3779b97f4a7c15) >> 20;
    if (hash % 2 && !taken.empty()) {
      size_t i = hash / 2 % taken.size();
      block.give(taken[i].offset, taken[i].size);
      taken.erase(taken.begin() + i);
      continue;
    }
    Taken one = {0, 1 + hash / 2 % 3000};
    uint64_t alignment = uint64_t(1) << (hash % 9);
    if (!block.take(one.size, alignment, one.offset))
      continue;
    ASSERT_EQ(one.offset % alignment, 0u);
    ASSERT_LE(one.offset + one.size, block.size);
    for (const Taken &other : taken)
      ASSERT_TRUE(one.offset + one.size <= other.offset ||
                  other.offset + other.size <= one.offset);
    taken.push_back(one);
  }
  EXPECT_GT(taken.size(), 3u);
  for (const Taken &one : taken)
    block.give(one.offset, one.size);
  EXPECT_TRUE(block.isEmpty());
}

} // namespace
