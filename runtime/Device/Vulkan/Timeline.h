// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A queue's timeline: a timeline semaphore.

#ifndef SPARKLE_RUNTIME_DEVICE_VULKAN_TIMELINE_H
#define SPARKLE_RUNTIME_DEVICE_VULKAN_TIMELINE_H

#include "runtime/Device/DriverTimeline.h"
#include "runtime/Device/Vulkan/Device.h"

namespace sparkle::runtime {

class VulkanTimeline : public DriverTimeline {
public:
  static Status create(VulkanDevice &device, Ref<VulkanTimeline> &timeline);

  const Device *device() const override { return vulkan.get(); }
  Status query(uint64_t &value) override;
  Status waitSubmitted(uint64_t value, uint64_t timeout) override;

  VkSemaphore handle() const { return semaphore.handle; }
  /// What the semaphore counts to where the timeline reaches `value`.
  uint64_t native(uint64_t value) const { return semaphore.value + value; }
  /// The driver was given the work that signals `value`. A semaphore may wait
  /// for it from now on.
  void markSubmitted(uint64_t value);

private:
  explicit VulkanTimeline(VulkanDevice &device)
      : vulkan(Ref<VulkanDevice>::share(&device)) {}
  ~VulkanTimeline() override;

  bool isLoss(const Status &status) const override {
    return status.code() == SPARKLE_DEVICE_LOST;
  }

  Ref<VulkanDevice> vulkan;
  Semaphore semaphore; // its value is that of the timeline's beginning
};

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_DEVICE_VULKAN_TIMELINE_H
