// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads an indirect buffer back, packet by packet, before it is submitted: the
// device accepts what is wrong in silence, and hangs. Knows nothing of how the
// words came about.

#ifndef SPARKLE_RUNTIME_DEVICE_AMDGPU_CHECK_H
#define SPARKLE_RUNTIME_DEVICE_AMDGPU_CHECK_H

#include "runtime/Device/AMDGPU/Image.h"
#include "runtime/Device/AMDGPU/Packet.h"

namespace sparkle::runtime {

/// Addresses of the GPU that are there.
struct MappedRange {
  uint64_t address, size;
};

/// What one dispatch is meant to be.
struct CheckedLaunch {
  const char *entry;
  KernelDescriptor descriptor;
  uint64_t code;                     // address of the first instruction
  uint64_t kernarg;                  // address of the arguments
  const uint8_t *arguments;          // the same for the host
  uint64_t argumentSize;             // bytes
  uint32_t invocations;              // of a workgroup
  std::vector<const char *> names;   // of the bindings
  std::vector<MappedRange> bindings; // what each may reach
};

/// An indirect buffer.
struct CheckedBuffer {
  const uint32_t *words;
  size_t count;
  uint64_t address;
  uint32_t alignment; // of the address, in bytes
  /// Of its dispatches, in order.
  std::vector<const CheckedLaunch *> launches;
};

/// SPARKLE_DRIVER and what is wrong.
Status checkBuffer(GpuGeneration generation, const CheckedBuffer &buffer,
                   const std::vector<MappedRange> &mapped);

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_DEVICE_AMDGPU_CHECK_H
