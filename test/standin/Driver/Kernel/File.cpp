// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The table of ioctls; buffers and addresses.

#include "test/standin/Driver/Kernel/File.h"
#include "test/standin/Driver/Fault.h"
#include "test/standin/Driver/Log.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <sys/ioctl.h>

namespace sparkle::standin {

namespace {

// Later than libdrm 2.4.114; INFO_GPUVM_FAULT needs 55.
constexpr int driverMajor = 3, driverMinor = 57;

constexpr uint64_t highestAddress = 0xffffffe00000;

constexpr uint64_t knownFlags =
    AMDGPU_GEM_CREATE_CPU_ACCESS_REQUIRED | AMDGPU_GEM_CREATE_NO_CPU_ACCESS |
    AMDGPU_GEM_CREATE_CPU_GTT_USWC | AMDGPU_GEM_CREATE_VRAM_CLEARED |
    AMDGPU_GEM_CREATE_VRAM_CONTIGUOUS | AMDGPU_GEM_CREATE_VM_ALWAYS_VALID |
    AMDGPU_GEM_CREATE_EXPLICIT_SYNC | AMDGPU_GEM_CREATE_VRAM_WIPE_ON_RELEASE;

void copyText(const char *text, char *to, __kernel_size_t &size) {
  size_t length = std::strlen(text);
  if (to)
    std::memcpy(to, text, std::min<size_t>(size, length));
  size = length;
}

} // namespace

const File::Call File::calls[] = {
    {0x00, "version", &File::getVersion},
    {0x09, "gem-close", &File::closeBuffer},
    {0x0c, "get-cap", &File::getCapability},
    {DRM_COMMAND_BASE + DRM_AMDGPU_GEM_CREATE, "gem-create",
     &File::createBuffer},
    {DRM_COMMAND_BASE + DRM_AMDGPU_GEM_MMAP, "gem-mmap", &File::mapBuffer},
    {DRM_COMMAND_BASE + DRM_AMDGPU_CTX, "ctx", &File::manageContext},
    {DRM_COMMAND_BASE + DRM_AMDGPU_BO_LIST, "bo-list", &File::manageList},
    {DRM_COMMAND_BASE + DRM_AMDGPU_CS, "cs", &File::submit},
    {DRM_COMMAND_BASE + DRM_AMDGPU_INFO, "info", &File::inform},
    {DRM_COMMAND_BASE + DRM_AMDGPU_GEM_WAIT_IDLE, "gem-wait",
     &File::waitForBuffer},
    {DRM_COMMAND_BASE + DRM_AMDGPU_GEM_VA, "gem-va", &File::changeAddresses},
    {DRM_COMMAND_BASE + DRM_AMDGPU_WAIT_CS, "wait", &File::waitForSubmission},
    {DRM_COMMAND_BASE + DRM_AMDGPU_WAIT_FENCES, "wait-fences",
     &File::waitForFences},
    {0xbf, "syncobj-create", &File::createSyncobj},
    {0xc0, "syncobj-destroy", &File::destroySyncobj},
    {0xc3, "syncobj-wait", &File::waitForSyncobjs},
    {0xc4, "syncobj-reset", &File::resetSyncobjs},
    {0xc5, "syncobj-signal", &File::signalSyncobjs},
    {0xca, "timeline-wait", &File::waitForPoints},
    {0xcb, "timeline-query", &File::queryPoints},
    {0xcc, "timeline-transfer", &File::transferPoint},
    {0xcd, "timeline-signal", &File::signalPoints},
    // Named only to be refused.
    {0x0a, "gem-flink", nullptr},
    {0x0b, "gem-open", nullptr},
    {0x2d, "prime-handle-to-fd", nullptr},
    {0x2e, "prime-fd-to-handle", nullptr},
    {DRM_COMMAND_BASE + DRM_AMDGPU_GEM_METADATA, "gem-metadata", nullptr},
    {DRM_COMMAND_BASE + DRM_AMDGPU_GEM_OP, "gem-op", nullptr},
    {DRM_COMMAND_BASE + DRM_AMDGPU_GEM_USERPTR, "gem-userptr", nullptr},
    {DRM_COMMAND_BASE + DRM_AMDGPU_VM, "vm", nullptr},
    {DRM_COMMAND_BASE + DRM_AMDGPU_FENCE_TO_HANDLE, "fence-to-handle", nullptr},
    {DRM_COMMAND_BASE + DRM_AMDGPU_SCHED, "sched", nullptr},
    {0xc1, "syncobj-handle-to-fd", nullptr},
    {0xc2, "syncobj-fd-to-handle", nullptr},
};

int File::ioctl(unsigned long request, void *argument) {
  if (_IOC_TYPE(request) != DRM_IOCTL_BASE)
    return refuse(ENOTTY, format("ioctl 0x%lx", request));
  for (const Call &call : calls) {
    if (call.number != _IOC_NR(request))
      continue;
    if (int error = takeFault(call.name)) {
      report(format("a fault on demand: %s: %s", call.name,
                    std::strerror(-error)));
      return error;
    }
    if (!call.answer)
      return refuse(EINVAL, format("ioctl %s is not modelled", call.name));
    // A caller's structure may be older and shorter, or newer and longer.
    alignas(16) char local[256] = {};
    size_t size = std::min<size_t>(_IOC_SIZE(request), sizeof local);
    std::memcpy(local, argument, size);
    Lock lock = Monitor::get().lock();
    int result = (this->*call.answer)(local, lock);
    std::memcpy(argument, local, size);
    return result;
  }
  return refuse(EINVAL, format("ioctl 0x%02x is not modelled",
                               unsigned(_IOC_NR(request))));
}

int File::getVersion(void *argument, Lock &) {
  auto &version = *static_cast<drm_version *>(argument);
  version.version_major = driverMajor;
  version.version_minor = driverMinor;
  version.version_patchlevel = 0;
  copyText("amdgpu", version.name, version.name_len);
  copyText("20150101", version.date, version.date_len);
  copyText("AMD GPU", version.desc, version.desc_len);
  return 0;
}

int File::getCapability(void *argument, Lock &) {
  auto &capability = *static_cast<drm_get_cap *>(argument);
  switch (capability.capability) {
  case DRM_CAP_TIMESTAMP_MONOTONIC:
  case DRM_CAP_SYNCOBJ:
  case DRM_CAP_SYNCOBJ_TIMELINE:
    capability.value = 1;
    return 0;
  case DRM_CAP_PRIME:
    capability.value = 0;
    return 0;
  default:
    return refuse(EINVAL, format("GET_CAP: capability %ju is not modelled",
                                 uintmax_t(capability.capability)));
  }
}

/// Counts the memory. What does not fit into graphics memory goes elsewhere.
bool File::reserve(uint64_t size, uint64_t &domains, uint64_t flags) {
  bool isVisible = flags & AMDGPU_GEM_CREATE_CPU_ACCESS_REQUIRED;
  if (domains & AMDGPU_GEM_DOMAIN_VRAM) {
    if (gpu.usedVideo + size <= gpu.card.videoMemory &&
        (!isVisible || gpu.usedVisible + size <= gpu.card.visibleVideoMemory)) {
      gpu.usedVideo += size;
      gpu.usedVisible += isVisible ? size : 0;
      return true;
    }
    domains = AMDGPU_GEM_DOMAIN_GTT;
  }
  if (gpu.usedSystem + size > gpu.card.systemMemory)
    return false;
  gpu.usedSystem += size;
  return true;
}

int File::createBuffer(void *argument, Lock &) {
  auto &request = *static_cast<drm_amdgpu_gem_create *>(argument);
  uint64_t domains = request.in.domains, flags = request.in.domain_flags;
  constexpr uint64_t known =
      AMDGPU_GEM_DOMAIN_CPU | AMDGPU_GEM_DOMAIN_GTT | AMDGPU_GEM_DOMAIN_VRAM;
  if (!domains || (domains & ~known))
    return refuse(EINVAL, format("GEM_CREATE: expected domains CPU, GTT or "
                                 "VRAM, but got 0x%jx",
                                 uintmax_t(domains)));
  if (flags & ~knownFlags)
    return refuse(EINVAL, format("GEM_CREATE: unknown flags 0x%jx",
                                 uintmax_t(flags & ~knownFlags)));
  if (!request.in.bo_size)
    return refuse(EINVAL, "GEM_CREATE: expected a size, but got 0");
  uint64_t largest = domains & AMDGPU_GEM_DOMAIN_VRAM ? gpu.card.videoMemory
                                                      : gpu.card.systemMemory;
  if (request.in.bo_size > largest)
    return refuse(ENOMEM,
                  format("GEM_CREATE: %ju bytes of %ju",
                         uintmax_t(request.in.bo_size), uintmax_t(largest)));
  uint64_t size = (request.in.bo_size + pageSize - 1) & ~(pageSize - 1);
  if (!reserve(size, domains, flags))
    return refuse(ENOMEM,
                  format("GEM_CREATE: %ju bytes do not fit", uintmax_t(size)));
  Gpu *counts = &gpu;
  auto *made = new Buffer(storage, nextOffset, size, domains, flags);
  std::shared_ptr<Buffer> buffer(made, [counts](Buffer *old) {
    bool isVideo = old->domains & AMDGPU_GEM_DOMAIN_VRAM;
    (isVideo ? counts->usedVideo : counts->usedSystem) -= old->size;
    if (isVideo && (old->flags & AMDGPU_GEM_CREATE_CPU_ACCESS_REQUIRED))
      counts->usedVisible -= old->size;
    delete old;
  });
  if (!buffer->bytes)
    return refuse(ENOMEM, "GEM_CREATE: this machine has no memory left");
  nextOffset += size;
  if (domains & AMDGPU_GEM_DOMAIN_VRAM)
    gpu.watch(buffer);
  buffers[++lastHandle] = buffer;
  request.out.handle = lastHandle;
  request.out._pad = 0;
  return 0;
}

int File::closeBuffer(void *argument, Lock &) {
  auto &request = *static_cast<drm_gem_close *>(argument);
  std::shared_ptr<Buffer> buffer = find(buffers, request.handle);
  if (!buffer)
    return refuse(EINVAL, format("GEM_CLOSE: no buffer %u", request.handle));
  space->remove(buffer.get());
  buffers.erase(request.handle);
  return 0;
}

int File::mapBuffer(void *argument, Lock &) {
  auto &request = *static_cast<drm_amdgpu_gem_mmap *>(argument);
  std::shared_ptr<Buffer> buffer = find(buffers, request.in.handle);
  if (!buffer)
    return refuse(ENOENT, format("GEM_MMAP: no buffer %u", request.in.handle));
  if (buffer->flags & AMDGPU_GEM_CREATE_NO_CPU_ACCESS)
    return refuse(EPERM, "GEM_MMAP: the buffer was made with NO_CPU_ACCESS");
  bool isVideo = buffer->domains & AMDGPU_GEM_DOMAIN_VRAM;
  if (isVideo && !buffer->getWindow()) {
    if (!buffer->openWindow(nextOffset))
      return refuse(ENOMEM, "GEM_MMAP: this machine has no memory left");
    nextOffset += buffer->size;
  }
  request.out.addr_ptr = isVideo ? buffer->getWindow()->offset : buffer->offset;
  return 0;
}

int File::waitForBuffer(void *argument, Lock &lock) {
  auto &request = *static_cast<drm_amdgpu_gem_wait_idle *>(argument);
  std::shared_ptr<Buffer> buffer = find(buffers, request.in.handle);
  if (!buffer)
    return refuse(ENOENT,
                  format("GEM_WAIT_IDLE: no buffer %u", request.in.handle));
  Fences fences = gpu.getUsers(buffer.get());
  int64_t deadline = request.in.timeout;
  bool isIdle = Monitor::get().wait(lock, deadline < 0 ? INT64_MAX : deadline,
                                    [&] { return areSignaled(fences); });
  request.out.status = !isIdle;
  request.out.domain = buffer->domains;
  return 0;
}

int File::checkAddresses(const drm_amdgpu_gem_va &request) const {
  constexpr uint32_t known = AMDGPU_VM_DELAY_UPDATE | AMDGPU_VM_PAGE_READABLE |
                             AMDGPU_VM_PAGE_WRITEABLE |
                             AMDGPU_VM_PAGE_EXECUTABLE | AMDGPU_VM_MTYPE_MASK;
  uint64_t address = request.va_address, size = request.map_size;
  std::string range =
      format("GEM_VA: 0x%jx, %ju bytes: ", uintmax_t(address), uintmax_t(size));
  if (address < lowestAddress)
    return refuse(EINVAL, range + format("addresses below 0x%jx are reserved",
                                         uintmax_t(lowestAddress)));
  if (!canonicalize(address))
    return refuse(EINVAL, range + "the address is in the hole");
  if (size > highestAddress || address > highestAddress - size)
    return refuse(EINVAL, range + "beyond the address space");
  if (request.flags & ~known)
    return refuse(EINVAL,
                  range + format("unknown flags 0x%x", request.flags & ~known));
  if (request.operation < AMDGPU_VA_OP_MAP ||
      request.operation > AMDGPU_VA_OP_REPLACE)
    return refuse(EINVAL,
                  range + format("unknown operation %u", request.operation));
  if (request.operation == AMDGPU_VA_OP_UNMAP)
    return 0;
  if (!size || (address | size | request.offset_in_bo) % pageSize)
    return refuse(EINVAL, range + "expected whole pages");
  return 0;
}

int File::changeAddresses(void *argument, Lock &) {
  auto &request = *static_cast<drm_amdgpu_gem_va *>(argument);
  if (int error = checkAddresses(request))
    return error;
  uint64_t address = request.va_address;
  canonicalize(address);
  std::string why;
  if (request.operation == AMDGPU_VA_OP_CLEAR) {
    space->clear(address, request.map_size);
    return 0;
  }
  std::shared_ptr<Buffer> buffer = find(buffers, request.handle);
  if (!buffer)
    return refuse(ENOENT, format("GEM_VA: no buffer %u", request.handle));
  if (request.operation == AMDGPU_VA_OP_UNMAP) {
    int error = space->unmap(address, why);
    return error ? refuse(-error, "GEM_VA: " + why) : 0;
  }
  if (request.offset_in_bo > buffer->size ||
      request.map_size > buffer->size - request.offset_in_bo)
    return refuse(EINVAL,
                  format("GEM_VA: expected a part of the buffer's %ju bytes, "
                         "but got %ju at %ju",
                         uintmax_t(buffer->size), uintmax_t(request.map_size),
                         uintmax_t(request.offset_in_bo)));
  if (request.operation == AMDGPU_VA_OP_REPLACE)
    space->clear(address, request.map_size);
  int error = space->map(
      address, {buffer, request.offset_in_bo, request.map_size, request.flags},
      why);
  return error ? refuse(-error, "GEM_VA: " + why) : 0;
}

} // namespace sparkle::standin
