// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Writes down what is submitted, so that it can be run elsewhere: by an
// emulator, or on another machine.

#ifndef SPARKLE_RUNTIME_DEVICE_AMDGPU_DUMP_H
#define SPARKLE_RUNTIME_DEVICE_AMDGPU_DUMP_H

#include "runtime/Device/AMDGPU/Recording.h"

namespace sparkle::runtime {

/// Writes a folder into the one that SPARKLE_AMDGPU_DUMP names, with plain
/// files and an index.json that says at which address of the GPU each belongs.
/// docs/amdgpu.md has an example. SPARKLE_FILE if that fails.
/// batches: what the kernel is given at once, in order.
Status dumpSubmission(AMDGPUDevice &device, const AMDGPURecording &recording,
                      const BufferObject &page,
                      const std::vector<std::vector<CheckedBuffer>> &batches,
                      uint32_t ring, uint64_t value);

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_DEVICE_AMDGPU_DUMP_H
