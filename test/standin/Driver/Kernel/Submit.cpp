// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Contexts, buffer lists, and what a submission is made of.

#include "test/standin/Driver/Kernel/File.h"
#include "test/standin/Driver/Log.h"

#include <cerrno>
#include <cstring>

namespace sparkle::standin {

namespace {

template <typename Value> const Value *point(uint64_t address) {
  return reinterpret_cast<const Value *>(address);
}

} // namespace

/// A job as far as it has been read.
struct File::Submission {
  std::shared_ptr<Job> job = std::make_shared<Job>();
  BufferList list;
  struct Signal {
    std::shared_ptr<Syncobj> syncobj;
    uint64_t point;
  };
  std::vector<Signal> signals;
  bool hasList = false, hasRing = false, hasBinary = false, hasPoint = false;
};

int File::checkContext(const Context &context) const {
  if (context.isGuilty)
    return refuse(ECANCELED, "CS: the context has hung the card");
  if (context.losses != gpu.losses)
    return refuse(ECANCELED,
                  "CS: graphics memory was lost after the context was made");
  return 0;
}

int File::manageContext(void *argument, Lock &) {
  auto &request = *static_cast<drm_amdgpu_ctx *>(argument);
  if (request.in.op == AMDGPU_CTX_OP_ALLOC_CTX) {
    if (request.in.priority > AMDGPU_CTX_PRIORITY_NORMAL)
      return refuse(EACCES, "CTX: a high priority needs CAP_SYS_NICE");
    auto context = std::make_shared<Context>();
    context->resets = context->seenResets = gpu.resets;
    context->losses = gpu.losses;
    contexts[++lastHandle] = context;
    request.out.alloc = {lastHandle, 0};
    return 0;
  }
  std::shared_ptr<Context> context = find(contexts, request.in.ctx_id);
  if (!context)
    return refuse(EINVAL, format("CTX: no context %u", request.in.ctx_id));
  switch (request.in.op) {
  case AMDGPU_CTX_OP_FREE_CTX:
    contexts.erase(request.in.ctx_id);
    return 0;
  case AMDGPU_CTX_OP_QUERY_STATE:
    request.out.state = {0, context->hangs,
                         context->seenResets == gpu.resets
                             ? unsigned(AMDGPU_CTX_NO_RESET)
                             : unsigned(AMDGPU_CTX_UNKNOWN_RESET)};
    context->seenResets = gpu.resets;
    return 0;
  case AMDGPU_CTX_OP_QUERY_STATE2: {
    uint64_t flags = 0;
    if (context->resets != gpu.resets)
      flags |= AMDGPU_CTX_QUERY2_FLAGS_RESET;
    if (context->losses != gpu.losses)
      flags |= AMDGPU_CTX_QUERY2_FLAGS_VRAMLOST;
    if (context->isGuilty)
      flags |= AMDGPU_CTX_QUERY2_FLAGS_GUILTY;
    request.out.state = {flags, 0, 0};
    return 0;
  }
  default:
    return refuse(EINVAL,
                  format("CTX: operation %u is not modelled", request.in.op));
  }
}

int File::readList(const void *entries, uint32_t count, uint32_t size,
                   BufferList &list) const {
  const auto *bytes = static_cast<const char *>(entries);
  for (uint32_t i = 0; i < count; ++i) {
    drm_amdgpu_bo_list_entry entry = {};
    std::memcpy(&entry, bytes + uint64_t(i) * size,
                std::min<size_t>(size, sizeof entry));
    std::shared_ptr<Buffer> buffer = find(buffers, entry.bo_handle);
    if (!buffer)
      return refuse(ENOENT, format("BO_LIST: no buffer %u", entry.bo_handle));
    list.push_back(buffer);
  }
  return 0;
}

int File::manageList(void *argument, Lock &) {
  auto &request = *static_cast<drm_amdgpu_bo_list *>(argument);
  uint32_t handle = request.in.list_handle;
  if (request.in.operation == AMDGPU_BO_LIST_OP_DESTROY) {
    lists.erase(handle);
    return 0;
  }
  if (request.in.operation > AMDGPU_BO_LIST_OP_UPDATE)
    return refuse(
        EINVAL, format("BO_LIST: unknown operation %u", request.in.operation));
  auto list = std::make_shared<BufferList>();
  if (int error =
          readList(point<char>(request.in.bo_info_ptr), request.in.bo_number,
                   request.in.bo_info_size, *list))
    return error;
  if (request.in.operation == AMDGPU_BO_LIST_OP_CREATE)
    handle = ++lastHandle;
  else if (!find(lists, handle))
    return refuse(ENOENT, format("BO_LIST: no list %u", handle));
  lists[handle] = list;
  request.out = {handle, 0};
  return 0;
}

int File::readBuffer(const drm_amdgpu_cs_chunk_ib &chunk,
                     Submission &submission) {
  if (chunk.ip_type != AMDGPU_HW_IP_COMPUTE)
    return refuse(EINVAL, format("CS: only compute rings are modelled, but got "
                                 "type %u",
                                 chunk.ip_type));
  if (chunk.ip_instance || chunk.ring >= ringCount)
    return refuse(EINVAL, format("CS: no compute ring %u of instance %u",
                                 chunk.ring, chunk.ip_instance));
  if (submission.hasRing && submission.job->ring != chunk.ring)
    return refuse(EINVAL, "CS: several rings in one submission are not "
                          "modelled");
  uint32_t known = AMDGPU_IB_FLAG_PREAMBLE |
                   AMDGPU_IB_FLAG_TC_WB_NOT_INVALIDATE |
                   AMDGPU_IB_FLAG_EMIT_MEM_SYNC;
  if (chunk.flags & ~known)
    return refuse(EINVAL, format("CS: IB flags 0x%x are not modelled",
                                 chunk.flags & ~known));
  submission.hasRing = true;
  submission.job->ring = chunk.ring;
  submission.job->buffers.push_back(
      {chunk.va_start, chunk.ib_bytes, chunk.flags});
  return 0;
}

int File::readFence(const drm_amdgpu_cs_chunk_fence &chunk,
                    Submission &submission) {
  std::shared_ptr<Buffer> buffer = find(buffers, chunk.handle);
  if (!buffer)
    return refuse(EINVAL,
                  format("CS: no buffer %u for the user fence", chunk.handle));
  if (buffer->size != pageSize)
    return refuse(EINVAL, format("CS: expected a user fence in a buffer of one "
                                 "page, but got %ju bytes",
                                 uintmax_t(buffer->size)));
  if (chunk.offset > pageSize - 8)
    return refuse(EINVAL, format("CS: expected a user fence within its page, "
                                 "but got offset %u",
                                 chunk.offset));
  submission.job->userFence = buffer;
  submission.job->userFenceOffset = chunk.offset;
  return 0;
}

int File::readDependency(const drm_amdgpu_cs_chunk_dep &chunk,
                         Submission &submission) {
  std::shared_ptr<Fence> fence;
  if (int error = findFence(chunk.ctx_id, chunk.ip_type, chunk.ip_instance,
                            chunk.ring, chunk.handle, fence))
    return error;
  if (fence)
    submission.job->dependencies.push_back(fence);
  return 0;
}

int File::readWait(uint32_t handle, uint64_t at, uint32_t flags,
                   Submission &submission) {
  std::shared_ptr<Syncobj> syncobj = find(syncobjs, handle);
  if (!syncobj)
    return refuse(ENOENT, format("CS: no syncobj %u to wait for", handle));
  if (flags)
    return refuse(EINVAL, "CS: to wait for a submission to come is not "
                          "modelled");
  if (!syncobj->collect(at, submission.job->dependencies))
    return refuse(EINVAL, format("CS: nobody has submitted what syncobj %u "
                                 "waits for (point %ju)",
                                 handle, uintmax_t(at)));
  return 0;
}

int File::readSignal(uint32_t handle, uint64_t at, Submission &submission) {
  std::shared_ptr<Syncobj> syncobj = find(syncobjs, handle);
  if (!syncobj)
    return refuse(EINVAL, format("CS: no syncobj %u to signal", handle));
  submission.signals.push_back({syncobj, at});
  (at ? submission.hasPoint : submission.hasBinary) = true;
  if (submission.hasPoint && submission.hasBinary)
    return refuse(EINVAL, "CS: expected SYNCOBJ_OUT or TIMELINE_SIGNAL, but "
                          "got both");
  return 0;
}

int File::readChunk(uint32_t id, uint32_t dwords, const void *data,
                    Submission &submission) {
  size_t size = dwords * 4ull;
  // Calls `read` for each element of the chunk.
  auto forEach = [&](auto example, auto read) {
    using Element = decltype(example);
    if (size < sizeof(Element))
      return refuse(EINVAL, format("CS: expected at least %zu bytes in chunk "
                                   "%u, but got %zu",
                                   sizeof(Element), id, size));
    for (size_t i = 0; i + sizeof(Element) <= size; i += sizeof(Element)) {
      std::memcpy(&example, static_cast<const char *>(data) + i,
                  sizeof example);
      if (int error = read(example))
        return error;
    }
    return 0;
  };
  using Sem = drm_amdgpu_cs_chunk_sem;
  using Point = drm_amdgpu_cs_chunk_syncobj;
  switch (id) {
  case AMDGPU_CHUNK_ID_IB:
    return forEach(drm_amdgpu_cs_chunk_ib(), [&](const auto &chunk) {
      return readBuffer(chunk, submission);
    });
  case AMDGPU_CHUNK_ID_FENCE:
    return forEach(drm_amdgpu_cs_chunk_fence(), [&](const auto &chunk) {
      return readFence(chunk, submission);
    });
  case AMDGPU_CHUNK_ID_DEPENDENCIES:
    return forEach(drm_amdgpu_cs_chunk_dep(), [&](const auto &chunk) {
      return readDependency(chunk, submission);
    });
  case AMDGPU_CHUNK_ID_SYNCOBJ_IN:
    return forEach(Sem(), [&](const Sem &chunk) {
      return readWait(chunk.handle, 0, 0, submission);
    });
  case AMDGPU_CHUNK_ID_SYNCOBJ_OUT:
    return forEach(Sem(), [&](const Sem &chunk) {
      return readSignal(chunk.handle, 0, submission);
    });
  case AMDGPU_CHUNK_ID_SYNCOBJ_TIMELINE_WAIT:
    return forEach(Point(), [&](const Point &chunk) {
      return readWait(chunk.handle, chunk.point, chunk.flags, submission);
    });
  case AMDGPU_CHUNK_ID_SYNCOBJ_TIMELINE_SIGNAL:
    return forEach(Point(), [&](const Point &chunk) {
      return readSignal(chunk.handle, chunk.point, submission);
    });
  case AMDGPU_CHUNK_ID_BO_HANDLES:
    return forEach(drm_amdgpu_bo_list_in(), [&](const auto &chunk) {
      if (submission.hasList)
        return refuse(EINVAL, "CS: expected one list of buffers, but got two");
      submission.hasList = true;
      return readList(point<char>(chunk.bo_info_ptr), chunk.bo_number,
                      chunk.bo_info_size, submission.list);
    });
  default:
    return refuse(EINVAL, format("CS: chunk %u is not modelled", id));
  }
}

int File::submit(void *argument, Lock &lock) {
  auto &request = *static_cast<drm_amdgpu_cs *>(argument);
  std::shared_ptr<Context> context = find(contexts, request.in.ctx_id);
  if (!context)
    return refuse(EINVAL, format("CS: no context %u", request.in.ctx_id));
  if (int error = checkContext(*context))
    return error;
  Submission submission;
  submission.job->context = context;
  submission.job->space = space;
  if (request.in.bo_list_handle) {
    std::shared_ptr<BufferList> list = find(lists, request.in.bo_list_handle);
    if (!list)
      return refuse(ENOENT, format("CS: no list of buffers %u",
                                   request.in.bo_list_handle));
    submission.list = *list;
    submission.hasList = true;
  }
  const auto *chunks = point<uint64_t>(request.in.chunks);
  for (uint32_t i = 0; i < request.in.num_chunks; ++i) {
    const auto &chunk = *point<drm_amdgpu_cs_chunk>(chunks[i]);
    if (int error = readChunk(chunk.chunk_id, chunk.length_dw,
                              point<char>(chunk.chunk_data), submission))
      return error;
  }
  if (!submission.hasRing)
    return refuse(EINVAL, "CS: expected at least one IB");
  if (int error = enqueue(submission, lock))
    return error;
  request.out.handle = submission.job->sequence;
  return 0;
}

int File::enqueue(Submission &submission, Lock &lock) {
  Job &job = *submission.job;
  Context::Queue &queue = job.context->queues[job.ring];
  if (queue.fences.size() == jobsInFlight) {
    std::shared_ptr<Fence> oldest = queue.fences.front();
    Monitor::get().wait(lock, INT64_MAX, [&] { return oldest->isSignaled; });
    // Others may have come and gone meanwhile, and so may the context.
    if (int error = checkContext(*job.context))
      return error;
    if (queue.fences.size() == jobsInFlight)
      queue.fences.pop_front();
  }
  for (const Submission::Signal &signal : submission.signals)
    if (!signal.syncobj->attach(signal.point, {job.fence}))
      return refuse(EINVAL, format("CS: expected a point behind %ju, but got "
                                   "%ju",
                                   uintmax_t(signal.syncobj->getSubmitted()),
                                   uintmax_t(signal.point)));
  job.kept = submission.list;
  for (const std::shared_ptr<Buffer> &buffer : job.kept)
    job.resident.insert(buffer.get());
  job.sequence = queue.next++;
  queue.fences.push_back(job.fence);
  // The kernel lets the ring run empty before a job that depends on an earlier
  // one of the same ring, and only then.
  std::shared_ptr<Fence> last = gpu.getLast(job.ring);
  job.mayOverlap = last != nullptr;
  for (const std::shared_ptr<Fence> &dependency : job.dependencies)
    job.mayOverlap &= dependency != last;
  for (const auto &[handle, buffer] : buffers)
    if (Window *window = buffer->getWindow())
      window->post();
  gpu.submit(submission.job);
  return 0;
}

} // namespace sparkle::standin
