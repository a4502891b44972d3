// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One submission in flight: what it keeps alive, and the indirect buffers
// around its recording's.

#ifndef SPARKLE_RUNTIME_DEVICE_AMDGPU_SLOT_H
#define SPARKLE_RUNTIME_DEVICE_AMDGPU_SLOT_H

#include "runtime/Device/AMDGPU/Recording.h"
#include "runtime/Device/AMDGPU/Timeline.h"

namespace sparkle::runtime {

/// A queue has three and uses them in turn; its lock guards them. Each has a
/// part of the queue's page.
class AMDGPUSlot {
public:
  uint64_t value = 0; // of the queue's timeline; 0: nothing
  Ref<Recording> recording;
  bool isTimed = false;

  /// Lets go of what it keeps alive.
  void clear() { recording = {}; }

  /// Writes the buffers that begin and end submission `value`, for slot `index`
  /// of the page.
  void write(const BufferObject &page, uint32_t index, uint64_t value);
  /// Before the recording's: the time. To be left out unless `isTimed`.
  const CheckedBuffer &begin() const { return buffers[0]; }
  /// Behind it: the time, and the timeline's value.
  const CheckedBuffer &end() const { return buffers[1]; }
  /// Ticks of the device's clock.
  void readTimes(uint64_t &begin, uint64_t &end) const;

private:
  CheckedBuffer write(const BufferObject &page, uint64_t offset, Words words);

  CheckedBuffer buffers[2] = {};
  const uint64_t *times = nullptr;
};

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_DEVICE_AMDGPU_SLOT_H
