// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Waiting for submissions, and the synchronisation objects of DRM.

#include "test/standin/Driver/Kernel/File.h"
#include "test/standin/Driver/Log.h"

#include <cerrno>

namespace sparkle::standin {

namespace {

/// The kernel takes what is negative as no deadline at all.
int64_t getDeadline(uint64_t timeout) {
  return int64_t(timeout) < 0 ? INT64_MAX : int64_t(timeout);
}

} // namespace

int File::findFence(uint32_t handle, uint32_t type, uint32_t instance,
                    uint32_t ring, uint64_t sequence,
                    std::shared_ptr<Fence> &fence) const {
  std::shared_ptr<Context> context = find(contexts, handle);
  if (!context)
    return refuse(EINVAL, format("no context %u", handle));
  if (type != AMDGPU_HW_IP_COMPUTE || instance || ring >= ringCount)
    return refuse(EINVAL, format("no compute ring %u of instance %u (type %u)",
                                 ring, instance, type));
  const Context::Queue &queue = context->queues[ring];
  if (sequence == ~0ull)
    sequence = queue.next - 1;
  if (sequence >= queue.next)
    return refuse(EINVAL, format("nobody has submitted number %ju of ring %u",
                                 uintmax_t(sequence), ring));
  uint64_t first = queue.next - queue.fences.size();
  if (sequence >= first)
    fence = queue.fences[sequence - first];
  return 0;
}

int File::waitForSubmission(void *argument, Lock &lock) {
  auto &request = *static_cast<drm_amdgpu_wait_cs *>(argument);
  std::shared_ptr<Fence> fence;
  if (int error = findFence(request.in.ctx_id, request.in.ip_type,
                            request.in.ip_instance, request.in.ring,
                            request.in.handle, fence))
    return error;
  bool isDone =
      !fence || Monitor::get().wait(lock, getDeadline(request.in.timeout),
                                    [&] { return fence->isSignaled; });
  request.out.status = !isDone;
  return isDone && fence ? fence->error : 0;
}

int File::waitForFences(void *argument, Lock &lock) {
  auto &request = *static_cast<drm_amdgpu_wait_fences *>(argument);
  const auto *wanted =
      reinterpret_cast<const drm_amdgpu_fence *>(request.in.fences);
  uint32_t count = request.in.fence_count;
  bool waitsForAll = request.in.wait_all;
  Fences fences(count);
  for (uint32_t i = 0; i < count; ++i)
    if (int error = findFence(wanted[i].ctx_id, wanted[i].ip_type,
                              wanted[i].ip_instance, wanted[i].ring,
                              wanted[i].seq_no, fences[i]))
      return error;
  uint32_t first = count;
  bool isDone =
      Monitor::get().wait(lock, getDeadline(request.in.timeout_ns), [&] {
        uint32_t signaled = 0;
        first = count;
        for (uint32_t i = 0; i < count; ++i) {
          if (fences[i] && !fences[i]->isSignaled)
            continue;
          ++signaled;
          first = std::min(first, i);
        }
        return waitsForAll ? signaled == count : signaled > 0;
      });
  request.out.status = isDone;
  request.out.first_signaled = isDone && !waitsForAll ? first : ~0u;
  for (const std::shared_ptr<Fence> &fence : fences)
    if (isDone && fence && fence->isSignaled && fence->error)
      return fence->error;
  return 0;
}

int File::createSyncobj(void *argument, Lock &) {
  auto &request = *static_cast<drm_syncobj_create *>(argument);
  if (request.flags & ~DRM_SYNCOBJ_CREATE_SIGNALED)
    return refuse(EINVAL,
                  format("SYNCOBJ_CREATE: unknown flags 0x%x", request.flags));
  auto syncobj = std::make_shared<Syncobj>();
  if (request.flags & DRM_SYNCOBJ_CREATE_SIGNALED)
    syncobj->attach(0, {});
  syncobjs[++lastHandle] = syncobj;
  request.handle = lastHandle;
  return 0;
}

int File::destroySyncobj(void *argument, Lock &) {
  auto &request = *static_cast<drm_syncobj_destroy *>(argument);
  if (!syncobjs.erase(request.handle))
    return refuse(EINVAL,
                  format("SYNCOBJ_DESTROY: no syncobj %u", request.handle));
  return 0;
}

int File::resetSyncobjs(void *argument, Lock &) {
  auto &request = *static_cast<drm_syncobj_array *>(argument);
  const auto *handles = reinterpret_cast<const uint32_t *>(request.handles);
  for (uint32_t i = 0; i < request.count_handles; ++i) {
    std::shared_ptr<Syncobj> syncobj = find(syncobjs, handles[i]);
    if (!syncobj)
      return refuse(ENOENT, format("SYNCOBJ_RESET: no syncobj %u", handles[i]));
    syncobj->reset();
  }
  return 0;
}

int File::signalSyncobjs(void *argument, Lock &) {
  auto &request = *static_cast<drm_syncobj_array *>(argument);
  const auto *handles = reinterpret_cast<const uint32_t *>(request.handles);
  for (uint32_t i = 0; i < request.count_handles; ++i) {
    std::shared_ptr<Syncobj> syncobj = find(syncobjs, handles[i]);
    if (!syncobj)
      return refuse(ENOENT,
                    format("SYNCOBJ_SIGNAL: no syncobj %u", handles[i]));
    syncobj->attach(0, {});
  }
  return 0;
}

int File::wait(const uint32_t *handles, const uint64_t *points, uint32_t count,
               int64_t deadline, uint32_t flags, uint32_t *first, Lock &lock) {
  std::vector<std::shared_ptr<Syncobj>> wanted(count);
  for (uint32_t i = 0; i < count; ++i) {
    wanted[i] = find(syncobjs, handles[i]);
    Fences ignored;
    if (!wanted[i])
      return refuse(ENOENT, format("SYNCOBJ_WAIT: no syncobj %u", handles[i]));
    if (!(flags & (DRM_SYNCOBJ_WAIT_FLAGS_WAIT_FOR_SUBMIT |
                   DRM_SYNCOBJ_WAIT_FLAGS_WAIT_AVAILABLE)) &&
        !wanted[i]->collect(points ? points[i] : 0, ignored))
      return refuse(EINVAL, format("SYNCOBJ_WAIT: nobody has submitted what "
                                   "syncobj %u waits for",
                                   handles[i]));
  }
  bool waitsForAll = flags & DRM_SYNCOBJ_WAIT_FLAGS_WAIT_ALL;
  bool isDone = Monitor::get().wait(lock, deadline, [&] {
    uint32_t done = 0;
    for (uint32_t i = 0; i < count; ++i) {
      Fences fences;
      if (!wanted[i]->collect(points ? points[i] : 0, fences) ||
          (!(flags & DRM_SYNCOBJ_WAIT_FLAGS_WAIT_AVAILABLE) &&
           !areSignaled(fences)))
        continue;
      *first = done++ ? *first : i;
    }
    return waitsForAll ? done == count : done > 0;
  });
  return isDone ? 0 : -ETIME;
}

int File::waitForSyncobjs(void *argument, Lock &lock) {
  auto &request = *static_cast<drm_syncobj_wait *>(argument);
  return wait(reinterpret_cast<const uint32_t *>(request.handles), nullptr,
              request.count_handles, request.timeout_nsec, request.flags,
              &request.first_signaled, lock);
}

int File::waitForPoints(void *argument, Lock &lock) {
  auto &request = *static_cast<drm_syncobj_timeline_wait *>(argument);
  return wait(reinterpret_cast<const uint32_t *>(request.handles),
              reinterpret_cast<const uint64_t *>(request.points),
              request.count_handles, request.timeout_nsec, request.flags,
              &request.first_signaled, lock);
}

int File::signalPoints(void *argument, Lock &) {
  auto &request = *static_cast<drm_syncobj_timeline_array *>(argument);
  const auto *handles = reinterpret_cast<const uint32_t *>(request.handles);
  const auto *points = reinterpret_cast<const uint64_t *>(request.points);
  for (uint32_t i = 0; i < request.count_handles; ++i) {
    std::shared_ptr<Syncobj> syncobj = find(syncobjs, handles[i]);
    if (!syncobj)
      return refuse(ENOENT,
                    format("TIMELINE_SIGNAL: no syncobj %u", handles[i]));
    if (!syncobj->attach(points[i], {}))
      return refuse(EINVAL,
                    format("TIMELINE_SIGNAL: expected a point behind %ju, but "
                           "got %ju",
                           uintmax_t(syncobj->getSubmitted()),
                           uintmax_t(points[i])));
  }
  return 0;
}

int File::queryPoints(void *argument, Lock &) {
  auto &request = *static_cast<drm_syncobj_timeline_array *>(argument);
  const auto *handles = reinterpret_cast<const uint32_t *>(request.handles);
  auto *points = reinterpret_cast<uint64_t *>(request.points);
  for (uint32_t i = 0; i < request.count_handles; ++i) {
    std::shared_ptr<Syncobj> syncobj = find(syncobjs, handles[i]);
    if (!syncobj)
      return refuse(ENOENT,
                    format("TIMELINE_QUERY: no syncobj %u", handles[i]));
    points[i] = request.flags & DRM_SYNCOBJ_QUERY_FLAGS_LAST_SUBMITTED
                    ? syncobj->getSubmitted()
                    : syncobj->getSignaled();
  }
  return 0;
}

int File::transferPoint(void *argument, Lock &) {
  auto &request = *static_cast<drm_syncobj_transfer *>(argument);
  std::shared_ptr<Syncobj> from = find(syncobjs, request.src_handle);
  std::shared_ptr<Syncobj> to = find(syncobjs, request.dst_handle);
  if (!from || !to)
    return refuse(ENOENT,
                  format("SYNCOBJ_TRANSFER: no syncobj %u",
                         from ? request.dst_handle : request.src_handle));
  Fences fences;
  if (!from->collect(request.src_point, fences))
    return refuse(EINVAL,
                  format("SYNCOBJ_TRANSFER: nobody has submitted point "
                         "%ju of syncobj %u",
                         uintmax_t(request.src_point), request.src_handle));
  if (!to->attach(request.dst_point, std::move(fences)))
    return refuse(EINVAL, format("SYNCOBJ_TRANSFER: expected a point behind "
                                 "%ju, but got %ju",
                                 uintmax_t(to->getSubmitted()),
                                 uintmax_t(request.dst_point)));
  return 0;
}

} // namespace sparkle::standin
