// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Chooses memory types, and gives out pieces of blocks: the first hole that is
// large enough. What is large has a block of its own. Of the shared blocks an
// empty one stays for the next piece, until memory is short.

#include "runtime/Device/Vulkan/Memory.h"
#include "runtime/Device/Vulkan/Result.h"

#include <algorithm>

namespace sparkle::runtime {

/// Bytes of a shared block, unless the heap is small.
static constexpr uint64_t sharedSize = uint64_t(64) << 20;
/// Above this part of a block, a piece has one of its own.
static constexpr uint64_t sharedParts = 4;
/// What the host sees begins at multiples of this: include/sparkle/runtime.h.
static constexpr uint64_t hostAlignment = 64;

static uint64_t roundUp(uint64_t value, uint64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

//===----------------------------------------------------------------------===//
// A block
//===----------------------------------------------------------------------===//

bool MemoryBlock::take(uint64_t size, uint64_t alignment, uint64_t &offset) {
  for (size_t i = 0; i < free.size(); ++i) {
    Range range = free[i];
    offset = roundUp(range.offset, alignment);
    uint64_t end = range.offset + range.size;
    if (offset > end || end - offset < size)
      continue;
    Range before = {range.offset, offset - range.offset};
    Range after = {offset + size, end - offset - size};
    free.erase(free.begin() + i);
    if (after.size)
      free.insert(free.begin() + i, after);
    if (before.size)
      free.insert(free.begin() + i, before);
    return true;
  }
  return false;
}

void MemoryBlock::give(uint64_t offset, uint64_t size) {
  auto next = std::find_if(free.begin(), free.end(), [&](const Range &range) {
    return range.offset > offset;
  });
  next = free.insert(next, Range{offset, size});
  if (next + 1 != free.end() && offset + size == next[1].offset) {
    next->size += next[1].size;
    free.erase(next + 1);
  }
  if (next != free.begin() && next[-1].offset + next[-1].size == offset) {
    next[-1].size += next->size;
    free.erase(next);
  }
}

//===----------------------------------------------------------------------===//
// All blocks
//===----------------------------------------------------------------------===//

Memory::~Memory() {
  while (!blocks.empty())
    remove(blocks.back().get());
}

/// What a kind of memory has to be, and what it had better be, the most
/// important first.
static std::vector<VkMemoryPropertyFlags> getWishes(sparkle_memory_t kind,
                                                    bool isUnified) {
  constexpr VkMemoryPropertyFlags local = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT,
                                  seen = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT |
                                         VK_MEMORY_PROPERTY_HOST_COHERENT_BIT,
                                  cached = VK_MEMORY_PROPERTY_HOST_CACHED_BIT;
  if (kind == SPARKLE_MEMORY_READBACK)
    return {seen | cached, seen};
  if (kind == SPARKLE_MEMORY_UPLOAD)
    return {seen};
  if (isUnified)
    return {local | seen | cached, local | seen, local, 0};
  return {local, 0};
}

Status Memory::findType(sparkle_memory_t kind, uint32_t allowed,
                        uint32_t &type) const {
  for (VkMemoryPropertyFlags wish : getWishes(kind, adapter.isUnified))
    for (type = 0; type < adapter.memory.memoryTypeCount; ++type)
      if ((allowed >> type & 1) &&
          (adapter.memory.memoryTypes[type].propertyFlags & wish) == wish)
        return {};
  return Status::failure(SPARKLE_DRIVER,
                         "expected memory that the host sees, but got none");
}

uint64_t Memory::blockSize(uint32_t type) const {
  uint32_t heap = adapter.memory.memoryTypes[type].heapIndex;
  return std::min(sharedSize, adapter.memory.memoryHeaps[heap].size / 16);
}

bool Memory::takeShared(uint32_t type, const VkMemoryRequirements &needs,
                        MemoryPiece &piece) {
  uint64_t alignment = std::max(needs.alignment, hostAlignment);
  for (auto &block : blocks)
    if (block->isShared && block->type == type &&
        block->take(needs.size, alignment, piece.offset)) {
      piece.block = block.get();
      piece.size = needs.size;
      return true;
    }
  return false;
}

Status Memory::allocate(sparkle_memory_t kind,
                        const VkMemoryRequirements &needs, MemoryPiece &piece) {
  uint32_t type = 0;
  if (Status status = findType(kind, needs.memoryTypeBits, type);
      !status.isOk())
    return status;
  std::lock_guard<std::mutex> lock(mutex);
  uint64_t shared = blockSize(type);
  MemoryBlock *block = nullptr;
  if (needs.size <= shared / sharedParts) {
    if (takeShared(type, needs, piece))
      return {};
    if (addBlock(type, shared, block).isOk()) {
      block->isShared = true;
      if (takeShared(type, needs, piece))
        return {};
    }
    // Perhaps there is as much as is needed, if not that much.
  }
  Status status = addBlock(type, needs.size, block);
  if (status.isOk())
    piece = {block, 0, needs.size};
  return status;
}

void Memory::free(const MemoryPiece &piece) {
  if (!piece.block)
    return;
  std::lock_guard<std::mutex> lock(mutex);
  MemoryBlock *block = piece.block;
  if (!block->isShared)
    return remove(block);
  block->give(piece.offset, piece.size);
  if (!block->isEmpty())
    return;
  for (auto &other : blocks)
    if (other.get() != block && other->type == block->type && other->isShared &&
        other->isEmpty())
      return remove(block);
}

Status Memory::addBlock(uint32_t type, uint64_t size, MemoryBlock *&result) {
  const VkPhysicalDeviceLimits &limits = adapter.properties.limits;
  uint32_t heap = adapter.memory.memoryTypes[type].heapIndex;
  uint64_t most =
      std::min(adapter.memory.memoryHeaps[heap].size, adapter.maxAllocation);
  if (size > most)
    return Status::failure(
        SPARKLE_OUT_OF_MEMORY,
        "expected %llu bytes of memory, but the device has %llu in one piece",
        static_cast<unsigned long long>(size),
        static_cast<unsigned long long>(most));
  if (blocks.size() >= limits.maxMemoryAllocationCount && !removeEmpty())
    return Status::failure(
        SPARKLE_OUT_OF_MEMORY,
        "expected at most %u allocations of memory, but got one more",
        limits.maxMemoryAllocationCount);
  auto block = std::make_unique<MemoryBlock>();
  block->size = size;
  block->type = type;
  const char *function = "";
  VkResult outcome = VK_SUCCESS;
  do
    outcome = allocateBlock(*block, function);
  while (outcome == VK_ERROR_OUT_OF_DEVICE_MEMORY && removeEmpty());
  if (outcome != VK_SUCCESS)
    return toStatus(outcome, function);
  block->free.push_back({0, size});
  result = block.get();
  blocks.push_back(std::move(block));
  return {};
}

VkResult Memory::allocateBlock(MemoryBlock &block, const char *&function) {
  VkMemoryAllocateInfo info = {};
  info.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO;
  info.allocationSize = block.size;
  info.memoryTypeIndex = block.type;
  function = "AllocateMemory";
  VkResult result = vk.AllocateMemory(device, &info, nullptr, &block.handle);
  VkMemoryPropertyFlags flags =
      adapter.memory.memoryTypes[block.type].propertyFlags;
  constexpr VkMemoryPropertyFlags seen = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT |
                                         VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
  if (result != VK_SUCCESS || (flags & seen) != seen)
    return result;
  function = "MapMemory";
  void *host = nullptr;
  result = vk.MapMemory(device, block.handle, 0, VK_WHOLE_SIZE, 0, &host);
  if (result != VK_SUCCESS)
    vk.FreeMemory(device, block.handle, nullptr);
  block.host = static_cast<char *>(host);
  return result;
}

void Memory::remove(MemoryBlock *block) {
  vk.FreeMemory(device, block->handle, nullptr); // unmaps it, too
  blocks.erase(
      std::find_if(blocks.begin(), blocks.end(),
                   [&](const auto &other) { return other.get() == block; }));
}

bool Memory::removeEmpty() {
  for (auto &block : blocks)
    if (block->isShared && block->isEmpty()) {
      remove(block.get());
      return true;
    }
  return false;
}

} // namespace sparkle::runtime
