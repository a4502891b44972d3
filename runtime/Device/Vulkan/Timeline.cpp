// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the semaphore says, and waiting for it.

#include "runtime/Device/Vulkan/Timeline.h"

namespace sparkle::runtime {

Status VulkanTimeline::create(VulkanDevice &device,
                              Ref<VulkanTimeline> &result) {
  auto timeline = Ref<VulkanTimeline>::adopt(new VulkanTimeline(device));
  if (Status status = device.takeSemaphore(timeline->semaphore); !status.isOk())
    return status;
  result = std::move(timeline);
  return {};
}

VulkanTimeline::~VulkanTimeline() {
  if (semaphore.handle)
    vulkan->keepSemaphore(
        {semaphore.handle, native(submitted()), isKnownReached(submitted())});
}

void VulkanTimeline::markSubmitted(uint64_t value) {
  std::lock_guard<std::mutex> lock(mutex);
  setSubmitted(value);
}

Status VulkanTimeline::query(uint64_t &value) {
  value = 0;
  if (Status status = failure(); !status.isOk())
    return status;
  uint64_t counter = 0;
  Status status =
      vulkan->check(vulkan->functions().GetSemaphoreCounterValue(
                        vulkan->handle(), semaphore.handle, &counter),
                    "GetSemaphoreCounterValue");
  if (!status.isOk())
    return status;
  value = counter - semaphore.value;
  markReached(value);
  return {};
}

Status VulkanTimeline::waitSubmitted(uint64_t value, uint64_t timeout) {
  if (isKnownReached(value))
    return {};
  VkSemaphoreWaitInfo info = {};
  info.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO;
  info.semaphoreCount = 1;
  uint64_t counter = native(value);
  info.pSemaphores = &semaphore.handle;
  info.pValues = &counter;
  VkResult result =
      vulkan->functions().WaitSemaphores(vulkan->handle(), &info, timeout);
  if (result == VK_TIMEOUT)
    return makeTimeOut(value);
  Status status = vulkan->check(result, "WaitSemaphores");
  if (status.isOk())
    markReached(value);
  return status;
}

} // namespace sparkle::runtime
