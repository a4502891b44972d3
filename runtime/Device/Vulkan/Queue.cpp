// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The path from a submission to the driver.

#include "runtime/Device/Vulkan/Queue.h"

namespace sparkle::runtime {

Status VulkanQueueState::create(VulkanDevice &device, uint32_t turn,
                                Ref<Queue> &result) {
  Ref<VulkanTimeline> timeline;
  if (Status status = VulkanTimeline::create(device, timeline); !status.isOk())
    return status;
  auto state = Ref<DriverQueueState>::adopt(
      new VulkanQueueState(device, turn, std::move(timeline)));
  result = Ref<Queue>::adopt(new DriverQueue(device, std::move(state)));
  return {};
}

VulkanQueueState::VulkanQueueState(VulkanDevice &device, uint32_t turn,
                                   Ref<VulkanTimeline> timeline)
    : DriverQueueState(device, Ref<DriverTimeline>::share(timeline.get())),
      device(Ref<VulkanDevice>::share(&device)), turn(turn),
      own(std::move(timeline)) {}

VulkanQueueState::~VulkanQueueState() {
  // What the driver has may not be destroyed under it, lost or not.
  if (!own->waitSubmitted(own->submitted(), SPARKLE_FOREVER).isOk())
    device->waitIdle();
  for (Slot &slot : slots)
    slot.destroy(*device);
}

Status VulkanQueueState::getVerdict() { return device->verdict(); }

bool VulkanQueueState::addWait(Timeline &timeline, uint64_t value) {
  if (&timeline == own.get())
    return true; // in order anyway
  if (timeline.device() != device.get())
    return timeline.wait(value, 0).isOk();
  if (static_cast<VulkanTimeline &>(timeline).submitted() < value)
    return false;
  batchWaits.push_back({Ref<Timeline>::share(&timeline), value});
  return true;
}

Status VulkanQueueState::waitOnHost(Timeline &timeline, uint64_t value) {
  if (timeline.device() == device.get())
    return static_cast<VulkanTimeline &>(timeline).waitGiven(value,
                                                             SPARKLE_FOREVER);
  return timeline.wait(value, SPARKLE_FOREVER);
}

Status VulkanQueueState::give(Recording &recording, uint32_t flags,
                              uint64_t value) {
  Status status =
      submit(static_cast<VulkanRecording &>(recording), flags, value);
  if (status.code() == SPARKLE_DEVICE_LOST)
    own->fail(status);
  return status;
}

Status VulkanQueueState::submit(VulkanRecording &recording, uint32_t flags,
                                uint64_t value) {
  Slot &slot = slots[value % slotCount];
  if (Status status = acquire(slot); !status.isOk())
    return status;
  // Another queue of the driver's does not keep the order.
  if (recording.lane() != lastLane && own->submitted())
    batchWaits.push_back({Ref<Timeline>::share(own.get()), own->submitted()});
  slot.isTimed =
      (flags & SPARKLE_SUBMIT_TIMED) && device->properties().has_timestamps;
  if (slot.isTimed)
    if (Status status = slot.prepareTimes(*device, recording.lane());
        !status.isOk())
      return status;
  if (Status status = submitBatch(slot, recording, value); !status.isOk())
    return status;
  slot.value = value;
  slot.recording = Ref<Recording>::share(&recording);
  slot.waits.swap(batchWaits);
  lastLane = recording.lane();
  own->markSubmitted(value);
  return {};
}

/// Waits until the slot's last work is done. Others that are done let go of
/// what they kept alive.
Status VulkanQueueState::acquire(Slot &slot) {
  if (Status status = own->waitSubmitted(slot.value, SPARKLE_FOREVER);
      !status.isOk())
    return status;
  slot.value = 0;
  for (Slot &other : slots)
    if (own->isKnownReached(other.value))
      other.clear();
  return {};
}

Status VulkanQueueState::submitBatch(Slot &slot, VulkanRecording &recording,
                                     uint64_t value) {
  semaphores.clear();
  values.clear();
  for (const OwnedPoint &wait : batchWaits) {
    auto &timeline = static_cast<VulkanTimeline &>(*wait.timeline);
    semaphores.push_back(timeline.handle());
    values.push_back(timeline.native(wait.value));
  }
  stages.resize(batchWaits.size(), VK_PIPELINE_STAGE_ALL_COMMANDS_BIT);
  VkSemaphore signal = own->handle();
  uint64_t signalled = own->native(value);
  VkTimelineSemaphoreSubmitInfo timeline = {};
  timeline.sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO;
  timeline.waitSemaphoreValueCount = static_cast<uint32_t>(values.size());
  timeline.pWaitSemaphoreValues = values.data();
  timeline.signalSemaphoreValueCount = 1;
  timeline.pSignalSemaphoreValues = &signalled;
  Lane lane = recording.lane();
  VkCommandBuffer buffers[] = {recording.handle(), VK_NULL_HANDLE,
                               VK_NULL_HANDLE};
  if (slot.isTimed) {
    buffers[0] = slot.begin(lane);
    buffers[1] = recording.handle();
    buffers[2] = slot.end(lane);
  }
  VkSubmitInfo info = {};
  info.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO;
  info.pNext = &timeline;
  info.waitSemaphoreCount = static_cast<uint32_t>(semaphores.size());
  info.pWaitSemaphores = semaphores.data();
  info.pWaitDstStageMask = stages.data();
  info.commandBufferCount = slot.isTimed ? 3 : 1;
  info.pCommandBuffers = buffers;
  info.signalSemaphoreCount = 1;
  info.pSignalSemaphores = &signal;
  Port &port = device->port(lane, turn);
  std::lock_guard<std::mutex> lock(port.mutex);
  return device->check(
      device->functions().QueueSubmit(port.queue, 1, &info, VK_NULL_HANDLE),
      "QueueSubmit");
}

Status VulkanQueueState::queryTimes(uint64_t value, uint64_t &begin,
                                    uint64_t &end) {
  begin = end = 0;
  if (Status status = checkTimestamps(); !status.isOk())
    return status;
  std::lock_guard<std::mutex> lock(order);
  Slot &slot = slots[value % slotCount];
  if (!value || slot.value != value || !slot.isTimed)
    return explainNoTimes(value);
  if (Status status = own->waitSubmitted(value, 0); !status.isOk())
    return status;
  return slot.readTimes(*device, begin, end);
}

} // namespace sparkle::runtime
