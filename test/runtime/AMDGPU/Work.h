// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A device of the mocked library, and a kernel with its buffers on it.

#ifndef SPARKLE_TEST_RUNTIME_AMDGPU_WORK_H
#define SPARKLE_TEST_RUNTIME_AMDGPU_WORK_H

#include "test/runtime/AMDGPU/Kernels.h"
#include "test/runtime/AMDGPU/Mock.h"
#include "test/runtime/Environment.h"

#include <chrono>
#include <dlfcn.h>
#include <fstream>
#include <memory>
#include <thread>

#define EXPECT_OK(call) EXPECT_EQ(call, SPARKLE_OK) << error.message
#define ASSERT_OK(call) ASSERT_EQ(call, SPARKLE_OK) << error.message

inline const AMDGPUMock &getMock() {
  // Opened once, as the runtime's own opening of the same file must find it.
  static void *library = dlopen(SPARKLE_TEST_MOCK, RTLD_NOW | RTLD_LOCAL);
  return *static_cast<const AMDGPUMock *>(dlsym(library, "amdgpuMock"));
}

/// A folder with render nodes, and the library.
struct MockedMachine {
  MockedMachine() {
    getMock().reset();
    addNode(128);
  }
  void addNode(int number) { std::ofstream(path(number)) << "a node"; }
  std::string path(int number) const {
    return folder.path + "/renderD" + std::to_string(number);
  }

  Folder folder;
  Variable nodes{"SPARKLE_AMDGPU_NODES", folder.path.c_str()};
  Variable library{"SPARKLE_AMDGPU_LIBRARY", SPARKLE_TEST_MOCK};
  Variable vulkan{"SPARKLE_VULKAN_LIBRARY", "/nowhere"};
  MockState &state = getMock().state();
};

/// A kernel with its buffers in memory that the host sees, and a recording.
struct Work {
  Work(sparkle_device_t *device, const sparkle_kernel_t &kernel, int64_t n)
      : n(n) {
    sparkle_error_t error;
    uint64_t bytes = n * sizeof(float);
    EXPECT_OK(sparkle_module_create(device, &kernel, &module, &error));
    EXPECT_OK(sparkle_buffer_create(device, SPARKLE_MEMORY_UPLOAD, bytes, &x,
                                    &error));
    EXPECT_OK(sparkle_buffer_create(device, SPARKLE_MEMORY_READBACK, bytes, &y,
                                    &error));
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
    EXPECT_OK(
        sparkle_recording_create(device, &command, 1, &recording, &error));
    for (int64_t i = 0; i < n; ++i)
      input()[i] = static_cast<float>(i % 1001);
    clear();
  }
  Work(const Work &) = delete;
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
  void clear() {
    if (n)
      std::memset(output(), 0, n * sizeof(float));
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

/// A context on that machine, and its first device. Everything is freed in the
/// end.
struct AMDGPUTest : testing::Test {
  void TearDown() override {
    close();
    // A queue that was released with work may end in a thread of its own.
    for (int i = 0; i < 5000 && state.devices; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    EXPECT_EQ(state.objects, 0u);
    EXPECT_EQ(state.contexts, 0u);
    EXPECT_EQ(state.ranges, 0u);
    EXPECT_EQ(state.mappings, 0u);
    EXPECT_EQ(state.lists, 0u);
    EXPECT_EQ(state.devices, 0u);
  }
  void open() {
    ASSERT_OK(sparkle_context_create(&context, &error));
    ASSERT_OK(
        sparkle_context_find_device(context, "amdgpu:0", &device, &error));
  }
  void close() {
    sparkle_context_release(context);
    context = nullptr;
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
  sparkle_status_t trySubmit(sparkle_queue_t *queue,
                             sparkle_recording_t *recording, uint64_t *value,
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
    return sparkle_queue_submit(queue, &submission, value, &error);
  }
  uint64_t submit(sparkle_queue_t *queue, sparkle_recording_t *recording,
                  std::vector<sparkle_point_t> waits = {},
                  std::vector<sparkle_point_t> signals = {},
                  uint32_t flags = 0) {
    uint64_t value = 0;
    EXPECT_OK(trySubmit(queue, recording, &value, std::move(waits),
                        std::move(signals), flags));
    return value;
  }
  sparkle_status_t tryWait(sparkle_queue_t *queue, uint64_t value,
                           uint64_t timeout = SPARKLE_FOREVER) {
    return sparkle_timeline_wait(sparkle_queue_get_timeline(queue), value,
                                 timeout, &error);
  }
  void wait(sparkle_queue_t *queue, uint64_t value) {
    EXPECT_OK(tryWait(queue, value));
  }

  MockedMachine machine;
  MockState &state = machine.state;
  AffineKernel affine;
  sparkle_error_t error;
  sparkle_context_t *context = nullptr;
  sparkle_device_t *device = nullptr;
};

#endif // SPARKLE_TEST_RUNTIME_AMDGPU_WORK_H
