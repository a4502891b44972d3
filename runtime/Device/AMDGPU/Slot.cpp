// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The recording itself is the same in every slot, so what differs between
// submissions stands around it.

#include "runtime/Device/AMDGPU/Slot.h"

#include <cstring>

namespace sparkle::runtime {

// The page: QueueWords, then the times of each slot, then its two buffers.
static constexpr uint64_t timesAt = 64, timesSize = 16;
static constexpr uint64_t buffersAt = 1024, bufferSize = 256;
static_assert(sizeof(QueueWords) <= timesAt);
static_assert(buffersAt % Node::ibAlignment() == 0 &&
              bufferSize % Node::ibAlignment() == 0);
/// Of QueueWords::value.
static constexpr uint64_t valueAt = offsetof(QueueWords, value);

CheckedBuffer AMDGPUSlot::write(const BufferObject &page, uint64_t offset,
                                Words words) {
  writePadding(words);
  std::memcpy(page.host() + offset, words.data(),
              words.size() * sizeof(uint32_t));
  return {reinterpret_cast<const uint32_t *>(page.host() + offset),
          words.size(),
          page.address() + offset,
          Node::ibAlignment(),
          {}};
}

void AMDGPUSlot::write(const BufferObject &page, uint32_t index,
                       uint64_t number) {
  uint64_t timesOffset = timesAt + index * timesSize;
  uint64_t bufferOffset = buffersAt + index * 2 * bufferSize;
  times = reinterpret_cast<const uint64_t *>(page.host() + timesOffset);
  Words first, last;
  writeTimestamp(first, page.address() + timesOffset);
  if (isTimed)
    writeTimestamp(last, page.address() + timesOffset + sizeof(uint64_t));
  writeRelease(last, page.address() + valueAt, number);
  buffers[0] = write(page, bufferOffset, std::move(first));
  buffers[1] = write(page, bufferOffset + bufferSize, std::move(last));
}

void AMDGPUSlot::readTimes(uint64_t &begin, uint64_t &end) const {
  begin = readWord(times[0]);
  end = readWord(times[1]);
}

} // namespace sparkle::runtime
