// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Device memory: a driver grants few allocations, so small pieces share big
// blocks.

#ifndef SPARKLE_RUNTIME_DEVICE_VULKAN_MEMORY_H
#define SPARKLE_RUNTIME_DEVICE_VULKAN_MEMORY_H

#include "runtime/Device/Vulkan/Adapter.h"

#include <memory>

namespace sparkle::runtime {

/// One allocation of the driver's, mapped as long as it lives if the host can
/// see it.
struct MemoryBlock {
  /// Bytes that nothing uses.
  struct Range {
    uint64_t offset, size;
  };

  VkDeviceMemory handle = VK_NULL_HANDLE;
  char *host = nullptr;
  uint64_t size = 0;
  uint32_t type = 0;
  bool isShared = false;
  std::vector<Range> free; // ascending, none touching the next

  bool isEmpty() const { return free.size() == 1 && free[0].size == size; }
  /// Takes `size` bytes, or returns false.
  bool take(uint64_t size, uint64_t alignment, uint64_t &offset);
  void give(uint64_t offset, uint64_t size);
};

/// Bytes of a block.
struct MemoryPiece {
  MemoryBlock *block = nullptr; // null: nothing
  uint64_t offset = 0;
  uint64_t size = 0;

  char *host() const { return block->host ? block->host + offset : nullptr; }
};

/// All memory of a device. Thread-safe.
class Memory {
public:
  Memory(const Functions &vk, VkDevice device, const Adapter &adapter)
      : vk(vk), device(device), adapter(adapter) {}
  ~Memory();

  Status allocate(sparkle_memory_t kind, const VkMemoryRequirements &needs,
                  MemoryPiece &piece);
  void free(const MemoryPiece &piece);

private:
  Status findType(sparkle_memory_t kind, uint32_t allowed,
                  uint32_t &type) const;
  uint64_t blockSize(uint32_t type) const;
  bool takeShared(uint32_t type, const VkMemoryRequirements &needs,
                  MemoryPiece &piece);
  Status addBlock(uint32_t type, uint64_t size, MemoryBlock *&block);
  VkResult allocateBlock(MemoryBlock &block, const char *&function);
  void remove(MemoryBlock *block);
  bool removeEmpty();

  const Functions &vk;
  VkDevice device;
  const Adapter &adapter;
  std::mutex mutex;
  std::vector<std::unique_ptr<MemoryBlock>> blocks;
};

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_DEVICE_VULKAN_MEMORY_H
