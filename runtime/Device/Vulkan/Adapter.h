// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a physical device says about itself, and whether that is enough.

#ifndef SPARKLE_RUNTIME_DEVICE_VULKAN_ADAPTER_H
#define SPARKLE_RUNTIME_DEVICE_VULKAN_ADAPTER_H

#include "runtime/Device/Vulkan/Loader.h"

namespace sparkle::runtime {

/// A family of queues that is used, and how many of it.
struct Family {
  uint32_t index = 0;
  uint32_t count = 0; // 0: there is none
};

struct Adapter {
  VkPhysicalDevice handle = VK_NULL_HANDLE;
  VkPhysicalDeviceProperties properties = {};
  VkPhysicalDeviceMemoryProperties memory = {};
  uint64_t maxAllocation = 0; // bytes
  uint32_t version = 0;       // the lower one of instance and device
  Family compute;
  Family transfer; // copies, and nothing else
  bool has16BitStorage = false;
  bool hasTimestamps = false;
  uint32_t timestampBits = 0; // that count; the clock wraps behind them
  /// Host and device share one memory.
  bool isUnified = false;
  std::vector<const char *> extensions; // to be enabled

  /// SPARKLE_UNAVAILABLE and what is missing if the runtime cannot use it.
  static Status inspect(const Instance &instance, VkPhysicalDevice handle,
                        Adapter &adapter);

  void describe(uint32_t index, sparkle_device_properties_t &out) const;
};

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_DEVICE_VULKAN_ADAPTER_H
