// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a discrete card has that lavapipe has not. All else is in the tests of
// every device, which ctest runs on the card, too.

#include "test/runtime/Vulkan/Work.h"

namespace {

struct VulkanCard : VulkanTest {
  sparkle_buffer_t *create(sparkle_memory_t memory, uint64_t size) {
    sparkle_buffer_t *buffer = nullptr;
    status = sparkle_buffer_create(device, memory, size, &buffer, &error);
    return buffer;
  }
  sparkle_status_t status = SPARKLE_OK; // of the last one created

private:
  Variable library{"SPARKLE_VULKAN_LIBRARY", SPARKLE_TEST_CARD};
};

TEST_F(VulkanCard, properties) {
  sparkle_device_properties_t properties;
  sparkle_device_query_properties(device, &properties);
  EXPECT_STREQ(properties.description, "a card in disguise");
  EXPECT_EQ(properties.memory, uint64_t(512) << 20);
  EXPECT_EQ(properties.max_buffer, uint64_t(128) << 20);
  EXPECT_EQ(properties.alignment, 256u);
  EXPECT_EQ(properties.invocations, 128u);
  EXPECT_EQ(properties.local_memory, 16384u);
  EXPECT_EQ(properties.queues, 2u);
  EXPECT_TRUE(properties.has_copy_engine);
  EXPECT_FALSE(properties.has_timestamps);
  EXPECT_FALSE(properties.is_unified);
  EXPECT_FALSE(properties.runs_on_host);
}

TEST_F(VulkanCard, whatTheHostSees) {
  for (uint64_t size : {4, 40 << 20})
    for (sparkle_memory_t memory :
         {SPARKLE_MEMORY_DEVICE, SPARKLE_MEMORY_UPLOAD,
          SPARKLE_MEMORY_READBACK}) {
      sparkle_buffer_t *buffer = create(memory, size);
      ASSERT_OK(status);
      EXPECT_EQ(sparkle_buffer_get_pointer(buffer) != nullptr,
                memory != SPARKLE_MEMORY_DEVICE);
      sparkle_buffer_release(buffer);
    }
}

/// The card grants 24 allocations. What is freed can be had again.
TEST_F(VulkanCard, allocations) {
  std::vector<sparkle_buffer_t *> buffers;
  while (sparkle_buffer_t *buffer = create(SPARKLE_MEMORY_UPLOAD, 17 << 20))
    buffers.push_back(buffer);
  EXPECT_EQ(buffers.size(), 24u);
  EXPECT_EQ(status, SPARKLE_OUT_OF_MEMORY);
  EXPECT_STREQ(error.message, "expected at most 24 allocations of memory, but "
                              "got one more");
  EXPECT_EQ(create(SPARKLE_MEMORY_DEVICE, 4), nullptr);
  sparkle_buffer_release(buffers.back());
  buffers.back() = create(SPARKLE_MEMORY_DEVICE, 4);
  EXPECT_OK(status);
  for (sparkle_buffer_t *buffer : buffers)
    sparkle_buffer_release(buffer);
}

/// Less is left than a block that is shared.
TEST_F(VulkanCard, fullHeap) {
  std::vector<sparkle_buffer_t *> buffers;
  for (uint64_t size : {100 << 20, 10 << 20, 1 << 20})
    while (sparkle_buffer_t *buffer = create(SPARKLE_MEMORY_DEVICE, size))
      buffers.push_back(buffer);
  EXPECT_EQ(status, SPARKLE_OUT_OF_MEMORY);
  EXPECT_EQ(buffers.size(), 5u + 1 + 2);
  for (sparkle_buffer_t *buffer : buffers)
    sparkle_buffer_release(buffer);
}

} // namespace
