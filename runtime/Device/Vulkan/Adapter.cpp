// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads a physical device's properties, features, memory and queue families.

#include "runtime/Device/Vulkan/Adapter.h"
#include "runtime/Device/Vulkan/Result.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

namespace sparkle::runtime {

/// Queues of a family that are used at most.
static constexpr uint32_t maxQueues = 8;
/// Offsets of arguments are at least this, whatever a device allows: kernels
/// move vectors of 16 bytes.
static constexpr uint32_t minAlignment = 16;
/// Kernels count elements with 32 bits.
static constexpr uint64_t maxBuffer = uint64_t(INT32_MAX) * sizeof(float);

namespace {

struct Extensions {
  std::vector<VkExtensionProperties> list;

  bool has(const char *name) const {
    for (const VkExtensionProperties &extension : list)
      if (std::strcmp(extension.extensionName, name) == 0)
        return true;
    return false;
  }
};

struct Features {
  VkPhysicalDeviceTimelineSemaphoreFeatures timeline = {};
  VkPhysicalDeviceHostQueryResetFeatures queryReset = {};
  VkPhysicalDevice16BitStorageFeatures storage = {};
};

} // namespace

static Status readExtensions(const Functions &vk, VkPhysicalDevice device,
                             Extensions &extensions) {
  VkResult result = VK_INCOMPLETE;
  while (result == VK_INCOMPLETE) {
    uint32_t count = 0;
    result =
        vk.EnumerateDeviceExtensionProperties(device, nullptr, &count, nullptr);
    if (result != VK_SUCCESS)
      break;
    extensions.list.resize(count);
    result = vk.EnumerateDeviceExtensionProperties(device, nullptr, &count,
                                                   extensions.list.data());
    extensions.list.resize(count);
  }
  return toStatus(result, "EnumerateDeviceExtensionProperties");
}

static void readProperties(const Instance &instance, Adapter &adapter) {
  VkPhysicalDeviceMaintenance3Properties limits = {};
  limits.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_3_PROPERTIES;
  VkPhysicalDeviceProperties2 properties = {};
  properties.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2;
  properties.pNext = &limits;
  const Functions &vk = instance.functions();
  vk.GetPhysicalDeviceProperties2(adapter.handle, &properties);
  adapter.properties = properties.properties;
  adapter.maxAllocation = limits.maxMemoryAllocationSize;
  adapter.version = std::min(instance.version(), adapter.properties.apiVersion);
  vk.GetPhysicalDeviceMemoryProperties(adapter.handle, &adapter.memory);
}

/// Features that are missing stay false: a driver does not write structs that
/// it does not know.
static Status readFeatures(const Functions &vk, Adapter &adapter,
                           Features &features) {
  Extensions extensions;
  if (Status status = readExtensions(vk, adapter.handle, extensions);
      !status.isOk())
    return status;
  bool isCore = adapter.version >= VK_API_VERSION_1_2;
  auto enable = [&](const char *name) {
    if (isCore || !extensions.has(name))
      return isCore;
    adapter.extensions.push_back(name);
    return true;
  };
  VkPhysicalDeviceFeatures2 all = {};
  all.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2;
  features.storage.sType =
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_16BIT_STORAGE_FEATURES;
  all.pNext = &features.storage;
  if (enable(VK_KHR_TIMELINE_SEMAPHORE_EXTENSION_NAME)) {
    features.timeline.sType =
        VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_TIMELINE_SEMAPHORE_FEATURES;
    features.timeline.pNext = all.pNext;
    all.pNext = &features.timeline;
  }
  if (enable(VK_EXT_HOST_QUERY_RESET_EXTENSION_NAME)) {
    features.queryReset.sType =
        VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_HOST_QUERY_RESET_FEATURES;
    features.queryReset.pNext = all.pNext;
    all.pNext = &features.queryReset;
  }
  vk.GetPhysicalDeviceFeatures2(adapter.handle, &all);
  if (extensions.has("VK_KHR_portability_subset")) // must be enabled then
    adapter.extensions.push_back("VK_KHR_portability_subset");
  return {};
}

/// Of a family that copies and has no other work, such as to decode video.
static bool isCopyEngine(VkQueueFlags flags) {
  constexpr VkQueueFlags harmless =
      VK_QUEUE_SPARSE_BINDING_BIT | VK_QUEUE_PROTECTED_BIT;
  return (flags & ~harmless) == VK_QUEUE_TRANSFER_BIT;
}

/// A family that computes, best one that does not draw, and one that only
/// copies; and the bits that count of the timestamps of both.
static void chooseFamilies(const Functions &vk, Adapter &adapter) {
  uint32_t count = 0;
  vk.GetPhysicalDeviceQueueFamilyProperties(adapter.handle, &count, nullptr);
  std::vector<VkQueueFamilyProperties> families(count);
  vk.GetPhysicalDeviceQueueFamilyProperties(adapter.handle, &count,
                                            families.data());
  bool draws = true;
  for (uint32_t i = 0; i < count; ++i) {
    VkQueueFlags flags = families[i].queueFlags;
    Family family = {i, std::min(families[i].queueCount, maxQueues)};
    bool isGraphics = flags & VK_QUEUE_GRAPHICS_BIT;
    if (flags & VK_QUEUE_COMPUTE_BIT) {
      if (!adapter.compute.count || (draws && !isGraphics)) {
        adapter.compute = family;
        draws = isGraphics;
      }
    } else if (isCopyEngine(flags) && !adapter.transfer.count) {
      adapter.transfer = family;
    }
  }
  adapter.timestampBits = 64;
  for (const Family &family : {adapter.compute, adapter.transfer})
    if (family.count)
      adapter.timestampBits = std::min(
          adapter.timestampBits, families[family.index].timestampValidBits);
}

static bool isUnified(const Adapter &adapter) {
  VkPhysicalDeviceType type = adapter.properties.deviceType;
  if (type == VK_PHYSICAL_DEVICE_TYPE_CPU ||
      type == VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU)
    return true;
  for (uint32_t i = 0; i < adapter.memory.memoryHeapCount; ++i)
    if (!(adapter.memory.memoryHeaps[i].flags &
          VK_MEMORY_HEAP_DEVICE_LOCAL_BIT))
      return false;
  return true;
}

Status Adapter::inspect(const Instance &instance, VkPhysicalDevice handle,
                        Adapter &adapter) {
  const Functions &vk = instance.functions();
  adapter.handle = handle;
  readProperties(instance, adapter);
  const char *name = adapter.properties.deviceName;
  if (adapter.version < VK_API_VERSION_1_1)
    return Status::failure(SPARKLE_UNAVAILABLE,
                           "expected '%s' to have Vulkan 1.1, but got %u.%u",
                           name, VK_API_VERSION_MAJOR(adapter.version),
                           VK_API_VERSION_MINOR(adapter.version));
  Features features;
  if (Status status = readFeatures(vk, adapter, features); !status.isOk())
    return status;
  if (!features.timeline.timelineSemaphore)
    return Status::failure(SPARKLE_UNAVAILABLE,
                           "expected '%s' to have timeline semaphores, but got "
                           "none",
                           name);
  chooseFamilies(vk, adapter);
  if (!adapter.compute.count)
    return Status::failure(SPARKLE_UNAVAILABLE,
                           "expected '%s' to have a queue that computes, but "
                           "got none",
                           name);
  adapter.has16BitStorage = features.storage.storageBuffer16BitAccess;
  adapter.hasTimestamps =
      adapter.timestampBits && features.queryReset.hostQueryReset;
  adapter.isUnified = runtime::isUnified(adapter);
  return {};
}

void Adapter::describe(uint32_t index, sparkle_device_properties_t &out) const {
  const VkPhysicalDeviceLimits &limits = properties.limits;
  std::snprintf(out.name, sizeof(out.name), "vulkan:%u", index);
  std::snprintf(out.description, sizeof(out.description), "%.127s",
                properties.deviceName);
  std::snprintf(out.driver, sizeof(out.driver), "Vulkan %u.%u.%u, driver %#x",
                VK_API_VERSION_MAJOR(properties.apiVersion),
                VK_API_VERSION_MINOR(properties.apiVersion),
                VK_API_VERSION_PATCH(properties.apiVersion),
                properties.driverVersion);
  out.target = SPARKLE_TARGET_Vulkan;
  out.index = index;
  out.features = has16BitStorage ? SPARKLE_GPU_STORAGE_16BIT : 0;
  for (uint32_t i = 0; i < memory.memoryHeapCount; ++i)
    if (memory.memoryHeaps[i].flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT)
      out.memory = std::max(out.memory, memory.memoryHeaps[i].size);
  out.max_buffer = std::min(
      {uint64_t(limits.maxStorageBufferRange), maxAllocation, maxBuffer});
  out.alignment =
      std::max(uint32_t(limits.minStorageBufferOffsetAlignment), minAlignment);
  out.invocations = std::min(limits.maxComputeWorkGroupInvocations,
                             limits.maxComputeWorkGroupSize[0]);
  out.local_memory = limits.maxComputeSharedMemorySize;
  out.queues = compute.count;
  out.has_copy_engine = transfer.count;
  out.has_timestamps = hasTimestamps;
  out.is_unified = isUnified;
  out.runs_on_host = properties.deviceType == VK_PHYSICAL_DEVICE_TYPE_CPU;
}

} // namespace sparkle::runtime
