// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Waits in two steps: for a moment by looking at the queue's page, then in the
// kernel, in slices, between which one sees whether the device still works.

#include "runtime/Device/AMDGPU/Timeline.h"
#include "runtime/Thread.h"

#include <algorithm>
#include <cstring>

namespace sparkle::runtime {

/// How long one looks before one sleeps: a call into the kernel and back costs
/// some of that.
static constexpr uint64_t lookTime = 20000;
/// How long one sleeps before one looks whether anything goes on.
static constexpr uint64_t slice = 100000000;

Status AMDGPUTimeline::create(AMDGPUDevice &device, uint32_t turn,
                              Ref<AMDGPUTimeline> &result) {
  Ref<GpuContext> context;
  if (Status status = device.takeContext(context); !status.isOk())
    return status;
  const std::vector<uint32_t> &rings = device.node()->rings();
  auto timeline = Ref<AMDGPUTimeline>::adopt(new AMDGPUTimeline(
      device, std::move(context), rings[turn % rings.size()]));
  // The kernel takes a fence only in an object of exactly one page.
  Ref<BufferObject> page;
  if (Status status =
          BufferObject::create(device.node(), Placement::Host, 4096, page);
      !status.isOk())
    return status;
  std::memset(page->host(), 0, page->size());
  timeline->object = std::move(page);
  timeline->kernelContext->addQueue(timeline->words());
  result = std::move(timeline);
  return {};
}

AMDGPUTimeline::~AMDGPUTimeline() {
  if (object)
    kernelContext->removeQueue(words());
}

void AMDGPUTimeline::markSubmitted(uint64_t value, uint64_t sequence) {
  std::lock_guard<std::mutex> lock(mutex);
  sequences[value % sequenceCount] = sequence;
  setSubmitted(value);
}

//===----------------------------------------------------------------------===//
// What the device has done
//===----------------------------------------------------------------------===//

/// Of a submitted value that may be in flight.
uint64_t AMDGPUTimeline::sequenceOf(uint64_t value) {
  std::lock_guard<std::mutex> lock(mutex);
  return submitted() - value < sequenceCount ? sequences[value % sequenceCount]
                                             : 0;
}

bool AMDGPUTimeline::findFence(uint64_t value, amdgpu_cs_fence &fence) {
  Status status;
  if (look(value, status))
    return false; // or failed, as its waiter will find out
  fence = kernelContext->describe(kernelRing, sequenceOf(value));
  return true;
}

/// Without the kernel: whether a submitted value is over, and how.
bool AMDGPUTimeline::look(uint64_t value, Status &status) {
  if (isKnownReached(value))
    return true;
  if (readWord(words().fence) < sequenceOf(value))
    return false;
  status = conclude(value);
  return true;
}

/// The kernel says that the work is over.
Status AMDGPUTimeline::conclude(uint64_t value) {
  if (readWord(words().value) < value)
    return kernelContext->lose("the kernel says that it is over, and the end "
                               "of it never ran");
  markReached(value);
  return {};
}

Status AMDGPUTimeline::query(uint64_t &value) {
  value = 0;
  if (Status status = failure(); !status.isOk())
    return status;
  uint64_t last = submitted(), next = known() + 1;
  Status status;
  while (next <= last && look(next, status) && status.isOk())
    ++next;
  // Somebody who only asks would never hear that the device hangs.
  if (status.isOk() && next <= last && kernelContext->idleTime() > slice)
    status = waitSubmitted(next, 0);
  if (!status.isOk() && status.code() != SPARKLE_TIMEOUT) {
    fail(status);
    return status;
  }
  value = known();
  return {};
}

Status AMDGPUTimeline::waitSubmitted(uint64_t value, uint64_t timeout) {
  uint64_t begin = getNanoseconds(), spent = 0;
  Status status;
  do {
    if (look(value, status))
      return status;
    spent = getNanoseconds() - begin;
  } while (spent < std::min(lookTime, timeout));
  uint64_t sequence = sequenceOf(value);
  while (true) {
    bool isOver = false;
    uint64_t left = timeout > spent ? timeout - spent : 0;
    status = kernelContext->wait(kernelRing, sequence, std::min(left, slice),
                                 isOver);
    // What the device reports of later work does not undo this.
    if (Status ignored; !status.isOk() && readWord(words().value) >= value &&
                        look(value, ignored))
      return ignored;
    if (!status.isOk())
      return status;
    if (isOver)
      return conclude(value);
    spent = getNanoseconds() - begin;
    if (spent >= timeout)
      return makeTimeOut(value);
  }
}

bool AMDGPUTimeline::isIdle(uint64_t timeout) {
  uint64_t last = submitted();
  if (isKnownReached(last))
    return true;
  amdgpu_cs_fence fence = kernelContext->describe(kernelRing, sequenceOf(last));
  uint32_t expired = 0;
  // Also what the kernel ended has an end.
  return amdgpu->node()->functions().amdgpu_cs_query_fence_status(
             &fence, timeout, 0, &expired) < 0 ||
         expired;
}

} // namespace sparkle::runtime
