// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A queue of a Vulkan device: the driver waits for work of the same device, by
// semaphores. Queues share those of the driver.

#ifndef SPARKLE_RUNTIME_DEVICE_VULKAN_QUEUE_H
#define SPARKLE_RUNTIME_DEVICE_VULKAN_QUEUE_H

#include "runtime/Device/Vulkan/Slot.h"

namespace sparkle::runtime {

class VulkanQueueState : public DriverQueueState {
public:
  static Status create(VulkanDevice &device, uint32_t turn, Ref<Queue> &queue);

  Status queryTimes(uint64_t value, uint64_t &begin, uint64_t &end) override;

private:
  VulkanQueueState(VulkanDevice &device, uint32_t turn,
                   Ref<VulkanTimeline> timeline);
  ~VulkanQueueState() override;

  Status getVerdict() override;
  void clearWaits() override { batchWaits.clear(); }
  bool addWait(Timeline &timeline, uint64_t value) override;
  Status give(Recording &recording, uint32_t flags, uint64_t value) override;
  Status waitOnHost(Timeline &timeline, uint64_t value) override;

  Status submit(VulkanRecording &recording, uint32_t flags, uint64_t value);
  Status acquire(Slot &slot);
  Status submitBatch(Slot &slot, VulkanRecording &recording, uint64_t value);

  const Ref<VulkanDevice> device;
  const uint32_t turn; // which of the driver's queues
  const Ref<VulkanTimeline> own;

  // Guarded by `order`.
  Slot slots[slotCount];
  Lane lastLane = Lane::Compute;
  std::vector<OwnedPoint> batchWaits; // for semaphores, of the next batch
  std::vector<VkSemaphore> semaphores;
  std::vector<uint64_t> values;
  std::vector<VkPipelineStageFlags> stages;
};

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_DEVICE_VULKAN_QUEUE_H
