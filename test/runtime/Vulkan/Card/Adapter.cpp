// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the card says about itself: tight limits, memory that only one side
// sees, and families of which the first to copy is not the one to take.

#include "test/runtime/Vulkan/Card/Card.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

const card::Real &card::real() {
  static const Real functions = [] {
    Real found = {};
#define VULKAN_FUNCTION(name, isNeeded)                                        \
  found.name = reinterpret_cast<PFN_vk##name>(getReal("vk" #name));
#include "runtime/Device/Vulkan/Functions.def"
    return found;
  }();
  return functions;
}

void card::refuse(const char *rule) {
  std::fprintf(stderr, "the card: %s\n", rule);
  std::abort();
}

card::State &card::state() {
  static State &state = *new State; // threads may outlive `main`
  return state;
}

namespace card {

static void GetPhysicalDeviceProperties2(VkPhysicalDevice device,
                                         VkPhysicalDeviceProperties2 *all) {
  real().GetPhysicalDeviceProperties2(device, all);
  VkPhysicalDeviceProperties &properties = all->properties;
  properties.deviceType = VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU;
  std::strcpy(properties.deviceName, "a card in disguise");
  VkPhysicalDeviceLimits &limits = properties.limits;
  limits.maxComputeWorkGroupInvocations = maxInvocations;
  limits.maxComputeSharedMemorySize = maxLocalMemory;
  limits.maxMemoryAllocationCount = maxAllocations;
  limits.maxPushConstantsSize = 128;
  limits.maxStorageBufferRange = maxBinding;
  limits.minStorageBufferOffsetAlignment = alignment;
  limits.nonCoherentAtomSize = alignment;
  limits.timestampComputeAndGraphics = VK_FALSE;
  for (uint32_t i = 0; i < 3; ++i) {
    limits.maxComputeWorkGroupCount[i] = maxGroups;
    limits.maxComputeWorkGroupSize[i] = i < 2 ? maxInvocations : 64;
  }
}

static void GetPhysicalDeviceMemoryProperties(
    VkPhysicalDevice, VkPhysicalDeviceMemoryProperties *properties) {
  constexpr VkMemoryPropertyFlags seen = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT,
                                  fast = VK_MEMORY_PROPERTY_HOST_CACHED_BIT,
                                  same = VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
  *properties = {};
  properties->memoryHeapCount = 2;
  properties->memoryHeaps[0] = {heapSizes[0], VK_MEMORY_HEAP_DEVICE_LOCAL_BIT};
  properties->memoryHeaps[1] = {heapSizes[1], 0};
  properties->memoryTypeCount = typeCount;
  VkMemoryType *types = properties->memoryTypes;
  types[local].propertyFlags = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT;
  types[incoherent].propertyFlags = seen | fast;
  types[coherent].propertyFlags = seen | same;
  types[cached].propertyFlags = seen | same | fast;
  for (uint32_t i = 0; i < typeCount; ++i)
    types[i].heapIndex = getHeap(i);
}

/// No timestamps where it copies. The one that also decodes video is there to
/// be left alone, as is the one that also draws.
static void
GetPhysicalDeviceQueueFamilyProperties(VkPhysicalDevice, uint32_t *count,
                                       VkQueueFamilyProperties *families) {
  constexpr VkQueueFlags copies = VK_QUEUE_TRANSFER_BIT,
                         computes = VK_QUEUE_COMPUTE_BIT | copies;
  const VkQueueFlags flags[] = {computes | VK_QUEUE_GRAPHICS_BIT, computes,
                                copies | 0x20 /* video decode */, copies};
  *count = families ? std::min<uint32_t>(*count, familyCount) : familyCount;
  for (uint32_t i = 0; families && i < *count; ++i)
    families[i] = {flags[i], queueCounts[i], i <= computing ? 64u : 0u, {}};
}

PFN_vkVoidFunction findAdapter(const char *name) {
  CARD_FUNCTION(GetPhysicalDeviceProperties2);
  CARD_FUNCTION(GetPhysicalDeviceMemoryProperties);
  CARD_FUNCTION(GetPhysicalDeviceQueueFamilyProperties);
  return nullptr;
}

} // namespace card

PFN_vkVoidFunction wrap(const char *name, PFN_vkVoidFunction function) {
  if (!function)
    return nullptr;
  for (auto find : {card::findAdapter, card::findDevice, card::findCommand,
                    card::findQueue})
    if (PFN_vkVoidFunction replacement = find(name))
      return replacement;
  return function;
}
