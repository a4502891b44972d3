// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The path from a submission to the driver.

#include "runtime/Device/Vulkan/Queue.h"
#include "runtime/Thread.h"

namespace sparkle::runtime {

Status VulkanQueue::create(VulkanDevice &device, uint32_t turn,
                           Ref<Queue> &result) {
  Ref<VulkanTimeline> timeline;
  if (Status status = VulkanTimeline::create(device, timeline); !status.isOk())
    return status;
  auto state =
      Ref<QueueState>::adopt(new QueueState(device, turn, std::move(timeline)));
  result = Ref<Queue>::adopt(new VulkanQueue(device, std::move(state)));
  return {};
}

QueueState::QueueState(VulkanDevice &device, uint32_t turn,
                       Ref<VulkanTimeline> timeline)
    : device(Ref<VulkanDevice>::share(&device)), turn(turn),
      own(std::move(timeline)) {}

QueueState::~QueueState() {
  // What the driver has may not be destroyed under it, lost or not.
  if (!own->waitSubmitted(own->submitted(), SPARKLE_FOREVER).isOk())
    device->waitIdle();
  for (Slot &slot : slots)
    slot.destroy(*device);
}

static std::vector<OwnedPoint> own(const sparkle_point_t *points,
                                   uint32_t count) {
  std::vector<OwnedPoint> owned;
  for (uint32_t i = 0; i < count; ++i)
    owned.push_back(
        {Ref<Timeline>::share(&getTimeline(points[i])), points[i].value});
  return owned;
}

//===----------------------------------------------------------------------===//
// On the thread that submits
//===----------------------------------------------------------------------===//

Status QueueState::submit(const Submission &submission, uint64_t &value) {
  std::lock_guard<std::mutex> lock(order);
  value = 0;
  if (Status status = check(submission); !status.isOk())
    return status;
  batchWaits.clear();
  if (mustDefer(submission)) {
    if (Status status = defer(submission); !status.isOk())
      return status;
  } else {
    auto &recording = static_cast<VulkanRecording &>(submission.recording);
    if (Status status = give(recording, submission.flags, assigned + 1);
        !status.isOk()) {
      if (status.code() == SPARKLE_DEVICE_LOST)
        own->fail(status);
      return status;
    }
    if (submission.signalCount)
      finish(assigned + 1,
             runtime::own(submission.signals, submission.signalCount));
  }
  value = ++assigned;
  return {};
}

Status QueueState::check(const Submission &submission) {
  if (Status status = own->failure(); !status.isOk())
    return status;
  if (Status status = device->verdict(); !status.isOk())
    return status;
  for (uint32_t i = 0; i < submission.waitCount; ++i)
    if (&getTimeline(submission.waits[i]) == own.get() &&
        submission.waits[i].value > assigned)
      return Status::failure(
          SPARKLE_INVALID_ARGUMENT,
          "expected a queue to wait for at most value %llu of its own "
          "timeline, but got %llu",
          static_cast<unsigned long long>(assigned),
          static_cast<unsigned long long>(submission.waits[i].value));
  if (!submission.signalCount)
    return {};
  // A thread that does not start must not cost work already under way.
  std::lock_guard<std::mutex> lock(mutex);
  return start(isFinishing, [](void *state) {
    static_cast<QueueState *>(state)->runFinishing();
  });
}

/// Whether it waits for more than the driver's own work; if not, `batchWaits`
/// says for which.
bool QueueState::mustDefer(const Submission &submission) {
  {
    std::lock_guard<std::mutex> lock(mutex);
    if (!deferred.empty())
      return true;
  }
  for (uint32_t i = 0; i < submission.waitCount; ++i) {
    uint64_t value = submission.waits[i].value;
    Timeline &timeline = getTimeline(submission.waits[i]);
    if (&timeline == own.get())
      continue; // in order anyway
    if (timeline.device() != device.get()) {
      if (!timeline.wait(value, 0).isOk())
        return true;
      continue;
    }
    if (static_cast<VulkanTimeline &>(timeline).submitted() < value)
      return true;
    batchWaits.push_back({Ref<Timeline>::share(&timeline), value});
  }
  return false;
}

Status QueueState::defer(const Submission &submission) {
  Deferred work = {Ref<Recording>::share(&submission.recording),
                   runtime::own(submission.waits, submission.waitCount),
                   runtime::own(submission.signals, submission.signalCount),
                   submission.flags, assigned + 1};
  std::lock_guard<std::mutex> lock(mutex);
  if (Status status = start(
          isDeferring,
          [](void *state) { static_cast<QueueState *>(state)->runDeferred(); });
      !status.isOk())
    return status;
  deferred.push_back(std::move(work));
  changed.notify_all();
  return {};
}

Status QueueState::give(VulkanRecording &recording, uint32_t flags,
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
Status QueueState::acquire(Slot &slot) {
  if (Status status = own->waitSubmitted(slot.value, SPARKLE_FOREVER);
      !status.isOk())
    return status;
  slot.value = 0;
  for (Slot &other : slots)
    if (own->isKnownReached(other.value))
      other.clear();
  return {};
}

Status QueueState::submitBatch(Slot &slot, VulkanRecording &recording,
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

Status QueueState::queryTimes(uint64_t value, uint64_t &begin, uint64_t &end) {
  begin = end = 0;
  if (!device->properties().has_timestamps)
    return Status::failure(SPARKLE_MISSING_FEATURE,
                           "expected device '%s' to have timestamps, but got "
                           "none",
                           device->properties().name);
  std::lock_guard<std::mutex> lock(order);
  Slot &slot = slots[value % slotCount];
  if (value && slot.value == value && slot.isTimed) {
    if (Status status = own->waitSubmitted(value, 0); !status.isOk())
      return status;
    return slot.readTimes(*device, begin, end);
  }
  if (value > own->submitted() && value <= assigned)
    return own->wait(value, 0); // deferred: not done, or failed
  return makeNotTimed(value);
}

//===----------------------------------------------------------------------===//
// On the queue's threads
//===----------------------------------------------------------------------===//

/// With `mutex` held.
Status QueueState::start(bool &isRunning, void (*run)(void *state)) {
  if (isRunning)
    return {};
  retain(); // the thread's part
  Status status = startThread(run, this);
  if (status.isOk())
    isRunning = true;
  else
    release();
  return status;
}

void QueueState::runDeferred() {
  std::unique_lock<std::mutex> lock(mutex);
  while (true) {
    changed.wait(lock, [&] { return !deferred.empty() || isClosing; });
    if (deferred.empty())
      return leaveIdle(isDeferring, std::move(lock));
    // Only this thread removes what is deferred, so the first one stays.
    const Deferred &work = deferred.front();
    lock.unlock();
    Status status = waitOnHost(work); // perhaps for ever
    DriverCall call;
    if (status.isOk())
      status = run(work);
    if (!status.isOk())
      drop(status);
    lock.lock();
    changed.notify_all();
    if (deferred.empty() && isClosing)
      return leave(isDeferring, std::move(lock)); // in the same call
  }
}

/// For what the driver cannot wait for by itself.
Status QueueState::waitOnHost(const Deferred &work) {
  for (const OwnedPoint &point : work.waits) {
    Status status;
    if (point.timeline->device() == device.get())
      status = static_cast<VulkanTimeline &>(*point.timeline)
                   .waitGiven(point.value, SPARKLE_FOREVER);
    else
      status = point.timeline->wait(point.value, SPARKLE_FOREVER);
    if (!status.isOk())
      return status;
  }
  return {};
}

/// Gives the work to the driver.
Status QueueState::run(const Deferred &work) {
  std::lock_guard<std::mutex> lock(order);
  batchWaits.clear();
  for (const OwnedPoint &point : work.waits)
    if (point.timeline->device() == device.get() &&
        point.timeline.get() != own.get())
      batchWaits.push_back(point);
  if (Status status = give(static_cast<VulkanRecording &>(*work.recording),
                           work.flags, work.value);
      !status.isOk())
    return status;
  if (!work.signals.empty())
    finish(work.value, work.signals);
  Deferred done;
  std::lock_guard<std::mutex> inner(mutex);
  done = std::move(deferred.front());
  deferred.pop_front();
  return {};
}

/// The queue has failed; nothing that waits here will ever run.
void QueueState::drop(const Status &status) {
  std::deque<Deferred> lost;
  {
    std::lock_guard<std::mutex> outer(order);
    std::lock_guard<std::mutex> inner(mutex);
    own->fail(status);
    lost.swap(deferred);
  }
  for (Deferred &work : lost)
    for (OwnedPoint &point : work.signals)
      point.timeline->fail(status);
}

void QueueState::finish(uint64_t value, std::vector<OwnedPoint> signals) {
  std::lock_guard<std::mutex> lock(mutex);
  finishing.push_back({value, std::move(signals)});
  changed.notify_all();
}

void QueueState::runFinishing() {
  std::unique_lock<std::mutex> lock(mutex);
  while (true) {
    changed.wait(lock, [&] {
      return !finishing.empty() || (isClosing && deferred.empty());
    });
    if (finishing.empty())
      return leaveIdle(isFinishing, std::move(lock));
    const Finishing &work = finishing.front(); // only removed here
    lock.unlock();
    Status status = own->waitGiven(work.value, SPARKLE_FOREVER); // as above
    DriverCall call;
    if (status.isOk())
      status = own->wait(work.value, SPARKLE_FOREVER);
    for (const OwnedPoint &point : work.signals)
      if (status.isOk())
        point.timeline->advance(point.value);
      else
        point.timeline->fail(status);
    lock.lock();
    Finishing done = std::move(finishing.front());
    finishing.pop_front();
    changed.notify_all();
    lock.unlock(); // the last owner of a timeline may go here
    done = {};
    lock.lock();
    if (finishing.empty() && isClosing && deferred.empty())
      return leave(isFinishing, std::move(lock)); // in the same call
  }
}

/// The end of a thread, within a driver call. Where close() waits for it, that
/// owns the queue, too: the last part is given away before it can go on.
void QueueState::leave(bool &isRunning, std::unique_lock<std::mutex> lock) {
  isRunning = false;
  changed.notify_all();
  if (!isAwaited)
    lock.unlock();
  release();
}

/// The same without a call. One may not come again, so nobody may wait for it.
void QueueState::leaveIdle(bool &isRunning, std::unique_lock<std::mutex> lock) {
  if (isAwaited)
    return leave(isRunning, std::move(lock));
  lock.unlock();
  DriverCall call;
  lock.lock();
  leave(isRunning, std::move(lock));
}

void QueueState::close() {
  bool isDone = own->waitSubmitted(own->submitted(), 0).isOk();
  std::unique_lock<std::mutex> lock(mutex);
  isClosing = true;
  changed.notify_all();
  if (isDone && deferred.empty() && finishing.empty()) {
    // Nothing is left to do, so the threads end at once; the process may end
    // right after.
    isAwaited = true;
    changed.wait(lock, [&] { return !isDeferring && !isFinishing; });
    return;
  }
  if (isDeferring || isFinishing)
    return; // they own the queue, and go when the work is done
  // If there is no thread left, the destructor waits.
  if (!DriverCall::tryBegin())
    return;
  Status status = start(isFinishing, [](void *state) {
    auto *self = static_cast<QueueState *>(state);
    self->leave(self->isFinishing, std::unique_lock<std::mutex>(self->mutex));
    DriverCall::end();
  });
  if (status.isOk())
    return;
  DriverCall::end();
  device->settings().log(1, "%s", status.message());
}

} // namespace sparkle::runtime
