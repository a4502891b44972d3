// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What is particular about Vulkan devices; the rest is
// test/runtime/Conformance.

#include "test/runtime/Vulkan/Kernels.h"

#include <cstring>
#include <gtest/gtest.h>
#include <thread>
#include <vector>

namespace {

struct VulkanDevice : testing::Test {
  void SetUp() override {
    ASSERT_EQ(sparkle_context_create(&context, &error), SPARKLE_OK);
    ASSERT_EQ(sparkle_context_find_device(context, "vulkan:0", &device, &error),
              SPARKLE_OK)
        << error.message;
  }
  void TearDown() override { sparkle_context_release(context); }

  AffineKernel affine;
  sparkle_error_t error;
  sparkle_context_t *context = nullptr;
  sparkle_device_t *device = nullptr;
};

/// A kernel with its buffers in memory that the host sees, and a recording.
struct Work {
  Work(sparkle_device_t *device, const sparkle_kernel_t &kernel, int64_t n)
      : n(n) {
    sparkle_error_t error;
    uint64_t bytes = n * sizeof(float);
    EXPECT_EQ(sparkle_module_create(device, &kernel, &module, &error),
              SPARKLE_OK)
        << error.message;
    EXPECT_EQ(
        sparkle_buffer_create(device, SPARKLE_MEMORY_UPLOAD, bytes, &x, &error),
        SPARKLE_OK);
    EXPECT_EQ(sparkle_buffer_create(device, SPARKLE_MEMORY_READBACK, bytes, &y,
                                    &error),
              SPARKLE_OK);
    sparkle_view_t views[2] = {};
    views[0].buffer = x;
    views[1].buffer = y;
    sparkle_command_t command = {};
    command.kind = SPARKLE_COMMAND_KERNEL;
    command.module = module;
    command.arguments = views;
    command.argument_count = 2;
    command.sizes = &n;
    command.size_count = 1;
    EXPECT_EQ(sparkle_recording_create(device, &command, 1, &recording, &error),
              SPARKLE_OK)
        << error.message;
    for (int64_t i = 0; i < n; ++i)
      input()[i] = static_cast<float>(i % 1001);
    if (n)
      std::memset(output(), 0, bytes);
  }
  ~Work() {
    sparkle_recording_release(recording);
    sparkle_buffer_release(x);
    sparkle_buffer_release(y);
    sparkle_module_release(module);
  }
  float *input() { return static_cast<float *>(sparkle_buffer_get_pointer(x)); }
  float *output() {
    return static_cast<float *>(sparkle_buffer_get_pointer(y));
  }
  void expectOutput() {
    int64_t wrong = 0;
    for (int64_t i = 0; i < n; ++i)
      wrong += output()[i] != 2 * static_cast<float>(i % 1001) + 1;
    EXPECT_EQ(wrong, 0);
  }

  int64_t n;
  sparkle_module_t *module = nullptr;
  sparkle_buffer_t *x = nullptr, *y = nullptr;
  sparkle_recording_t *recording = nullptr;
};

TEST_F(VulkanDevice, properties) {
  sparkle_device_properties_t properties;
  sparkle_device_query_properties(device, &properties);
  EXPECT_STREQ(properties.name, "vulkan:0");
  EXPECT_NE(properties.description[0], 0);
  EXPECT_GE(properties.invocations, 128u);
  EXPECT_GE(properties.local_memory, 16384u);
  EXPECT_GE(properties.max_buffer, uint64_t(1) << 27);
  EXPECT_GE(properties.queues, 1u);
}

TEST_F(VulkanDevice, dispatch) {
  for (int64_t n : {1, 64, 65, 100000, 65535 * 64 + 1}) {
    Work work(device, affine.kernel, n);
    sparkle_queue_t *queue;
    ASSERT_EQ(sparkle_queue_create(device, &queue, &error), SPARKLE_OK);
    sparkle_submission_t submission = {};
    submission.recording = work.recording;
    submission.flags = SPARKLE_SUBMIT_TIMED;
    uint64_t value;
    ASSERT_EQ(sparkle_queue_submit(queue, &submission, &value, &error),
              SPARKLE_OK)
        << error.message;
    ASSERT_EQ(sparkle_timeline_wait(sparkle_queue_get_timeline(queue), value,
                                    SPARKLE_FOREVER, &error),
              SPARKLE_OK)
        << error.message;
    work.expectOutput();
    uint64_t begin, end;
    ASSERT_EQ(sparkle_queue_query_times(queue, value, &begin, &end, &error),
              SPARKLE_OK)
        << error.message;
    EXPECT_LE(begin, end);
    sparkle_queue_release(queue);
  }
}

} // namespace
