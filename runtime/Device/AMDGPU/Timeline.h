// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A queue's timeline: the words that the device writes into the queue's page,
// and what becomes of those who wait for work that the kernel has not got yet,
// or that never ends.

#ifndef SPARKLE_RUNTIME_DEVICE_AMDGPU_TIMELINE_H
#define SPARKLE_RUNTIME_DEVICE_AMDGPU_TIMELINE_H

#include "runtime/Device/AMDGPU/Device.h"

#include <condition_variable>

namespace sparkle::runtime {

class AMDGPUTimeline : public Timeline {
public:
  static Status create(AMDGPUDevice &device, uint32_t turn,
                       Ref<AMDGPUTimeline> &timeline);

  const Device *device() const override { return amdgpu.get(); }
  Status query(uint64_t &value) override;
  Status wait(uint64_t value, uint64_t timeout) override;
  Status signal(uint64_t value) override;
  void advance(uint64_t) override {} // the device does it
  void fail(const Status &status) override;

  GpuContext &context() const { return *kernelContext; }
  uint32_t ring() const { return kernelRing; }
  /// Begins with QueueWords; exactly what the kernel takes for a fence.
  const Ref<BufferObject> &page() const { return object; }

  /// The kernel was given the work that ends with `value`, as submission
  /// `sequence` of the ring.
  void markSubmitted(uint64_t value, uint64_t sequence);
  /// It is done: where nothing is submitted.
  void markReached(uint64_t value);
  /// The last value of that kind. The work goes on without anybody's help.
  uint64_t submitted() const { return given.load(std::memory_order_acquire); }
  bool isKnownReached(uint64_t value) const {
    return reached.load(std::memory_order_acquire) >= value;
  }
  /// The kernel's fence of a submitted value; false if it is reached.
  bool findFence(uint64_t value, amdgpu_cs_fence &fence);
  /// Waits until the kernel has been given the work, or never will be.
  Status waitGiven(uint64_t value, uint64_t timeout);
  /// Waits for what the kernel has been given.
  Status waitSubmitted(uint64_t value, uint64_t timeout);
  /// Whether the device no longer works on what was submitted, done or not.
  bool isIdle(uint64_t timeout);
  /// OK, or the first failure.
  Status failure();

private:
  AMDGPUTimeline(AMDGPUDevice &device, Ref<GpuContext> context, uint32_t ring)
      : amdgpu(Ref<AMDGPUDevice>::share(&device)),
        kernelContext(std::move(context)), kernelRing(ring) {}
  ~AMDGPUTimeline() override;

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
  std::atomic<uint64_t> given{0};
  std::atomic<uint64_t> reached{0};
  std::atomic<bool> hasFailed{false};
  std::mutex mutex;                // of what follows
  std::condition_variable changed; // `given` or `reason`
  uint64_t sequences[sequenceCount] = {};
  Status reason;
};

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_DEVICE_AMDGPU_TIMELINE_H
