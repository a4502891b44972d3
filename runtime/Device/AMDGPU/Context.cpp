// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Calls that submit and wait, and what their errors mean.

#include "runtime/Device/AMDGPU/Context.h"
#include "runtime/Thread.h"

#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <time.h>

namespace sparkle::runtime {

// Of newer headers than libdrm 2.4.114's.
static constexpr uint64_t resetInProgress = 1u << 5;

/// How long a submission is tried again while memory is short, and how often.
static constexpr uint64_t retryTime = 1000000000, retryPause = 1000000;

static void pause(uint64_t nanoseconds) {
  timespec time = {0, static_cast<long>(nanoseconds)};
  nanosleep(&time, nullptr);
}

Status GpuContext::create(const Ref<Node> &node, const char *name,
                          uint64_t timeout, Ref<GpuContext> &result) {
  auto made = Ref<GpuContext>::adopt(new GpuContext(node, name, timeout));
  amdgpu_context_handle handle = nullptr;
  int error = node->functions().amdgpu_cs_ctx_create(node->handle(), &handle);
  if (error < 0)
    return toStatus(error, "amdgpu_cs_ctx_create");
  made->context = handle;
  result = std::move(made);
  return {};
}

GpuContext::~GpuContext() {
  if (context)
    node->functions().amdgpu_cs_ctx_free(context);
}

//===----------------------------------------------------------------------===//
// Submitting and waiting
//===----------------------------------------------------------------------===//

Status GpuContext::submit(const Batch &batch, uint64_t &sequence) {
  if (Status status = verdict(); !status.isOk())
    return status;
  amdgpu_cs_request request = {};
  request.ip_type = AMDGPU_HW_IP_COMPUTE;
  request.ring = batch.ring;
  request.resources = batch.objects;
  request.number_of_ibs = batch.bufferCount;
  request.ibs = batch.buffers;
  request.fence_info.handle = batch.fence;
  if (batch.waits && !batch.waits->empty()) {
    request.number_of_dependencies = static_cast<uint32_t>(batch.waits->size());
    request.dependencies = batch.waits->data();
  }
  const DrmFunctions &drm = node->functions();
  uint64_t begin = getNanoseconds();
  int error = 0;
  while ((error = drm.amdgpu_cs_submit(context, 0, &request, 1)) == -ENOMEM &&
         getNanoseconds() - begin < retryTime)
    pause(retryPause);
  if (error == -ENOMEM)
    return Status::failure(SPARKLE_OUT_OF_MEMORY,
                           "expected memory for a submission, but "
                           "amdgpu_cs_submit gave ENOMEM for a second");
  if (error < 0)
    return lose("amdgpu_cs_submit", error);
  sequence = request.seq_no;
  submissions.fetch_add(1);
  return {};
}

amdgpu_cs_fence GpuContext::describe(uint32_t ring, uint64_t sequence) const {
  amdgpu_cs_fence fence = {};
  fence.context = context;
  fence.ip_type = AMDGPU_HW_IP_COMPUTE;
  fence.ring = ring;
  fence.fence = sequence;
  return fence;
}

Status GpuContext::wait(uint32_t ring, uint64_t sequence, uint64_t limit,
                        bool &isOver) {
  amdgpu_cs_fence fence = describe(ring, sequence);
  uint32_t expired = 0;
  int error = node->functions().amdgpu_cs_query_fence_status(&fence, limit, 0,
                                                             &expired);
  isOver = error >= 0 && expired;
  if (error < 0)
    return lose("amdgpu_cs_query_fence_status", error);
  if (isOver || idleTime() < timeout)
    return {};
  char what[96];
  std::snprintf(what, sizeof(what), "nothing on it went on for %" PRIu64 " ms",
                timeout / 1000000);
  return lose(what);
}

//===----------------------------------------------------------------------===//
// Whether it goes on
//===----------------------------------------------------------------------===//

void GpuContext::addQueue(const QueueWords &words) {
  std::lock_guard<std::mutex> lock(mutex);
  queues.push_back(&words);
}

void GpuContext::removeQueue(const QueueWords &words) {
  std::lock_guard<std::mutex> lock(mutex);
  queues.erase(std::find(queues.begin(), queues.end(), &words));
}

/// New work counts as progress, too: no queue takes more than three at a time.
uint64_t GpuContext::idleTime() {
  std::lock_guard<std::mutex> lock(mutex);
  uint64_t progress = submissions.load() + queues.size();
  for (const QueueWords *words : queues)
    progress += readWord(words->fence);
  uint64_t now = getNanoseconds();
  if (progress != lastProgress || !progressTime) {
    lastProgress = progress;
    progressTime = now;
  }
  return now - progressTime;
}

//===----------------------------------------------------------------------===//
// Losing it
//===----------------------------------------------------------------------===//

/// What the kernel's driver means by a number.
static const char *explain(int error) {
  switch (-error) {
  case ECANCELED:
    return "ECANCELED: the kernel cancelled it";
  case ENODATA:
    return "ENODATA: the kernel ended it for a hang of its own";
  case ETIME:
    return "ETIME: it ran into the kernel's time-out";
  default:
    return getErrorName(error);
  }
}

Status GpuContext::lose(const char *function, int error) {
  // What the arguments are to blame for does not change the context.
  Status plain = toStatus(error, function);
  if (plain.code() != SPARKLE_DEVICE_LOST)
    return plain;
  char what[128];
  std::snprintf(what, sizeof(what), "%s gave %s", function, explain(error));
  return lose(what, error == -ECANCELED);
}

/// isOthers: the kernel does not blame the work itself.
Status GpuContext::lose(const char *what, bool isOthers) {
  std::lock_guard<std::mutex> lock(mutex);
  if (!reason.isOk())
    return reason;
  reason = Status::failure(SPARKLE_DEVICE_LOST,
                           "expected %s to finish its work, but %s%s", name,
                           what, askWhy(isOthers).c_str());
  isLost.store(true, std::memory_order_release);
  return reason;
}

Status GpuContext::verdict() {
  if (!isLost.load(std::memory_order_acquire))
    return {};
  std::lock_guard<std::mutex> lock(mutex);
  return reason;
}

/// "; this program caused a reset, and device memory is lost".
std::string GpuContext::askWhy(bool isOthers) {
  uint64_t flags = 0;
  int error = node->functions().amdgpu_cs_query_reset_state2(context, &flags);
  std::string text;
  if (error < 0)
    text = "; why is unknown";
  else if (flags & resetInProgress)
    text = "; a reset is under way";
  else if (!(flags & AMDGPU_CTX_QUERY2_FLAGS_RESET))
    text = "; the kernel knows of no reset";
  else if (flags & AMDGPU_CTX_QUERY2_FLAGS_GUILTY)
    text = "; this program caused a reset";
  else // after a soft recovery nobody is guilty
    text =
        isOthers ? "; another program caused a reset" : "; there was a reset";
  if (error >= 0 && flags & AMDGPU_CTX_QUERY2_FLAGS_VRAMLOST) {
    memoryLost = true;
    text += ", and device memory is lost";
  }
  return text + node->describePageFault();
}

} // namespace sparkle::runtime
