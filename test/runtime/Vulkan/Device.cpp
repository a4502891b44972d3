// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Finding Vulkan devices or why there are none, and what one refuses. What all
// devices have in common is in test/runtime/Conformance.

#include "test/runtime/Vulkan/Work.h"

#include <vector>

namespace {

/// The sentence for which there is no Vulkan device in this environment. The
/// CPU is there nevertheless, and nothing is printed.
std::string findReason() {
  Variable log("SPARKLE_LOG", "0");
  Silence silence("\n"); // not a line
  sparkle_error_t error;
  sparkle_context_t *context;
  sparkle_device_t *device;
  EXPECT_OK(sparkle_context_create(&context, &error));
  EXPECT_OK(sparkle_context_find_device(context, "cpu", &device, &error));
  EXPECT_EQ(sparkle_context_get_device_count(context), 1u);
  EXPECT_EQ(sparkle_context_find_device(context, "vulkan:0", &device, &error),
            SPARKLE_UNAVAILABLE);
  EXPECT_EQ(device, nullptr);
  sparkle_context_release(context);
  return error.message;
}

TEST(VulkanMissing, loader) {
  Variable library("SPARKLE_VULKAN_LIBRARY", "/nowhere/libvulkan.so.1");
  EXPECT_EQ(findReason(),
            "device 'vulkan:0': expected the Vulkan loader, but got: "
            "/nowhere/libvulkan.so.1: cannot open shared object file: No such "
            "file or directory");
}

TEST(VulkanMissing, entryPoint) {
  Variable library("SPARKLE_VULKAN_LIBRARY", "libm.so.6");
  EXPECT_EQ(findReason(),
            "device 'vulkan:0': expected the Vulkan loader, but got "
            "'libm.so.6' without vkGetInstanceProcAddr");
}

TEST(VulkanMissing, driver) {
  Variable drivers("VK_ICD_FILENAMES", "/nowhere/driver.json");
  EXPECT_EQ(findReason(), "device 'vulkan:0': expected a Vulkan driver, but "
                          "the loader found none");
}

TEST(VulkanMissing, layer) {
  Variable validation("SPARKLE_VULKAN_VALIDATION", "1");
  Variable layers("VK_LAYER_PATH", "/nowhere");
  EXPECT_EQ(findReason(),
            "device 'vulkan:0': expected VK_LAYER_KHRONOS_validation, but the "
            "loader does not know it");
}

using VulkanDevice = VulkanTest;

TEST_F(VulkanDevice, properties) {
  sparkle_device_properties_t properties;
  sparkle_device_query_properties(device, &properties);
  EXPECT_STREQ(properties.name, "vulkan:0");
  EXPECT_NE(properties.description[0], 0);
  // What every Vulkan device has.
  EXPECT_GE(properties.invocations, 128u);
  EXPECT_GE(properties.local_memory, 16384u);
  EXPECT_GE(properties.max_buffer, uint64_t(1) << 27);
  EXPECT_EQ(properties.alignment % 16, 0u);
  EXPECT_GE(properties.queues, 1u);
  // Mesa's device for the processor, unless it is disguised as a card.
  EXPECT_EQ(properties.runs_on_host,
            std::strstr(properties.description, "llvmpipe") != nullptr);
}

/// One more than the width of the grid, and less than a workgroup, too.
TEST_F(VulkanDevice, dispatch) {
  sparkle_queue_t *queue = createQueue();
  for (int64_t n : {0, 1, 64, 65, 100000, 65535 * 64 + 1}) {
    Work work(device, affine.kernel, n);
    wait(queue, submit(queue, work.recording));
    work.expectOutput();
  }
  sparkle_queue_release(queue);
}

TEST_F(VulkanDevice, times) {
  if (!hasTimestamps())
    GTEST_SKIP() << "no timestamps";
  sparkle_queue_t *queue = createQueue();
  Work work(device, affine.kernel, 1000);
  uint64_t begin, end, before = 0;
  for (int i = 0; i < 5; ++i) {
    uint64_t value =
        submit(queue, work.recording, {}, {}, SPARKLE_SUBMIT_TIMED);
    wait(queue, value);
    ASSERT_OK(sparkle_queue_query_times(queue, value, &begin, &end, &error));
    EXPECT_LE(before, begin);
    EXPECT_LT(begin, end);
    before = end;
  }
  EXPECT_EQ(sparkle_queue_query_times(queue, 2, &begin, &end, &error),
            SPARKLE_INVALID_ARGUMENT);
  EXPECT_STREQ(error.message, "expected one of the last 3 submissions with "
                              "SPARKLE_SUBMIT_TIMED, but got 2");
  wait(queue, submit(queue, work.recording));
  EXPECT_EQ(sparkle_queue_query_times(queue, 6, &begin, &end, &error),
            SPARKLE_INVALID_ARGUMENT);
  sparkle_queue_release(queue);
}

TEST_F(VulkanDevice, measure) {
  sparkle_device_performance_t performance;
  ASSERT_OK(sparkle_device_measure(device, 0, &performance, &error));
  EXPECT_GT(performance.gflops, 0);
  EXPECT_GT(performance.gbytes_per_second, 0);
  EXPECT_GT(performance.copy_gbytes_per_second, 0);
  EXPECT_GT(performance.launch_ns, 0);
  EXPECT_GT(performance.near_gbytes_per_second, 0);
}

//===----------------------------------------------------------------------===//
// What it cannot run
//===----------------------------------------------------------------------===//

struct VulkanRefusal : VulkanTest {
  std::string refuse(sparkle_status_t status) {
    sparkle_module_t *module;
    EXPECT_EQ(sparkle_module_create(device, &affine.kernel, &module, &error),
              status);
    EXPECT_EQ(module, nullptr);
    sparkle_module_release(module);
    return error.message;
  }
  void expectReason(const std::string &reason) {
    std::string message = refuse(SPARKLE_NO_IMAGE);
    EXPECT_NE(message.find(reason), std::string::npos) << message;
  }
};

TEST_F(VulkanRefusal, invocations) {
  sparkle_device_properties_t properties;
  sparkle_device_query_properties(device, &properties);
  affine.launch.invocations = 1 << 20;
  expectReason("needs 1048576 invocations of a workgroup, but the device has " +
               std::to_string(properties.invocations));
}

TEST_F(VulkanRefusal, workgroupMemory) {
  sparkle_device_properties_t properties;
  sparkle_device_query_properties(device, &properties);
  affine.launch.local_size = 1 << 30;
  expectReason(
      "needs 1073741824 bytes of workgroup memory, but the device has " +
      std::to_string(properties.local_memory));
}

TEST_F(VulkanRefusal, image) {
  affine.setImage(0, 0);
  EXPECT_EQ(refuse(SPARKLE_INVALID_ARTIFACT),
            "kernel 'affine': expected a SPIR-V module, but got " +
                std::to_string(sizeof(affine.image)) +
                " bytes of something else");
}

TEST_F(VulkanRefusal, arguments) {
  std::vector<sparkle_tensor_t> tensors(255, affine.tensors[0]);
  std::vector<std::string> names;
  for (size_t i = 0; i < tensors.size(); ++i)
    names.push_back("x" + std::to_string(i));
  for (size_t i = 0; i < tensors.size(); ++i)
    tensors[i].name = names[i].c_str();
  tensors.push_back(affine.tensors[1]);
  affine.kernel.tensors = tensors.data();
  affine.kernel.tensor_count = 256;
  std::string message = refuse(SPARKLE_NO_IMAGE);
  EXPECT_NE(message.find("kernel 'affine': expected at most "),
            std::string::npos)
      << message;
  EXPECT_NE(message.find(" buffers, but got 256"), std::string::npos)
      << message;
}

/// 32 bits do not count that; no tensor depends on it.
TEST_F(VulkanRefusal, size) {
  const char *names[] = {"N", "M"};
  int64_t one[] = {1, 0}, sizes[] = {64, int64_t(1) << 31};
  affine.kernel.size_names = names;
  affine.kernel.size_count = 2;
  affine.extent.coefficients = affine.groups.coefficients = one;
  sparkle_module_t *module;
  ASSERT_OK(sparkle_module_create(device, &affine.kernel, &module, &error));
  sparkle_buffer_t *buffers[2];
  sparkle_view_t views[2] = {};
  for (int i = 0; i < 2; ++i) {
    ASSERT_OK(sparkle_buffer_create(device, SPARKLE_MEMORY_DEVICE, 256,
                                    &buffers[i], &error));
    views[i].buffer = buffers[i];
  }
  sparkle_command_t command = {};
  command.module = module;
  command.arguments = views;
  command.argument_count = 2;
  command.sizes = sizes;
  command.size_count = 2;
  sparkle_recording_t *recording;
  EXPECT_EQ(sparkle_recording_create(device, &command, 1, &recording, &error),
            SPARKLE_WRONG_SHAPE);
  EXPECT_STREQ(error.message, "command 0, size 'M': expected at most "
                              "2147483647, but got 2147483648");
  sizes[1] = 7;
  affine.groups.constant = int64_t(1) << 62;
  EXPECT_EQ(sparkle_recording_create(device, &command, 1, &recording, &error),
            SPARKLE_WRONG_SHAPE);
  EXPECT_STREQ(error.message, "kernel 'affine': expected at most 4294836225 "
                              "workgroups, but got more");
  for (sparkle_buffer_t *buffer : buffers)
    sparkle_buffer_release(buffer);
  sparkle_module_release(module);
}

/// A workspace is bound as arguments are, and no longer than these.
TEST_F(VulkanRefusal, workspace) {
  static uint64_t bytes; // a kernel's function has nothing but sizes
  sparkle_device_properties_t properties;
  sparkle_device_query_properties(device, &properties);
  bytes = properties.max_buffer + 1;
  affine.code.workspace_size = [](const int64_t *) -> int64_t { return bytes; };
  sparkle_module_t *module;
  ASSERT_OK(sparkle_module_create(device, &affine.kernel, &module, &error));
  const int64_t n = 64;
  sparkle_buffer_t *buffers[2];
  sparkle_view_t views[2] = {};
  for (int i = 0; i < 2; ++i) {
    ASSERT_OK(sparkle_buffer_create(device, SPARKLE_MEMORY_DEVICE, 256,
                                    &buffers[i], &error));
    views[i].buffer = buffers[i];
  }
  sparkle_command_t command = {};
  command.module = module;
  command.arguments = views;
  command.argument_count = 2;
  command.sizes = &n;
  command.size_count = 1;
  sparkle_recording_t *recording;
  EXPECT_EQ(sparkle_recording_create(device, &command, 1, &recording, &error),
            SPARKLE_MISSING_FEATURE);
  EXPECT_EQ(std::string(error.message),
            "command 0: expected a workspace of at most " +
                std::to_string(bytes - 1) +
                " bytes, which vulkan:0 takes, but "
                "got " +
                std::to_string(bytes));
  for (sparkle_buffer_t *buffer : buffers)
    sparkle_buffer_release(buffer);
  sparkle_module_release(module);
}

/// The layer finds a shader that reads push constants which it is not given.
TEST(VulkanValidation, message) {
  sparkle_error_t error;
  Environment environment;
  Variable log("SPARKLE_LOG", "0");
  sparkle_context_t *context;
  sparkle_device_t *device;
  sparkle_module_t *module;
  AffineKernel affine;
  affine.kernel.size_count = 0;
  affine.kernel.size_names = nullptr;
  affine.extent = {64, 1, nullptr};
  affine.groups = {1, 1, nullptr};
  ASSERT_OK(sparkle_context_create(&context, &error));
  ASSERT_OK(sparkle_context_find_device(context, "vulkan:0", &device, &error));
  EXPECT_EQ(sparkle_module_create(device, &affine.kernel, &module, &error),
            SPARKLE_DRIVER);
  EXPECT_NE(std::string(error.message).find("VUID-"), std::string::npos)
      << error.message;
  // Said once; the device works.
  sparkle_queue_t *queue;
  EXPECT_OK(sparkle_queue_create(device, &queue, &error));
  sparkle_queue_release(queue);
  sparkle_context_release(context);
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

TEST_F(VulkanDevice, memory) {
  sparkle_buffer_t *buffer;
  EXPECT_EQ(sparkle_buffer_create(device, SPARKLE_MEMORY_DEVICE,
                                  uint64_t(1) << 60, &buffer, &error),
            SPARKLE_OUT_OF_MEMORY);
  EXPECT_EQ(buffer, nullptr);
  for (uint64_t size : {0, 1, 4, 1000, 1 << 20, 40 << 20})
    for (int memory = 0; memory < 3; ++memory) {
      ASSERT_OK(sparkle_buffer_create(device,
                                      static_cast<sparkle_memory_t>(memory),
                                      size, &buffer, &error));
      EXPECT_EQ(sparkle_buffer_get_size(buffer), size);
      void *pointer = sparkle_buffer_get_pointer(buffer);
      EXPECT_EQ(reinterpret_cast<uintptr_t>(pointer) % 64, 0u);
      if (memory != SPARKLE_MEMORY_DEVICE) {
        EXPECT_EQ(pointer != nullptr, size != 0);
      }
      if (pointer)
        std::memset(pointer, 0xa5, size);
      sparkle_buffer_release(buffer);
    }
}

/// More than many drivers grant allocations, let go in another order, their
/// bytes not mixed up.
TEST_F(VulkanDevice, smallBuffers) {
  std::vector<sparkle_buffer_t *> buffers(6000);
  for (size_t i = 0; i < buffers.size(); ++i) {
    ASSERT_OK(sparkle_buffer_create(device, SPARKLE_MEMORY_UPLOAD,
                                    1 + i * 37 % 5000, &buffers[i], &error));
    std::memset(sparkle_buffer_get_pointer(buffers[i]), static_cast<int>(i),
                1 + i * 37 % 5000);
  }
  int wrong = 0;
  for (size_t i = 0; i < buffers.size(); ++i) {
    auto *bytes = static_cast<const unsigned char *>(
        sparkle_buffer_get_pointer(buffers[i]));
    wrong += bytes[0] != (i & 255) || bytes[i * 37 % 5000] != (i & 255);
  }
  EXPECT_EQ(wrong, 0);
  for (size_t i = 0; i < buffers.size(); ++i)
    sparkle_buffer_release(buffers[i * 7 % buffers.size()]);
}

} // namespace
