// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The path from a submission to the kernel.

#include "runtime/Device/AMDGPU/Queue.h"
#include "runtime/Device/AMDGPU/Dump.h"

#include <algorithm>

namespace sparkle::runtime {

/// Parts of one submission that the kernel holds at the same time; more than
/// some tens would block in a call that nothing can end.
static constexpr size_t maxParts = 8;
/// How long the end of work is awaited that failed.
static constexpr uint64_t lastWait = 1000000000;

Status AMDGPUQueueState::create(AMDGPUDevice &device, uint32_t turn,
                                Ref<Queue> &result) {
  Ref<AMDGPUTimeline> timeline;
  if (Status status = AMDGPUTimeline::create(device, turn, timeline);
      !status.isOk())
    return status;
  auto state = Ref<DriverQueueState>::adopt(
      new AMDGPUQueueState(device, turn, std::move(timeline)));
  result = Ref<Queue>::adopt(new DriverQueue(device, std::move(state)));
  return {};
}

AMDGPUQueueState::AMDGPUQueueState(AMDGPUDevice &device, uint64_t number,
                                   Ref<AMDGPUTimeline> timeline)
    : DriverQueueState(device, Ref<DriverTimeline>::share(timeline.get())),
      device(Ref<AMDGPUDevice>::share(&device)), number(number),
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
  auto *work = new Kept{{}, own, nullptr};
  for (AMDGPUSlot &slot : slots)
    work->recordings.push_back(std::move(slot.recording));
  work->next = kept.load();
  while (!kept.compare_exchange_weak(work->next, work))
    ;
}

Status AMDGPUQueueState::getVerdict() {
  Status status = own->context().verdict();
  if (!status.isOk())
    own->fail(status);
  return status;
}

/// Ours, if the kernel can wait for its work; null if not.
AMDGPUTimeline *AMDGPUQueueState::findOurs(Timeline &timeline) const {
  if (timeline.device() != device.get())
    return nullptr;
  auto &ours = static_cast<AMDGPUTimeline &>(timeline);
  return &ours.context() == &own->context() ? &ours : nullptr;
}

bool AMDGPUQueueState::addWait(Timeline &timeline, uint64_t value) {
  if (&timeline == own.get())
    return true; // in order anyway
  AMDGPUTimeline *ours = findOurs(timeline);
  if (!ours)
    return timeline.wait(value, 0).isOk();
  if (ours->submitted() < value || !ours->failure().isOk())
    return false;
  amdgpu_cs_fence fence;
  if (ours->findFence(value, fence))
    batchWaits.push_back(fence);
  return true;
}

Status AMDGPUQueueState::waitOnHost(Timeline &timeline, uint64_t value) {
  AMDGPUTimeline *ours = findOurs(timeline);
  Status status;
  if (ours)
    status = ours->waitGiven(value, SPARKLE_FOREVER);
  if (!ours || !ours->failure().isOk())
    status = timeline.wait(value, SPARKLE_FOREVER);
  return status;
}

Status AMDGPUQueueState::give(Recording &given, uint32_t flags,
                              uint64_t value) {
  auto &recording = static_cast<AMDGPURecording &>(given);
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
  if (Status status = checkTimestamps(); !status.isOk())
    return status;
  std::lock_guard<std::mutex> lock(order);
  AMDGPUSlot &slot = slots[value % slotCount];
  if (!value || slot.value != value || !slot.isTimed)
    return explainNoTimes(value);
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

} // namespace sparkle::runtime
