// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A loader that remembers the device that the runtime made, so that the minimal
// loop can use the same one: two devices of one driver differ by more than the
// runtime costs.

#ifndef SPARKLE_TEST_RUNTIME_OVERHEAD_WITNESS_H
#define SPARKLE_TEST_RUNTIME_OVERHEAD_WITNESS_H

#include <vulkan/vulkan_core.h>

/// What the library exports as `vulkanWitness`; the last device made.
struct VulkanWitness {
  PFN_vkGetInstanceProcAddr getInstanceProcAddr;
  VkInstance instance;
  VkPhysicalDevice physical;
  VkDevice device;
  uint32_t family; ///< Of the first queue that was asked for.
  VkQueue queue;
};

#endif // SPARKLE_TEST_RUNTIME_OVERHEAD_WITNESS_H
