// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The path from a submission to the kernel.

#include "runtime/Device/AMDGPU/Queue.h"
#include "runtime/Device/AMDGPU/Dump.h"
#include "runtime/Thread.h"

#include <algorithm>

namespace sparkle::runtime {

/// Parts of one submission that the kernel holds at the same time; more than
/// some tens would block in a call that nothing can end.
static constexpr size_t maxParts = 8;
/// How long the end of work is awaited that failed.
static constexpr uint64_t lastWait = 1000000000;

Status AMDGPUQueue::create(AMDGPUDevice &device, uint32_t turn,
                           Ref<Queue> &result) {
  Ref<AMDGPUTimeline> timeline;
  if (Status status = AMDGPUTimeline::create(device, turn, timeline);
      !status.isOk())
    return status;
  auto state = Ref<AMDGPUQueueState>::adopt(
      new AMDGPUQueueState(device, turn, std::move(timeline)));
  result = Ref<Queue>::adopt(new AMDGPUQueue(device, std::move(state)));
  return {};
}

AMDGPUQueueState::AMDGPUQueueState(AMDGPUDevice &device, uint64_t number,
                                   Ref<AMDGPUTimeline> timeline)
    : device(Ref<AMDGPUDevice>::share(&device)), number(number),
      own(std::move(timeline)) {}

namespace {

/// What a device that hangs may still write to. Nobody frees it.
struct Kept {
  std::vector<Ref<Recording>> recordings;
  Ref<AMDGPUTimeline> timeline;
  Kept *next;
};

/// Of the process.
std::atomic<Kept *> kept{nullptr};

} // namespace

AMDGPUQueueState::~AMDGPUQueueState() {
  if (own->waitSubmitted(own->submitted(), SPARKLE_FOREVER).isOk() ||
      own->isIdle(lastWait))
    return;
  device->settings().log(1, "%s: memory of work that hangs is kept",
                         device->properties().name);
  auto *work = new Kept{{}, std::move(own), nullptr};
  for (AMDGPUSlot &slot : slots)
    work->recordings.push_back(std::move(slot.recording));
  work->next = kept.load();
  while (!kept.compare_exchange_weak(work->next, work))
    ;
}

std::vector<AMDGPUQueueState::Point>
AMDGPUQueueState::keep(const sparkle_point_t *points, uint32_t count) {
  std::vector<Point> owned;
  for (uint32_t i = 0; i < count; ++i)
    owned.push_back(
        {Ref<Timeline>::share(&getTimeline(points[i])), points[i].value});
  return owned;
}

//===----------------------------------------------------------------------===//
// On the thread that submits
//===----------------------------------------------------------------------===//

Status AMDGPUQueueState::submit(const Submission &submission, uint64_t &value) {
  std::lock_guard<std::mutex> lock(order);
  value = 0;
  if (Status status = check(submission); !status.isOk())
    return status;
  batchWaits.clear();
  if (mustDefer(submission)) {
    if (Status status = defer(submission); !status.isOk())
      return status;
  } else {
    auto &recording = static_cast<AMDGPURecording &>(submission.recording);
    if (Status status = give(recording, submission.flags, assigned + 1);
        !status.isOk())
      return status;
    if (submission.signalCount)
      finish(assigned + 1, keep(submission.signals, submission.signalCount));
  }
  value = ++assigned;
  return {};
}

Status AMDGPUQueueState::check(const Submission &submission) {
  if (Status status = own->failure(); !status.isOk())
    return status;
  if (Status status = own->context().verdict(); !status.isOk()) {
    own->fail(status);
    return status;
  }
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
    static_cast<AMDGPUQueueState *>(state)->runFinishing();
  });
}

/// Whether the kernel can wait for its work.
bool AMDGPUQueueState::isOfThisContext(Timeline &timeline) const {
  return timeline.device() == device.get() &&
         &static_cast<AMDGPUTimeline &>(timeline).context() == &own->context();
}

/// For what was submitted.
void AMDGPUQueueState::addWait(Timeline &timeline, uint64_t value) {
  amdgpu_cs_fence fence;
  if (&timeline != own.get() && // in order anyway
      static_cast<AMDGPUTimeline &>(timeline).findFence(value, fence))
    batchWaits.push_back(fence);
}

/// Whether it waits for more than work of this context's; if not, `batchWaits`
/// says for which.
bool AMDGPUQueueState::mustDefer(const Submission &submission) {
  {
    std::lock_guard<std::mutex> lock(mutex);
    if (!deferred.empty())
      return true;
  }
  for (uint32_t i = 0; i < submission.waitCount; ++i) {
    uint64_t value = submission.waits[i].value;
    Timeline &timeline = getTimeline(submission.waits[i]);
    if (!isOfThisContext(timeline)) {
      if (!timeline.wait(value, 0).isOk())
        return true;
      continue;
    }
    auto &ours = static_cast<AMDGPUTimeline &>(timeline);
    if (&timeline != own.get() &&
        (ours.submitted() < value || !ours.failure().isOk()))
      return true;
    addWait(timeline, value);
  }
  return false;
}

