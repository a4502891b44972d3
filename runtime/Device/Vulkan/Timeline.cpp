// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Waits in two steps: until the driver has the work, then until it is done.

#include "runtime/Device/Vulkan/Timeline.h"

#include <algorithm>
#include <chrono>

namespace sparkle::runtime {

using Clock = std::chrono::steady_clock;

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
  given.store(value, std::memory_order_release);
  changed.notify_all();
}

void VulkanTimeline::markReached(uint64_t value) {
  uint64_t known = reached.load(std::memory_order_relaxed);
  while (known < value && !reached.compare_exchange_weak(
                              known, value, std::memory_order_acq_rel))
    ;
}

void VulkanTimeline::fail(const Status &status) {
  std::lock_guard<std::mutex> lock(mutex);
  if (!reason.isOk())
    return;
  reason = status;
  hasFailed.store(true, std::memory_order_release);
  changed.notify_all();
}

Status VulkanTimeline::failure() {
  if (!hasFailed.load(std::memory_order_acquire))
    return {};
  std::lock_guard<std::mutex> lock(mutex);
  return reason;
}

Status VulkanTimeline::signal(uint64_t) {
  return Status::failure(
      SPARKLE_INVALID_ARGUMENT,
      "expected a timeline of the host, but got a queue's own");
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

/// A century is for ever, and does not overflow the clock.
static constexpr uint64_t longest = UINT64_C(3000000000000000000);

Status VulkanTimeline::waitGiven(uint64_t value, uint64_t timeout) {
  if (submitted() >= value)
    return {};
  auto duration = std::chrono::nanoseconds(std::min(timeout, longest));
  std::unique_lock<std::mutex> lock(mutex);
  changed.wait_until(lock, Clock::now() + duration,
                     [&] { return submitted() >= value || !reason.isOk(); });
  if (submitted() >= value)
    return {};
  if (!reason.isOk())
    return reason;
  return makeTimeOut(value);
}

Status VulkanTimeline::wait(uint64_t value, uint64_t timeout) {
  if (isKnownReached(value))
    return {};
  Clock::time_point begin = Clock::now();
  if (Status status = waitGiven(value, timeout); !status.isOk())
    return status;
  if (timeout < longest) {
    auto spent = std::chrono::nanoseconds(Clock::now() - begin).count();
    timeout -= std::min(timeout, static_cast<uint64_t>(spent));
  }
  Status status = waitSubmitted(value, timeout);
  if (status.code() == SPARKLE_DEVICE_LOST)
    fail(status);
  return status;
}

} // namespace sparkle::runtime
