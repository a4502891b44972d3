// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A queue: three submissions in flight, in order, on one of the kernel's
// compute rings.
//
// A submission that depends on work of the same context's only is given to the
// kernel by the thread that submits, with that work's fences: the kernel's
// scheduler waits for them. One that waits for the host, for another device or
// for work not submitted yet stays here, and so do all after it, until a thread
// of the queue's has seen what it waits for. A second thread signals timelines
// of the host. Both are started when they are first needed.

#ifndef SPARKLE_RUNTIME_DEVICE_AMDGPU_QUEUE_H
#define SPARKLE_RUNTIME_DEVICE_AMDGPU_QUEUE_H

#include "runtime/Device/AMDGPU/Slot.h"

#include <deque>

namespace sparkle::runtime {

/// What a queue is made of; it outlives the handle while work is left.
class AMDGPUQueueState : public Counted {
public:
  AMDGPUQueueState(AMDGPUDevice &device, uint64_t number,
                   Ref<AMDGPUTimeline> timeline);

  AMDGPUTimeline &timeline() { return *own; }
  Status submit(const Submission &submission, uint64_t &value);
  Status queryTimes(uint64_t value, uint64_t &begin, uint64_t &end);
  /// The handle is gone. Does not wait for work.
  void close();

private:
  static constexpr uint32_t slotCount = 3;

  /// An event that work waits for or signals, and one of its owners.
  struct Point {
    Ref<Timeline> timeline;
    uint64_t value;
  };
  /// Accepted, but not yet with the kernel.
  struct Deferred {
    Ref<Recording> recording;
    std::vector<Point> waits, signals;
    uint32_t flags;
    uint64_t value;
  };
  /// The host's timelines to be signalled at a value of the queue's.
  struct Finishing {
    uint64_t value;
    std::vector<Point> signals;
  };

  ~AMDGPUQueueState() override;

  static std::vector<Point> keep(const sparkle_point_t *points, uint32_t count);

  // On the thread that submits, with `order` held.
  Status check(const Submission &submission);
  bool mustDefer(const Submission &submission);
  bool isOfThisContext(Timeline &timeline) const;
  void addWait(Timeline &timeline, uint64_t value);
  Status defer(const Submission &submission);
  Status give(AMDGPURecording &recording, uint32_t flags, uint64_t value);
  Status acquire(AMDGPUSlot &slot);
  Status submitParts(AMDGPUSlot &slot, AMDGPURecording &recording,
                     uint64_t value, uint64_t &sequence);
  Status submitPart(const std::vector<CheckedBuffer> &buffers,
                    amdgpu_bo_list_handle list, uint64_t &sequence);
  Status awaitPart(uint64_t sequence);
  Status dump(const AMDGPURecording &recording,
              const std::vector<std::vector<CheckedBuffer>> &batches,
              uint64_t value);

  // On the queue's threads.
  Status start(bool &isRunning, void (*run)(void *state));
  void runDeferred();
  Status waitOnHost(const Deferred &work);
  Status run(const Deferred &work);
  void drop(const Status &status);
  void runFinishing();
  void finish(uint64_t value, std::vector<Point> signals);
  void leave(bool &isRunning, std::unique_lock<std::mutex> lock);
  void leaveIdle(bool &isRunning, std::unique_lock<std::mutex> lock);

  const Ref<AMDGPUDevice> device;
  const uint64_t number; // that no other queue has
  Ref<AMDGPUTimeline> own;

  /// Who holds it gives work to the kernel. Taken before `mutex`.
  std::mutex order;
  AMDGPUSlot slots[slotCount];
  uint64_t assigned = 0;                   // the last value promised
  std::vector<amdgpu_cs_fence> batchWaits; // of the next submission

  std::mutex mutex; // of what follows
  std::condition_variable changed;
  std::deque<Deferred> deferred;   // the first one may be in the works
  std::deque<Finishing> finishing; // so here
  bool isDeferring = false, isFinishing = false; // there is a thread
  bool isClosing = false;
  bool isAwaited = false; // close() waits for the threads
};

class AMDGPUQueue : public Queue {
public:
  static Status create(AMDGPUDevice &device, uint32_t turn, Ref<Queue> &queue);

  Timeline &timeline() override { return state->timeline(); }
  Status submit(const Submission &submission, uint64_t &value) override {
    return state->submit(submission, value);
  }
  Status queryTimes(uint64_t value, uint64_t &begin, uint64_t &end) override {
    return state->queryTimes(value, begin, end);
  }

private:
  AMDGPUQueue(AMDGPUDevice &device, Ref<AMDGPUQueueState> state)
      : Queue(device), state(std::move(state)) {}
  ~AMDGPUQueue() override { state->close(); }

  const Ref<AMDGPUQueueState> state;
};

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_DEVICE_AMDGPU_QUEUE_H
