// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A device, and a kernel with its buffers on it.

#ifndef SPARKLE_TEST_RUNTIME_VULKAN_WORK_H
#define SPARKLE_TEST_RUNTIME_VULKAN_WORK_H

#include "test/runtime/Vulkan/Environment.h"
#include "test/runtime/Vulkan/Kernels.h"

#include <cstring>
#include <vector>

#define EXPECT_OK(call) EXPECT_EQ(call, SPARKLE_OK) << error.message
#define ASSERT_OK(call) ASSERT_EQ(call, SPARKLE_OK) << error.message

/// A context with the validation layer, and its first Vulkan device.
struct VulkanTest : testing::Test {
  void SetUp() override {
    ASSERT_OK(sparkle_context_create(&context, &error));
    ASSERT_OK(
        sparkle_context_find_device(context, "vulkan:0", &device, &error));
  }
  void TearDown() override { sparkle_context_release(context); }

  bool hasTimestamps() const {
    sparkle_device_properties_t properties;
    sparkle_device_query_properties(device, &properties);
    return properties.has_timestamps;
  }
  sparkle_queue_t *createQueue() {
    sparkle_queue_t *queue = nullptr;
    EXPECT_OK(sparkle_queue_create(device, &queue, &error));
    return queue;
  }
  sparkle_timeline_t *createTimeline() {
    sparkle_timeline_t *timeline = nullptr;
    EXPECT_OK(sparkle_timeline_create(context, 0, &timeline, &error));
    return timeline;
  }
  uint64_t submit(sparkle_queue_t *queue, sparkle_recording_t *recording,
                  std::vector<sparkle_point_t> waits = {},
                  std::vector<sparkle_point_t> signals = {},
                  uint32_t flags = 0) {
    sparkle_submission_t submission = {};
    submission.recording = recording;
    submission.flags = flags;
    submission.waits = waits.data();
    submission.wait_count = static_cast<uint32_t>(waits.size());
    submission.signals = signals.data();
    submission.signal_count = static_cast<uint32_t>(signals.size());
    uint64_t value = 0;
    EXPECT_OK(sparkle_queue_submit(queue, &submission, &value, &error));
    return value;
  }
  void wait(sparkle_timeline_t *timeline, uint64_t value) {
    EXPECT_OK(sparkle_timeline_wait(timeline, value, SPARKLE_FOREVER, &error));
  }
  void wait(sparkle_queue_t *queue, uint64_t value) {
    wait(sparkle_queue_get_timeline(queue), value);
  }

  Silence silence; // ends last
  Environment environment;
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

#endif // SPARKLE_TEST_RUNTIME_VULKAN_WORK_H
