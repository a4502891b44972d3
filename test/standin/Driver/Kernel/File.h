// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One opened render node: handles, address space, and the kernel's answers to
// its ioctls. They return 0 or a negative error.

#ifndef SPARKLE_TEST_STANDIN_DRIVER_KERNEL_FILE_H
#define SPARKLE_TEST_STANDIN_DRIVER_KERNEL_FILE_H

#include "test/standin/Driver/Hardware/Gpu.h"

namespace sparkle::standin {

class File {
public:
  File(Gpu &gpu, std::shared_ptr<Storage> storage)
      : gpu(gpu), storage(std::move(storage)) {}

  int ioctl(unsigned long request, void *argument);
  int getStorage() const { return storage->file; }

private:
  template <typename Value>
  using Handles = std::unordered_map<uint32_t, std::shared_ptr<Value>>;
  using BufferList = std::vector<std::shared_ptr<Buffer>>;
  struct Call {
    unsigned number;
    const char *name; ///< As faults on demand spell it.
    int (File::*answer)(void *argument, Lock &lock);
  };
  struct Submission;
  static const Call calls[];

  template <typename Value>
  static std::shared_ptr<Value> find(const Handles<Value> &handles,
                                     uint32_t handle) {
    auto found = handles.find(handle);
    return found == handles.end() ? nullptr : found->second;
  }

  // File.cpp: buffers and addresses.
  int getVersion(void *argument, Lock &lock);
  int getCapability(void *argument, Lock &lock);
  int createBuffer(void *argument, Lock &lock);
  int closeBuffer(void *argument, Lock &lock);
  int mapBuffer(void *argument, Lock &lock);
  int waitForBuffer(void *argument, Lock &lock);
  int changeAddresses(void *argument, Lock &lock);
  int checkAddresses(const struct drm_amdgpu_gem_va &request) const;
  bool reserve(uint64_t size, uint64_t &domains, uint64_t flags);

  // Info.cpp
  int inform(void *argument, Lock &lock);

  // Submit.cpp: contexts, lists, submissions.
  int manageContext(void *argument, Lock &lock);
  int manageList(void *argument, Lock &lock);
  int readList(const void *entries, uint32_t count, uint32_t size,
               BufferList &list) const;
  int submit(void *argument, Lock &lock);
  int readChunk(uint32_t id, uint32_t dwords, const void *data,
                Submission &submission);
  int readBuffer(const struct drm_amdgpu_cs_chunk_ib &chunk,
                 Submission &submission);
  int readFence(const struct drm_amdgpu_cs_chunk_fence &chunk,
                Submission &submission);
  int readDependency(const struct drm_amdgpu_cs_chunk_dep &chunk,
                     Submission &submission);
  int readWait(uint32_t handle, uint64_t point, uint32_t flags,
               Submission &submission);
  int readSignal(uint32_t handle, uint64_t point, Submission &submission);
  int checkContext(const Context &context) const;
  int enqueue(Submission &submission, Lock &lock);

  // Wait.cpp: fences and syncobjs.
  int findFence(uint32_t context, uint32_t type, uint32_t instance,
                uint32_t ring, uint64_t sequence,
                std::shared_ptr<Fence> &fence) const;
  int waitForSubmission(void *argument, Lock &lock);
  int waitForFences(void *argument, Lock &lock);
  int createSyncobj(void *argument, Lock &lock);
  int destroySyncobj(void *argument, Lock &lock);
  int resetSyncobjs(void *argument, Lock &lock);
  int signalSyncobjs(void *argument, Lock &lock);
  int waitForSyncobjs(void *argument, Lock &lock);
  int waitForPoints(void *argument, Lock &lock);
  int signalPoints(void *argument, Lock &lock);
  int queryPoints(void *argument, Lock &lock);
  int transferPoint(void *argument, Lock &lock);
  int wait(const uint32_t *handles, const uint64_t *points, uint32_t count,
           int64_t deadline, uint32_t flags, uint32_t *first, Lock &lock);

  Gpu &gpu;
  std::shared_ptr<Storage> storage;
  std::shared_ptr<AddressSpace> space = std::make_shared<AddressSpace>();
  Handles<Buffer> buffers;
  Handles<BufferList> lists;
  Handles<Context> contexts;
  Handles<Syncobj> syncobjs;
  uint32_t lastHandle = 0;
  uint64_t nextOffset = 1 << 20;
};

} // namespace sparkle::standin

#endif // SPARKLE_TEST_STANDIN_DRIVER_KERNEL_FILE_H
