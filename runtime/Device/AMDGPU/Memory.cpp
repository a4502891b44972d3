// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Each buffer is an object of its own: an address outside of it is then not
// mapped, which the device reports, where a shared block would hide it.

#include "runtime/Device/AMDGPU/Memory.h"

#include <algorithm>
#include <cinttypes>

namespace sparkle::runtime {

static constexpr uint64_t page = 4096;
/// Large objects get addresses that large pages fit.
static constexpr uint64_t largePage = uint64_t(2) << 20;

static uint64_t roundUp(uint64_t value, uint64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

Status BufferObject::create(const Ref<Node> &node, Placement placement,
                            uint64_t size, Ref<BufferObject> &result) {
  const drm_amdgpu_memory_info &memory = node->memory();
  const drm_amdgpu_heap_info &heap = placement == Placement::Vram ? memory.vram
                                     : placement == Placement::VisibleVram
                                         ? memory.cpu_accessible_vram
                                         : memory.gtt;
  if (size > heap.total_heap_size)
    return Status::failure(SPARKLE_OUT_OF_MEMORY,
                           "expected %" PRIu64
                           " bytes of memory, but the device has %" PRIu64,
                           size, uint64_t(heap.total_heap_size));
  auto object = Ref<BufferObject>::adopt(
      new BufferObject(node, roundUp(std::max<uint64_t>(size, 1), page)));
  if (Status status = object->allocate(placement); !status.isOk())
    return status;
  if (Status status = object->mapForGpu(); !status.isOk())
    return status;
  if (placement != Placement::Vram)
    if (Status status = object->mapForHost(); !status.isOk())
      return status;
  result = std::move(object);
  return {};
}

BufferObject::~BufferObject() {
  const DrmFunctions &drm = node->functions();
  if (mapping)
    drm.amdgpu_bo_cpu_unmap(object);
  if (isMapped) {
    node->removeRange(gpuAddress);
    drm.amdgpu_bo_va_op(object, 0, bytes, gpuAddress, 0, AMDGPU_VA_OP_UNMAP);
  }
  if (range)
    drm.amdgpu_va_range_free(range);
  if (object)
    drm.amdgpu_bo_free(object);
}

Status BufferObject::allocate(Placement placement) {
  amdgpu_bo_alloc_request request = {};
  request.alloc_size = bytes;
  request.phys_alignment = bytes >= largePage ? largePage : page;
  request.preferred_heap = placement == Placement::Host
                               ? AMDGPU_GEM_DOMAIN_GTT
                               : AMDGPU_GEM_DOMAIN_VRAM;
  if (placement == Placement::Vram)
    request.flags = AMDGPU_GEM_CREATE_NO_CPU_ACCESS;
  if (placement == Placement::VisibleVram)
    request.flags = AMDGPU_GEM_CREATE_CPU_ACCESS_REQUIRED;
  amdgpu_bo_handle made = nullptr;
  int error =
      node->functions().amdgpu_bo_alloc(node->handle(), &request, &made);
  if (error >= 0)
    object = made;
  return toStatus(error, "amdgpu_bo_alloc");
}

Status BufferObject::mapForGpu() {
  const DrmFunctions &drm = node->functions();
  amdgpu_va_handle made = nullptr;
  uint64_t address = 0;
  int error = drm.amdgpu_va_range_alloc(
      node->handle(), amdgpu_gpu_va_range_general, bytes + page,
      bytes >= largePage ? largePage : page, 0, &address, &made, 0);
  if (error < 0)
    return toStatus(error, "amdgpu_va_range_alloc");
  range = made;
  gpuAddress = address;
  // The library adds that it may be read, written and executed.
  error = drm.amdgpu_bo_va_op(object, 0, bytes, address, 0, AMDGPU_VA_OP_MAP);
  isMapped = error >= 0;
  if (isMapped)
    node->addRange(address, bytes);
  return toStatus(error, "amdgpu_bo_va_op");
}

Status BufferObject::mapForHost() {
  void *made = nullptr;
  int error = node->functions().amdgpu_bo_cpu_map(object, &made);
  if (error >= 0)
    mapping = made;
  return toStatus(error, "amdgpu_bo_cpu_map");
}

//===----------------------------------------------------------------------===//
// For recordings
//===----------------------------------------------------------------------===//

/// Objects of more bytes are not kept, nor are more objects.
static constexpr uint64_t maxKeptSize = 65536;
static constexpr size_t maxKept = 16;

Status CommandMemory::take(uint64_t size, Ref<BufferObject> &result) {
  {
    std::lock_guard<std::mutex> lock(mutex);
    for (Ref<BufferObject> &object : kept)
      if (object->size() >= size) {
        std::swap(object, kept.back());
        result = std::move(kept.back());
        kept.pop_back();
        return {};
      }
  }
  return BufferObject::create(node, Placement::Host, size, result);
}

void CommandMemory::give(Ref<BufferObject> object) {
  std::lock_guard<std::mutex> lock(mutex);
  if (object && object->size() <= maxKeptSize && kept.size() < maxKept)
    kept.push_back(std::move(object));
}

} // namespace sparkle::runtime
