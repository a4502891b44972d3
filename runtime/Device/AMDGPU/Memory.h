// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Buffer objects of the kernel's driver at addresses of the GPU.

#ifndef SPARKLE_RUNTIME_DEVICE_AMDGPU_MEMORY_H
#define SPARKLE_RUNTIME_DEVICE_AMDGPU_MEMORY_H

#include "runtime/Device/AMDGPU/Node.h"

#include <mutex>

namespace sparkle::runtime {

/// Where a buffer object lies, and who sees it.
enum class Placement {
  Vram,        ///< Only the device.
  VisibleVram, ///< The host too, but slowly; it must not read.
  Host,        ///< Memory of the host's that the device reaches: GTT.
};

/// One buffer object, mapped for the GPU as long as it lives, and for the host
/// if that sees it.
class BufferObject : public Counted {
public:
  static Status create(const Ref<Node> &node, Placement placement,
                       uint64_t size, Ref<BufferObject> &result);

  amdgpu_bo_handle handle() const { return object; }
  uint64_t address() const { return gpuAddress; }
  /// Whole pages. Behind them a page is left out, so that what reads or writes
  /// past the end faults.
  uint64_t size() const { return bytes; }
  /// Null if the host does not see it.
  char *host() const { return static_cast<char *>(mapping); }

private:
  BufferObject(Ref<Node> node, uint64_t size)
      : node(std::move(node)), bytes(size) {}
  ~BufferObject() override;

  Status allocate(Placement placement);
  Status mapForGpu();
  Status mapForHost();

  const Ref<Node> node;
  const uint64_t bytes;
  amdgpu_bo_handle object = nullptr;
  amdgpu_va_handle range = nullptr;
  uint64_t gpuAddress = 0;
  bool isMapped = false; // for the GPU
  void *mapping = nullptr;
};

/// Keeps small buffer objects of the host's memory for the next recording: to
/// make one takes four calls into the kernel. Thread-safe.
class CommandMemory {
public:
  explicit CommandMemory(const Ref<Node> &node) : node(node) {}

  /// At least `size` bytes, undefined.
  Status take(uint64_t size, Ref<BufferObject> &result);
  /// The caller is its only owner.
  void give(Ref<BufferObject> object);

private:
  const Ref<Node> node;
  std::mutex mutex;
  std::vector<Ref<BufferObject>> kept;
};

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_DEVICE_AMDGPU_MEMORY_H
