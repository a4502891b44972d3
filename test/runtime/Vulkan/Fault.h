// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How a test tells the loader of Fault.cpp what to fail. Functions are numbered
// as in runtime/Device/Vulkan/Functions.def.

#ifndef SPARKLE_TEST_RUNTIME_VULKAN_FAULT_H
#define SPARKLE_TEST_RUNTIME_VULKAN_FAULT_H

#include <cstdint>

/// All that the test calls, by the name `vulkanFault`.
struct VulkanFault {
  uint32_t functionCount;
  /// Without `vk`.
  const char *(*getName)(uint32_t function);
  /// Whether it returns a VkResult, so that it can fail.
  bool (*canFail)(uint32_t function);
  /// From now on, the `call`th call (from 1) of `function` is not made, and
  /// returns `result`. 0: none.
  void (*set)(uint32_t function, uint32_t call, int32_t result);
  /// Calls since `set`.
  uint32_t (*countCalls)(uint32_t function);
  /// Devices that are not destroyed yet.
  uint32_t (*countDevices)();
};

#endif // SPARKLE_TEST_RUNTIME_VULKAN_FAULT_H
