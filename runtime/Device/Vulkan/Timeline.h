// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A queue's timeline: a timeline semaphore, and what becomes of those who wait
// for work that the driver has not got yet, or never will get.

#ifndef SPARKLE_RUNTIME_DEVICE_VULKAN_TIMELINE_H
#define SPARKLE_RUNTIME_DEVICE_VULKAN_TIMELINE_H

#include "runtime/Device/Vulkan/Device.h"

#include <condition_variable>

namespace sparkle::runtime {

class VulkanTimeline : public Timeline {
public:
  static Status create(VulkanDevice &device, Ref<VulkanTimeline> &timeline);

  const Device *device() const override { return vulkan.get(); }
  Status query(uint64_t &value) override;
  Status wait(uint64_t value, uint64_t timeout) override;
  Status signal(uint64_t value) override;
  void advance(uint64_t) override {} // the device does it
  void fail(const Status &status) override;

  VkSemaphore handle() const { return semaphore.handle; }
  /// What the semaphore counts to where the timeline reaches `value`.
  uint64_t native(uint64_t value) const { return semaphore.value + value; }
  /// The driver was given the work that signals `value`.
  void markSubmitted(uint64_t value);
  /// The last value of that kind. A semaphore may wait for it: the work goes on
  /// without anybody's help.
  uint64_t submitted() const { return given.load(std::memory_order_acquire); }
  /// Whether `value` is known to be reached, without asking the driver.
  bool isKnownReached(uint64_t value) const {
    return reached.load(std::memory_order_acquire) >= value;
  }
  /// Waits until the driver has been given the work, or never will be.
  Status waitGiven(uint64_t value, uint64_t timeout);
  /// Waits for what the driver has been given.
  Status waitSubmitted(uint64_t value, uint64_t timeout);
  /// OK, or the first failure.
  Status failure();

private:
  explicit VulkanTimeline(VulkanDevice &device)
      : vulkan(Ref<VulkanDevice>::share(&device)) {}
  ~VulkanTimeline() override;

  void markReached(uint64_t value);

  Ref<VulkanDevice> vulkan;
  Semaphore semaphore; // its value is that of the timeline's beginning
  std::atomic<uint64_t> given{0};
  std::atomic<uint64_t> reached{0};
  std::atomic<bool> hasFailed{false};
  std::mutex mutex;
  std::condition_variable changed; // `given` or `reason`
  Status reason;
};

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_DEVICE_VULKAN_TIMELINE_H
