// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A queue's timeline: the words that the device writes into the queue's page.

#ifndef SPARKLE_RUNTIME_DEVICE_AMDGPU_TIMELINE_H
#define SPARKLE_RUNTIME_DEVICE_AMDGPU_TIMELINE_H

#include "runtime/Device/AMDGPU/Device.h"
#include "runtime/Device/DriverTimeline.h"

namespace sparkle::runtime {

class AMDGPUTimeline : public DriverTimeline {
public:
  static Status create(AMDGPUDevice &device, uint32_t turn,
                       Ref<AMDGPUTimeline> &timeline);

  const Device *device() const override { return amdgpu.get(); }
  Status query(uint64_t &value) override;
  Status waitSubmitted(uint64_t value, uint64_t timeout) override;

  GpuContext &context() const { return *kernelContext; }
  uint32_t ring() const { return kernelRing; }
  /// Begins with QueueWords; exactly what the kernel takes for a fence.
  const Ref<BufferObject> &page() const { return object; }

  /// The kernel was given the work that ends with `value`, as submission
  /// `sequence` of the ring.
  void markSubmitted(uint64_t value, uint64_t sequence);
  /// The kernel's fence of a submitted value; false if it is reached.
  bool findFence(uint64_t value, amdgpu_cs_fence &fence);
  /// Whether the device no longer works on what was submitted, done or not.
  bool isIdle(uint64_t timeout);

private:
  AMDGPUTimeline(AMDGPUDevice &device, Ref<GpuContext> context, uint32_t ring)
      : amdgpu(Ref<AMDGPUDevice>::share(&device)),
        kernelContext(std::move(context)), kernelRing(ring) {}
  ~AMDGPUTimeline() override;

  bool isLoss(const Status &status) const override {
    return status.code() != SPARKLE_TIMEOUT;
  }
  QueueWords &words() const {
    return *reinterpret_cast<QueueWords *>(object->host());
  }
  uint64_t sequenceOf(uint64_t value);
  bool look(uint64_t value, Status &status);
  Status conclude(uint64_t value);

  /// More than are in flight at the same time.
  static constexpr uint32_t sequenceCount = 4;

  const Ref<AMDGPUDevice> amdgpu;
  const Ref<GpuContext> kernelContext;
  const uint32_t kernelRing;
  Ref<BufferObject> object;
  uint64_t sequences[sequenceCount] = {}; // guarded by `mutex`
};

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_DEVICE_AMDGPU_TIMELINE_H
