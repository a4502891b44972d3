// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A queue of an AMD GPU, on one of the kernel's compute rings. The kernel waits
// for work of the same context, by its fences.

#ifndef SPARKLE_RUNTIME_DEVICE_AMDGPU_QUEUE_H
#define SPARKLE_RUNTIME_DEVICE_AMDGPU_QUEUE_H

#include "runtime/Device/AMDGPU/Slot.h"
#include "runtime/Device/DriverQueue.h"

namespace sparkle::runtime {

class AMDGPUQueueState : public DriverQueueState {
public:
  static Status create(AMDGPUDevice &device, uint32_t turn, Ref<Queue> &queue);

  Status queryTimes(uint64_t value, uint64_t &begin, uint64_t &end) override;

private:
  AMDGPUQueueState(AMDGPUDevice &device, uint64_t number,
                   Ref<AMDGPUTimeline> timeline);
  ~AMDGPUQueueState() override;

  Status getVerdict() override;
  void clearWaits() override { batchWaits.clear(); }
  bool addWait(Timeline &timeline, uint64_t value) override;
  Status give(Recording &recording, uint32_t flags, uint64_t value) override;
  Status waitOnHost(Timeline &timeline, uint64_t value) override;

  AMDGPUTimeline *findOurs(Timeline &timeline) const;
  Status acquire(AMDGPUSlot &slot);
  Status submitParts(AMDGPUSlot &slot, AMDGPURecording &recording,
                     uint64_t value, uint64_t &sequence);
  Status submitPart(const std::vector<CheckedBuffer> &buffers,
                    amdgpu_bo_list_handle list, uint64_t &sequence);
  Status awaitPart(uint64_t sequence);
  Status dump(const AMDGPURecording &recording,
              const std::vector<std::vector<CheckedBuffer>> &batches,
              uint64_t value);

  const Ref<AMDGPUDevice> device;
  const uint64_t number; // that no other queue has
  const Ref<AMDGPUTimeline> own;

  // Guarded by `order`.
  AMDGPUSlot slots[slotCount];
  std::vector<amdgpu_cs_fence> batchWaits; // of the next submission
};

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_DEVICE_AMDGPU_QUEUE_H
