// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From a submission to what a device's own queue gives to its driver.

#include "runtime/Device/DriverQueue.h"
#include "runtime/Thread.h"

namespace sparkle::runtime {

DriverQueueState::DriverQueueState(Device &device, Ref<DriverTimeline> timeline)
    : owner(Ref<Device>::share(&device)), line(std::move(timeline)) {}

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

Status DriverQueueState::submit(const Submission &submission, uint64_t &value) {
  std::lock_guard<std::mutex> lock(order);
  value = 0;
  if (Status status = check(submission); !status.isOk())
    return status;
  clearWaits();
  if (mustDefer(submission)) {
    if (Status status = defer(submission); !status.isOk())
      return status;
  } else {
    if (Status status =
            give(submission.recording, submission.flags, assigned + 1);
        !status.isOk())
      return status;
    if (submission.signalCount)
      finish(assigned + 1, own(submission.signals, submission.signalCount));
  }
  value = ++assigned;
  return {};
}

Status DriverQueueState::check(const Submission &submission) {
  if (Status status = line->failure(); !status.isOk())
    return status;
  if (Status status = getVerdict(); !status.isOk())
    return status;
  for (uint32_t i = 0; i < submission.waitCount; ++i)
    if (&getTimeline(submission.waits[i]) == line.get() &&
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
    static_cast<DriverQueueState *>(state)->runFinishing();
  });
}

/// Whether it waits for more than what the driver can wait for.
bool DriverQueueState::mustDefer(const Submission &submission) {
  {
    std::lock_guard<std::mutex> lock(mutex);
    if (!deferred.empty())
      return true;
  }
  for (uint32_t i = 0; i < submission.waitCount; ++i)
    if (!addWait(getTimeline(submission.waits[i]), submission.waits[i].value))
      return true;
  return false;
}

Status DriverQueueState::defer(const Submission &submission) {
  Deferred work = {Ref<Recording>::share(&submission.recording),
                   own(submission.waits, submission.waitCount),
                   own(submission.signals, submission.signalCount),
                   submission.flags, assigned + 1};
  std::lock_guard<std::mutex> lock(mutex);
  if (Status status =
          start(isDeferring,
                [](void *state) {
                  static_cast<DriverQueueState *>(state)->runDeferred();
                });
      !status.isOk())
    return status;
  deferred.push_back(std::move(work));
  changed.notify_all();
  return {};
}

Status DriverQueueState::checkTimestamps() const {
  if (owner->properties().has_timestamps)
    return {};
  return Status::failure(SPARKLE_MISSING_FEATURE,
                         "expected device '%s' to have timestamps, but got "
                         "none",
                         owner->properties().name);
}

Status DriverQueueState::explainNoTimes(uint64_t value) {
  if (value > line->submitted() && value <= assigned)
    return line->wait(value, 0); // deferred: not done, or failed
  return makeNotTimed(value);
}

//===----------------------------------------------------------------------===//
// On the queue's threads
//===----------------------------------------------------------------------===//

/// With `mutex` held.
Status DriverQueueState::start(bool &isRunning, void (*run)(void *state)) {
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

void DriverQueueState::runDeferred() {
  std::unique_lock<std::mutex> lock(mutex);
  while (true) {
    changed.wait(lock, [&] { return !deferred.empty() || isClosing; });
    if (deferred.empty())
      return leaveIdle(isDeferring, std::move(lock));
    // Only this thread removes what is deferred, so the first one stays.
    const Deferred &work = deferred.front();
    lock.unlock();
    Status status = waitFor(work); // perhaps for ever
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

Status DriverQueueState::waitFor(const Deferred &work) {
  for (const OwnedPoint &point : work.waits)
    if (Status status = waitOnHost(*point.timeline, point.value);
        !status.isOk())
      return status;
  return {};
}

/// Gives the work to the driver.
Status DriverQueueState::run(const Deferred &work) {
  std::lock_guard<std::mutex> lock(order);
  clearWaits();
  for (const OwnedPoint &point : work.waits)
    addWait(*point.timeline, point.value); // or it is over
  if (Status status = give(*work.recording, work.flags, work.value);
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
void DriverQueueState::drop(const Status &status) {
  std::deque<Deferred> lost;
  {
    std::lock_guard<std::mutex> outer(order);
    std::lock_guard<std::mutex> inner(mutex);
    line->fail(status);
    lost.swap(deferred);
  }
  for (Deferred &work : lost)
    for (OwnedPoint &point : work.signals)
      point.timeline->fail(status);
}

void DriverQueueState::finish(uint64_t value, std::vector<OwnedPoint> signals) {
  std::lock_guard<std::mutex> lock(mutex);
  finishing.push_back({value, std::move(signals)});
  changed.notify_all();
}

void DriverQueueState::runFinishing() {
  std::unique_lock<std::mutex> lock(mutex);
  while (true) {
    changed.wait(lock, [&] {
      return !finishing.empty() || (isClosing && deferred.empty());
    });
    if (finishing.empty())
      return leaveIdle(isFinishing, std::move(lock));
    const Finishing &work = finishing.front(); // only removed here
    lock.unlock();
    Status status = line->waitGiven(work.value, SPARKLE_FOREVER); // as above
    DriverCall call;
    if (status.isOk())
      status = line->wait(work.value, SPARKLE_FOREVER);
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
void DriverQueueState::leave(bool &isRunning,
                             std::unique_lock<std::mutex> lock) {
  isRunning = false;
  changed.notify_all();
  if (!isAwaited)
    lock.unlock();
  release();
}

/// The same without a call. One may not come again, so nobody may wait for it.
void DriverQueueState::leaveIdle(bool &isRunning,
                                 std::unique_lock<std::mutex> lock) {
  if (isAwaited)
    return leave(isRunning, std::move(lock));
  lock.unlock();
  DriverCall call;
  lock.lock();
  leave(isRunning, std::move(lock));
}

void DriverQueueState::close() {
  bool isDone = line->waitSubmitted(line->submitted(), 0).isOk();
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
    auto *self = static_cast<DriverQueueState *>(state);
    self->leave(self->isFinishing, std::unique_lock<std::mutex>(self->mutex));
    DriverCall::end();
  });
  if (status.isOk())
    return;
  DriverCall::end();
  owner->settings().log(1, "%s", status.message());
}

} // namespace sparkle::runtime
