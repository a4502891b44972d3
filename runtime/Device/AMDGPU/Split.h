// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Divides long work: what the kernel's driver is given at once has to end long
// before the driver takes it for a hang (2 s in Linux 7.0, 10 s before).

#ifndef SPARKLE_RUNTIME_DEVICE_AMDGPU_SPLIT_H
#define SPARKLE_RUNTIME_DEVICE_AMDGPU_SPLIT_H

#include "runtime/Device/AMDGPU/Packet.h"

namespace sparkle::runtime {

/// What one submission of the kernel's takes at most, by estimate. Seconds.
constexpr double maxSubmissionTime = 0.25;
/// A kernel reaches at least this part of the device's peak.
constexpr double leastOfPeak = 1.0 / 32;
/// Copies and fills, bytes in a second.
constexpr double leastCopySpeed = 1e9;

/// The grid of `count` workgroups in boxes of at most `most`, in order. Numbers
/// from `count` on, which do nothing, are in the last row.
std::vector<GroupBox> splitGrid(uint64_t count, uint64_t most);

/// Workgroups of a box, those that do nothing included.
inline uint64_t getCount(const GroupBox &box) {
  return uint64_t(box.endX - box.startX) * (box.endY - box.startY);
}

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_DEVICE_AMDGPU_SPLIT_H
