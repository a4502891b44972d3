// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One submission in flight: what it keeps alive, and when it began and ended.

#ifndef SPARKLE_RUNTIME_DEVICE_VULKAN_SLOT_H
#define SPARKLE_RUNTIME_DEVICE_VULKAN_SLOT_H

#include "runtime/Device/DriverQueue.h"
#include "runtime/Device/Vulkan/Recording.h"
#include "runtime/Device/Vulkan/Timeline.h"

namespace sparkle::runtime {

/// A queue has three and uses them in turn; its lock guards them.
class Slot {
public:
  uint64_t value = 0; // of the queue's timeline; 0: nothing
  Ref<Recording> recording;
  std::vector<OwnedPoint> waits; // whose semaphores are waited for
  bool isTimed = false;

  /// Lets go of what it keeps alive.
  void clear();

  /// Makes the command buffers that write timestamps, if they are not there
  /// yet, and forgets the last ones.
  Status prepareTimes(VulkanDevice &device, Lane lane);
  /// To be submitted before and after the recording.
  VkCommandBuffer begin(Lane lane) const { return stamps(lane).buffers[0]; }
  VkCommandBuffer end(Lane lane) const { return stamps(lane).buffers[1]; }
  /// Nanoseconds of the device's clock.
  Status readTimes(VulkanDevice &device, uint64_t &begin, uint64_t &end);

  void destroy(VulkanDevice &device);

private:
  struct Stamps {
    VkCommandPool pool = VK_NULL_HANDLE;
    VkCommandBuffer buffers[2] = {};
    bool isRecorded = false;
  };

  const Stamps &stamps(Lane lane) const {
    return byLane[static_cast<int>(lane)];
  }
  Status record(VulkanDevice &device, VkCommandBuffer buffer, uint32_t query);

  VkQueryPool queries = VK_NULL_HANDLE;
  Stamps byLane[2];
};

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_DEVICE_VULKAN_SLOT_H
