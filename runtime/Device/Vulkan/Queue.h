// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A queue: three submissions in flight, in order.
//
// A submission that depends on the driver's own work only is given to the
// driver by the thread that submits. One that waits for the host, for another
// device or for work not submitted yet stays here, and so do all after it,
// until a thread of the queue's has seen what it waits for: handing it over
// earlier could block work that it depends on, since queues share the driver's.
// A second thread signals timelines of the host. Both are started when they are
// first needed.

#ifndef SPARKLE_RUNTIME_DEVICE_VULKAN_QUEUE_H
#define SPARKLE_RUNTIME_DEVICE_VULKAN_QUEUE_H

#include "runtime/Device/Vulkan/Slot.h"

#include <deque>

namespace sparkle::runtime {

/// What a queue is made of; it outlives the handle while work is left.
class QueueState : public Counted {
public:
  QueueState(VulkanDevice &device, uint32_t turn, Ref<VulkanTimeline> timeline);

  VulkanTimeline &timeline() { return *own; }
  Status submit(const Submission &submission, uint64_t &value);
  Status queryTimes(uint64_t value, uint64_t &begin, uint64_t &end);
  /// The handle is gone. Does not wait for work.
  void close();

private:
  static constexpr uint32_t slotCount = 3;

  /// Accepted, but not yet with the driver.
  struct Deferred {
    Ref<Recording> recording;
    std::vector<OwnedPoint> waits, signals;
    uint32_t flags;
    uint64_t value;
  };
  /// The host's timelines to be signalled at a value of the queue's.
  struct Finishing {
    uint64_t value;
    std::vector<OwnedPoint> signals;
  };

  ~QueueState() override;

  // On the thread that submits, with `order` held.
  Status check(const Submission &submission);
  bool mustDefer(const Submission &submission);
  Status defer(const Submission &submission);
  Status give(VulkanRecording &recording, uint32_t flags, uint64_t value);
  Status acquire(Slot &slot);
  Status submitBatch(Slot &slot, VulkanRecording &recording, uint64_t value);

  // On the queue's threads.
  Status start(bool &isRunning, void (*run)(void *state));
  void runDeferred();
  Status waitOnHost(const Deferred &work);
  Status run(const Deferred &work);
  void drop(const Status &status);
  void runFinishing();
  void finish(uint64_t value, std::vector<OwnedPoint> signals);
  void leave(bool &isRunning, std::unique_lock<std::mutex> lock);
  void leaveIdle(bool &isRunning, std::unique_lock<std::mutex> lock);

  Ref<VulkanDevice> device;
  uint32_t turn; // which of the driver's queues
  Ref<VulkanTimeline> own;

  /// Who holds it gives work to the driver. Taken before `mutex`.
  std::mutex order;
  Slot slots[slotCount];
  uint64_t assigned = 0; // the last value promised
  Lane lastLane = Lane::Compute;
  std::vector<OwnedPoint> batchWaits; // for semaphores, of the next batch
  std::vector<VkSemaphore> semaphores;
  std::vector<uint64_t> values;
  std::vector<VkPipelineStageFlags> stages;

  std::mutex mutex; // of what follows
  std::condition_variable changed;
  std::deque<Deferred> deferred;   // the first one may be in the works
  std::deque<Finishing> finishing; // so here
  bool isDeferring = false, isFinishing = false; // there is a thread
  bool isClosing = false;
  bool isAwaited = false; // close() waits for the threads
};

class VulkanQueue : public Queue {
public:
  static Status create(VulkanDevice &device, uint32_t turn, Ref<Queue> &queue);

  Timeline &timeline() override { return state->timeline(); }
  Status submit(const Submission &submission, uint64_t &value) override {
    return state->submit(submission, value);
  }
  Status queryTimes(uint64_t value, uint64_t &begin, uint64_t &end) override {
    return state->queryTimes(value, begin, end);
  }

private:
  VulkanQueue(VulkanDevice &device, Ref<QueueState> state)
      : Queue(device), state(std::move(state)) {}
  ~VulkanQueue() override { state->close(); }

  Ref<QueueState> state;
};

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_DEVICE_VULKAN_QUEUE_H