Status AMDGPUQueueState::defer(const Submission &submission) {
  Deferred work = {Ref<Recording>::share(&submission.recording),
                   keep(submission.waits, submission.waitCount),
                   keep(submission.signals, submission.signalCount),
                   submission.flags, assigned + 1};
  std::lock_guard<std::mutex> lock(mutex);
  if (Status status =
          start(isDeferring,
                [](void *state) {
                  static_cast<AMDGPUQueueState *>(state)->runDeferred();
                });
      !status.isOk())
    return status;
  deferred.push_back(std::move(work));
  changed.notify_all();
  return {};
}

Status AMDGPUQueueState::give(AMDGPURecording &recording, uint32_t flags,
                              uint64_t value) {
  AMDGPUSlot &slot = slots[value % slotCount];
  if (Status status = acquire(slot); !status.isOk())
    return status;
  recording.restorePrograms();
  slot.isTimed =
      (flags & SPARKLE_SUBMIT_TIMED) && device->properties().has_timestamps;
  slot.write(*own->page(), value % slotCount, value);
  uint64_t sequence = 0;
  Status status = submitParts(slot, recording, value, sequence);
  if (!status.isOk() && !sequence) {
    if (status.code() == SPARKLE_DEVICE_LOST)
      own->fail(status);
    return status;
  }
  if (device->options().isValidating)
    own->markReached(value);
  slot.value = value;
  slot.recording = Ref<Recording>::share(&recording);
  own->markSubmitted(value, sequence);
  if (!status.isOk()) // half of it runs, and nobody can take that back
    own->fail(status);
  return status;
}

/// Waits until the slot's last work is done. Others that are done let go of
/// what they kept alive.
Status AMDGPUQueueState::acquire(AMDGPUSlot &slot) {
  if (Status status = own->waitSubmitted(slot.value, SPARKLE_FOREVER);
      !status.isOk()) {
    own->fail(status);
    return status;
  }
  slot.value = 0;
  for (AMDGPUSlot &other : slots)
    if (own->isKnownReached(other.value))
      other.clear();
  return {};
}

/// sequence: of the last part that the kernel took; 0 if it took none.
Status AMDGPUQueueState::submitParts(AMDGPUSlot &slot,
                                     AMDGPURecording &recording, uint64_t value,
                                     uint64_t &sequence) {
  amdgpu_bo_list_handle list = nullptr;
  if (Status status = recording.getList(number, *own->page(), list);
      !status.isOk())
    return status;
  std::vector<MappedRange> mapped;
  for (const Ref<BufferObject> &object : recording.objects())
    mapped.push_back({object->address(), object->size()});
  mapped.push_back({own->page()->address(), own->page()->size()});

  size_t count = std::max<size_t>(recording.parts().size(), 1);
  std::vector<std::vector<CheckedBuffer>> batches(count);
  if (slot.isTimed)
    batches.front().push_back(slot.begin());
  for (size_t i = 0; i < recording.parts().size(); ++i)
    batches[i].push_back(recording.describe(i));
  batches.back().push_back(slot.end());
  // Before the first one is on its way.
  for (const std::vector<CheckedBuffer> &batch : batches)
    for (const CheckedBuffer &buffer : batch)
      if (Status status =
              checkBuffer(device->node()->generation(), buffer, mapped);
          !status.isOk())
        return status;
  if (!device->options().dumpFolder.empty())
    if (Status status = dump(recording, batches, value); !status.isOk())
      return status;
  if (device->options().isValidating)
    return {};

  std::vector<uint64_t> sequences;
  for (size_t i = 0; i < count; ++i) {
    if (i >= maxParts)
      if (Status status = awaitPart(sequences[i - maxParts]); !status.isOk())
        return status;
    uint64_t taken = 0;
    if (Status status = submitPart(batches[i], list, taken); !status.isOk())
      return status;
    sequences.push_back(sequence = taken);
    batchWaits.clear(); // the others come after the first one
  }
  return {};
}

Status AMDGPUQueueState::awaitPart(uint64_t sequence) {
  constexpr uint64_t slice = 100000000;
  for (bool isOver = false; !isOver;)
    if (Status status =
            own->context().wait(own->ring(), sequence, slice, isOver);
        !status.isOk())
      return status;
  return {};
}

Status AMDGPUQueueState::submitPart(const std::vector<CheckedBuffer> &buffers,
                                    amdgpu_bo_list_handle list,
                                    uint64_t &sequence) {
  std::vector<amdgpu_cs_ib_info> infos;
  for (const CheckedBuffer &buffer : buffers) {
    amdgpu_cs_ib_info info = {};
    info.ib_mc_address = buffer.address;
    info.size = static_cast<uint32_t>(buffer.count);
    infos.push_back(info);
  }
  Batch batch;
  batch.ring = own->ring();
  batch.objects = list;
  batch.buffers = infos.data();
  batch.bufferCount = static_cast<uint32_t>(infos.size());
  batch.waits = &batchWaits;
  batch.fence = own->page()->handle();
  return own->context().submit(batch, sequence);
}

