// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Forwards everything; what a submission calls, without a step between.

#include "test/runtime/Overhead/Witness.h"
#include "test/runtime/Vulkan/Between.h"

#include <cstring>

extern "C" {
__attribute__((visibility("default"))) VulkanWitness vulkanWitness;
}

namespace {

PFN_vkCreateInstance realCreateInstance;
PFN_vkCreateDevice realCreateDevice;
PFN_vkGetDeviceQueue realGetDeviceQueue;

VkResult createInstance(const VkInstanceCreateInfo *info,
                        const VkAllocationCallbacks *allocator,
                        VkInstance *instance) {
  VkResult result = realCreateInstance(info, allocator, instance);
  if (result == VK_SUCCESS)
    vulkanWitness.instance = *instance;
  return result;
}

VkResult createDevice(VkPhysicalDevice physical, const VkDeviceCreateInfo *info,
                      const VkAllocationCallbacks *allocator,
                      VkDevice *device) {
  VkResult result = realCreateDevice(physical, info, allocator, device);
  if (result != VK_SUCCESS)
    return result;
  vulkanWitness.physical = physical;
  vulkanWitness.device = *device;
  vulkanWitness.queue = VK_NULL_HANDLE;
  return result;
}

void getDeviceQueue(VkDevice device, uint32_t family, uint32_t index,
                    VkQueue *queue) {
  realGetDeviceQueue(device, family, index, queue);
  if (vulkanWitness.queue)
    return;
  vulkanWitness.family = family;
  vulkanWitness.queue = *queue;
}

/// Keeps what the real loader would give, and gives `ours`.
template <typename Function>
PFN_vkVoidFunction replace(Function &kept, PFN_vkVoidFunction real,
                           Function ours) {
  if (!real)
    return nullptr;
  kept = reinterpret_cast<Function>(real);
  return reinterpret_cast<PFN_vkVoidFunction>(ours);
}

} // namespace

PFN_vkVoidFunction wrap(const char *name, PFN_vkVoidFunction real) {
  vulkanWitness.getInstanceProcAddr =
      reinterpret_cast<PFN_vkGetInstanceProcAddr>(
          getReal("vkGetInstanceProcAddr"));
  if (!std::strcmp(name, "vkCreateInstance"))
    return replace(realCreateInstance, real, createInstance);
  if (!std::strcmp(name, "vkCreateDevice"))
    return replace(realCreateDevice, real, createDevice);
  if (!std::strcmp(name, "vkGetDeviceQueue"))
    return replace(realGetDeviceQueue, real, getDeviceQueue);
  return real;
}
