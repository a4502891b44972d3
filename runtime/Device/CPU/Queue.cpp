// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Submitting fills a slot, the thread empties it.

#include "runtime/Device/CPU/Queue.h"
#include "runtime/Thread.h"

namespace sparkle::runtime {

CpuWorker::CpuWorker(Device &device)
    : settings(device.settings()),
      done(Ref<HostTimeline>::adopt(
          new HostTimeline(0, Ref<Device>::share(&device)))) {}

Status CpuWorker::start() {
  retain(); // the thread's part
  auto run = [](void *worker) { static_cast<CpuWorker *>(worker)->work(); };
  Status status = startThread(run, this);
  if (!status.isOk())
    release();
  return status;
}

void CpuWorker::close() {
  std::lock_guard<std::mutex> lock(mutex);
  isClosed = true;
  changed.notify_all();
}

//===----------------------------------------------------------------------===//
// The caller's side
//===----------------------------------------------------------------------===//

/// Commands of one queue run one after the other, so they share a workspace;
/// those in flight keep the smaller one that they were submitted with.
Status CpuWorker::growWorkspace(uint64_t size) {
  if (size == 0 || (workspace && workspace->size >= size))
    return {};
  return CpuMemory::allocate(size, SPARKLE_WORKSPACE_ALIGNMENT, workspace);
}

Status CpuWorker::submit(const Submission &submission, uint64_t &value) {
  auto &recording = static_cast<CpuRecording &>(submission.recording);
  std::unique_lock<std::mutex> lock(mutex);
  changed.wait(lock, [&] {
    return !failure.isOk() || submitted - finished < slotCount;
  });
  if (!failure.isOk())
    return failure;
  if (Status status = growWorkspace(recording.workspaceSize()); !status.isOk())
    return status;
  auto keep = [](std::vector<Point> &points, const sparkle_point_t *given,
                 uint32_t count) {
    for (uint32_t i = 0; i < count; ++i)
      points.push_back(
          {Ref<Timeline>::share(&getTimeline(given[i])), given[i].value});
  };
  value = ++submitted;
  Slot &slot = slots[value % slotCount];
  slot.recording = Ref<CpuRecording>::share(&recording);
  slot.workspace = workspace;
  keep(slot.waits, submission.waits, submission.waitCount);
  keep(slot.signals, submission.signals, submission.signalCount);
  slot.isTimed = submission.flags & SPARKLE_SUBMIT_TIMED;
  changed.notify_all();
  return {};
}

Status CpuWorker::queryTimes(uint64_t value, uint64_t &begin, uint64_t &end) {
  std::lock_guard<std::mutex> lock(mutex);
  const Slot &slot = slots[value % slotCount];
  if (value == 0 || value > submitted || submitted - value >= slotCount ||
      !slot.isTimed)
    return makeNotTimed(value);
  if (value > finished)
    return failure.isOk() ? makeTimeOut(value) : failure;
  begin = slot.begin;
  end = slot.end;
  return {};
}

//===----------------------------------------------------------------------===//
// The thread's side
//===----------------------------------------------------------------------===//

void CpuWorker::work() {
  while (awaitNext()) {
    // `finished` changes in this thread only.
    Slot &slot = slots[(finished + 1) % slotCount];
    // `failure` too: what follows lost work is lost.
    Status status = failure.isOk() ? await(slot) : failure;
    // OpenMP takes itself apart at the process's end as drivers do.
    DriverCall call;
    finish(slot, status.isOk() ? run(slot) : status);
  }
  release();
}

/// Whether there is more to do.
bool CpuWorker::awaitNext() {
  std::unique_lock<std::mutex> lock(mutex);
  changed.wait(lock, [&] { return finished < submitted || isClosed; });
  return finished < submitted;
}

Status CpuWorker::await(const Slot &slot) {
  for (const Point &wait : slot.waits)
    if (Status status = wait.timeline->wait(wait.value, SPARKLE_FOREVER);
        !status.isOk())
      return status;
  return {};
}

Status CpuWorker::run(Slot &slot) {
  slot.begin = getNanoseconds();
  Status status =
      slot.recording->run(slot.workspace ? slot.workspace->bytes : nullptr);
  slot.end = getNanoseconds();
  return status;
}

/// What the work held is let go before anyone hears that it is done.
void CpuWorker::finish(Slot &slot, Status status) {
  if (!status.isOk() && failure.isOk())
    settings.log(1, "cpu: %s", status.message());
  std::vector<Point> signals;
  signals.swap(slot.signals);
  slot.waits.clear();
  slot.recording = {};
  slot.workspace = {};
  uint64_t value;
  {
    std::lock_guard<std::mutex> lock(mutex);
    failure = status;
    value = ++finished;
    changed.notify_all();
  }
  for (const Point &point : signals)
    if (status.isOk())
      point.timeline->advance(point.value);
    else
      point.timeline->fail(status);
  if (status.isOk())
    done->advance(value);
  else
    done->fail(status);
}

Status CpuDevice::createQueue(Ref<Queue> &queue) {
  auto worker = Ref<CpuWorker>::adopt(new CpuWorker(*this));
  if (Status status = worker->start(); !status.isOk())
    return status;
  queue = Ref<Queue>::adopt(new CpuQueue(*this, std::move(worker)));
  return {};
}

} // namespace sparkle::runtime
