// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The card's device, memory and buffers: what lavapipe is given instead, and
// what the card would not take.

#include "test/runtime/Vulkan/Card/Card.h"

#include <algorithm>
#include <cstring>

namespace card {

//===----------------------------------------------------------------------===//
// The device
//===----------------------------------------------------------------------===//

static VkResult CreateDevice(VkPhysicalDevice adapter,
                             const VkDeviceCreateInfo *info,
                             const VkAllocationCallbacks *allocator,
                             VkDevice *handle) {
  auto device = std::make_unique<Device>();
  for (uint32_t i = 0; i < info->queueCreateInfoCount; ++i) {
    const VkDeviceQueueCreateInfo &wanted = info->pQueueCreateInfos[i];
    uint32_t family = wanted.queueFamilyIndex;
    if (family != computing && family != copying)
      refuse("there are better families to compute and to copy");
    if (!wanted.queueCount || wanted.queueCount > queueCounts[family] ||
        !device->queues[family].empty())
      refuse("a family has other queues than those that are wanted");
    for (uint32_t j = 0; j < wanted.queueCount; ++j)
      device->queues[family].push_back(
          std::make_unique<Queue>(*device, family, j));
  }
  const float priority = 1;
  VkDeviceQueueCreateInfo queue = {};
  queue.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO;
  queue.queueCount = 1;
  queue.pQueuePriorities = &priority;
  VkDeviceCreateInfo translated = *info;
  translated.queueCreateInfoCount = 1;
  translated.pQueueCreateInfos = &queue;
  VkResult result =
      real().CreateDevice(adapter, &translated, allocator, handle);
  if (result != VK_SUCCESS)
    return result;
  device->handle = *handle;
  real().GetDeviceQueue(*handle, 0, 0, &device->queue);
  std::lock_guard<std::mutex> lock(state().mutex);
  state().devices[*handle] = std::move(device);
  return result;
}

static Device &find(VkDevice handle) {
  std::lock_guard<std::mutex> lock(state().mutex);
  return *state().devices.at(handle);
}

static void GetDeviceQueue(VkDevice handle, uint32_t family, uint32_t index,
                           VkQueue *queue) {
  Device &device = find(handle);
  if (family >= familyCount || index >= device.queues[family].size())
    refuse("the device was made without this queue");
  *queue = reinterpret_cast<VkQueue>(device.queues[family][index].get());
}

static VkResult DeviceWaitIdle(VkDevice handle) {
  Device &device = find(handle);
  for (auto &family : device.queues)
    for (auto &queue : family)
      queue->drain();
  std::lock_guard<std::mutex> lock(device.submitting);
  return real().DeviceWaitIdle(handle);
}

static void DestroyDevice(VkDevice handle,
                          const VkAllocationCallbacks *allocator) {
  if (!handle)
    return;
  std::unique_ptr<Device> device;
  {
    std::lock_guard<std::mutex> lock(state().mutex);
    device = std::move(state().devices.at(handle));
    state().devices.erase(handle);
  }
  if (device->allocations)
    refuse("a device is destroyed before its memory");
  device.reset();
  real().DestroyDevice(handle, allocator);
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

static VkResult AllocateMemory(VkDevice handle,
                               const VkMemoryAllocateInfo *info,
                               const VkAllocationCallbacks *allocator,
                               VkDeviceMemory *memory) {
  Device &device = find(handle);
  std::lock_guard<std::mutex> lock(state().mutex);
  uint32_t type = info->memoryTypeIndex;
  if (type >= typeCount)
    refuse("there is no such type of memory");
  VkDeviceSize &used = device.used[getHeap(type)];
  if (device.allocations == maxAllocations)
    return VK_ERROR_TOO_MANY_OBJECTS;
  if (used + info->allocationSize > heapSizes[getHeap(type)])
    return VK_ERROR_OUT_OF_DEVICE_MEMORY;
  VkMemoryAllocateInfo translated = *info;
  translated.memoryTypeIndex = 0;
  VkResult result =
      real().AllocateMemory(handle, &translated, allocator, memory);
  if (result == VK_SUCCESS) {
    state().memories[*memory] = {type, info->allocationSize};
    used += info->allocationSize;
    ++device.allocations;
  }
  return result;
}

static void FreeMemory(VkDevice handle, VkDeviceMemory memory,
                       const VkAllocationCallbacks *allocator) {
  if (!memory)
    return;
  Device &device = find(handle);
  std::lock_guard<std::mutex> lock(state().mutex);
  const Memory &freed = state().memories.at(memory);
  device.used[getHeap(freed.type)] -= freed.size;
  --device.allocations;
  state().memories.erase(memory);
  real().FreeMemory(handle, memory, allocator);
}

static VkResult MapMemory(VkDevice device, VkDeviceMemory memory,
                          VkDeviceSize offset, VkDeviceSize size,
                          VkMemoryMapFlags flags, void **pointer) {
  std::lock_guard<std::mutex> lock(state().mutex);
  uint32_t type = state().memories.at(memory).type;
  if (type == local)
    return VK_ERROR_MEMORY_MAP_FAILED;
  if (type == incoherent)
    refuse("the host writes to memory that nobody flushes");
  return real().MapMemory(device, memory, offset, size, flags, pointer);
}

//===----------------------------------------------------------------------===//
// Buffers
//===----------------------------------------------------------------------===//

static std::vector<uint32_t> getFamilies(VkDevice handle,
                                         const VkBufferCreateInfo &info) {
  Device &device = find(handle);
  if (info.sharingMode == VK_SHARING_MODE_EXCLUSIVE)
    return {};
  std::vector<uint32_t> families(info.pQueueFamilyIndices,
                                 info.pQueueFamilyIndices +
                                     info.queueFamilyIndexCount);
  if (families.size() < 2 || families[0] == families[1])
    refuse("a buffer is shared by fewer than two families");
  for (uint32_t family : families)
    if (family >= familyCount || device.queues[family].empty())
      refuse("a buffer is shared with a family that is not in use");
  return families;
}

static VkResult CreateBuffer(VkDevice device, const VkBufferCreateInfo *info,
                             const VkAllocationCallbacks *allocator,
                             VkBuffer *buffer) {
  Buffer made = {getFamilies(device, *info), 0};
  VkBufferCreateInfo translated = *info;
  translated.sharingMode = VK_SHARING_MODE_EXCLUSIVE;
  translated.queueFamilyIndexCount = 0;
  VkResult result = real().CreateBuffer(device, &translated, allocator, buffer);
  std::lock_guard<std::mutex> lock(state().mutex);
  if (result == VK_SUCCESS)
    state().buffers[*buffer] = made;
  return result;
}

static void DestroyBuffer(VkDevice device, VkBuffer buffer,
                          const VkAllocationCallbacks *allocator) {
  {
    std::lock_guard<std::mutex> lock(state().mutex);
    state().buffers.erase(buffer);
  }
  real().DestroyBuffer(device, buffer, allocator);
}

void use(VkBuffer handle, uint32_t family) {
  Buffer &buffer = state().buffers.at(handle);
  if (buffer.families.empty())
    buffer.families.push_back(family);
  if (std::find(buffer.families.begin(), buffer.families.end(), family) ==
      buffer.families.end())
    refuse("a buffer is used by a family that does not own it");
}

static void GetBufferMemoryRequirements(VkDevice device, VkBuffer buffer,
                                        VkMemoryRequirements *needs) {
  real().GetBufferMemoryRequirements(device, buffer, needs);
  if (!(needs->memoryTypeBits & 1) || needs->alignment > alignment)
    refuse("this is not lavapipe as it used to be");
  needs->memoryTypeBits = (1 << typeCount) - 1;
  needs->alignment = alignment;
  needs->size = (needs->size + alignment - 1) / alignment * alignment;
  std::lock_guard<std::mutex> lock(state().mutex);
  state().buffers.at(buffer).size = needs->size;
}

static VkResult BindBufferMemory(VkDevice device, VkBuffer buffer,
                                 VkDeviceMemory memory, VkDeviceSize offset) {
  std::lock_guard<std::mutex> lock(state().mutex);
  VkDeviceSize size = state().buffers.at(buffer).size;
  if (!size)
    refuse("nobody asked what the buffer needs");
  if (offset % alignment || offset + size > state().memories.at(memory).size)
    refuse("a buffer does not lie where it should");
  return real().BindBufferMemory(device, buffer, memory, offset);
}

PFN_vkVoidFunction findDevice(const char *name) {
  CARD_FUNCTION(CreateDevice);
  CARD_FUNCTION(GetDeviceQueue);
  CARD_FUNCTION(DeviceWaitIdle);
  CARD_FUNCTION(DestroyDevice);
  CARD_FUNCTION(AllocateMemory);
  CARD_FUNCTION(FreeMemory);
  CARD_FUNCTION(MapMemory);
  CARD_FUNCTION(CreateBuffer);
  CARD_FUNCTION(DestroyBuffer);
  CARD_FUNCTION(GetBufferMemoryRequirements);
  CARD_FUNCTION(BindBufferMemory);
  return nullptr;
}

} // namespace card