/// Writes down what is about to be submitted, when all before it is done.
Status
AMDGPUQueueState::dump(const AMDGPURecording &recording,
                       const std::vector<std::vector<CheckedBuffer>> &batches,
                       uint64_t value) {
  if (Status status = own->waitSubmitted(own->submitted(), SPARKLE_FOREVER);
      !status.isOk())
    return status;
  for (const amdgpu_cs_fence &fence : batchWaits)
    for (bool isOver = false; !isOver;)
      if (Status status = own->context().wait(fence.ring, fence.fence,
                                              UINT64_C(100000000), isOver);
          !status.isOk())
        return status;
  return dumpSubmission(*device, recording, *own->page(), batches, own->ring(),
                        value);
}

Status AMDGPUQueueState::queryTimes(uint64_t value, uint64_t &begin,
                                    uint64_t &end) {
  begin = end = 0;
  if (!device->properties().has_timestamps)
    return Status::failure(SPARKLE_MISSING_FEATURE,
                           "expected device '%s' to have timestamps, but got "
                           "none",
                           device->properties().name);
  std::lock_guard<std::mutex> lock(order);
  AMDGPUSlot &slot = slots[value % slotCount];
  if (value && slot.value == value && slot.isTimed) {
    if (Status status = own->waitSubmitted(value, 0); !status.isOk())
      return status;
    slot.readTimes(begin, end);
    // The clock is in kHz, so that a tick is 10^6 / clock nanoseconds.
    double tick = 1e6 / device->node()->clock();
    uint64_t passed = end - begin;
    begin = static_cast<uint64_t>(static_cast<double>(begin) * tick);
    end = begin + static_cast<uint64_t>(static_cast<double>(passed) * tick);
    return {};
  }
  if (value > own->submitted() && value <= assigned)
    return own->wait(value, 0); // deferred: not done, or failed
  return makeNotTimed(value);
}

//===----------------------------------------------------------------------===//
// On the queue's threads
//===----------------------------------------------------------------------===//

/// With `mutex` held.
Status AMDGPUQueueState::start(bool &isRunning, void (*run)(void *state)) {
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

void AMDGPUQueueState::runDeferred() {
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

/// For what the kernel cannot wait for by itself.
Status AMDGPUQueueState::waitOnHost(const Deferred &work) {
  for (const Point &point : work.waits) {
    Status status;
    auto *ours = isOfThisContext(*point.timeline)
                     ? static_cast<AMDGPUTimeline *>(point.timeline.get())
                     : nullptr;
    if (ours)
      status = ours->waitGiven(point.value, SPARKLE_FOREVER);
    if (!ours || !ours->failure().isOk())
      status = point.timeline->wait(point.value, SPARKLE_FOREVER);
    if (!status.isOk())
      return status;
  }
  return {};
}

/// Gives the work to the kernel.
Status AMDGPUQueueState::run(const Deferred &work) {
  std::lock_guard<std::mutex> lock(order);
  batchWaits.clear();
  for (const Point &point : work.waits)
    if (isOfThisContext(*point.timeline))
      addWait(*point.timeline, point.value);
  if (Status status = give(static_cast<AMDGPURecording &>(*work.recording),
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
void AMDGPUQueueState::drop(const Status &status) {
  std::deque<Deferred> lost;
  {
    std::lock_guard<std::mutex> outer(order);
    std::lock_guard<std::mutex> inner(mutex);
    own->fail(status);
    lost.swap(deferred);
  }
  for (Deferred &work : lost)
    for (Point &point : work.signals)
      point.timeline->fail(status);
}

void AMDGPUQueueState::finish(uint64_t value, std::vector<Point> signals) {
  std::lock_guard<std::mutex> lock(mutex);
  finishing.push_back({value, std::move(signals)});
  changed.notify_all();
}

void AMDGPUQueueState::runFinishing() {
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
    for (const Point &point : work.signals)
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
void AMDGPUQueueState::leave(bool &isRunning,
                             std::unique_lock<std::mutex> lock) {
  isRunning = false;
  changed.notify_all();
  if (!isAwaited)
    lock.unlock();
  release();
}

/// The same without a call. One may not come again, so nobody may wait for it.
void AMDGPUQueueState::leaveIdle(bool &isRunning,
                                 std::unique_lock<std::mutex> lock) {
  if (isAwaited)
    return leave(isRunning, std::move(lock));
  lock.unlock();
  DriverCall call;
  lock.lock();
  leave(isRunning, std::move(lock));
}

void AMDGPUQueueState::close() {
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
    auto *self = static_cast<AMDGPUQueueState *>(state);
    self->leave(self->isFinishing, std::unique_lock<std::mutex>(self->mutex));
    DriverCall::end();
  });
  if (status.isOk())
    return;
  DriverCall::end();
  device->settings().log(1, "%s", status.message());
}

} // namespace sparkle::runtime
