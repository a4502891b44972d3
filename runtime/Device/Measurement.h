// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a GPU reaches, measured with kernels that its kind brings along.

#ifndef SPARKLE_RUNTIME_DEVICE_MEASUREMENT_H
#define SPARKLE_RUNTIME_DEVICE_MEASUREMENT_H

#include "runtime/Device/Device.h"

namespace sparkle::runtime {

struct MeasuringKernel {
  const char *entry;
  const void *image;
  uint64_t size; // bytes
  uint64_t hash; // of the image
};

/// Two kernels with the sizes `count` and `groups`.
struct MeasuringKernels {
  uint32_t target;
  const char *processor;
  uint32_t invocations; // of a workgroup
  /// One argument, `groups` workgroups, `count` rounds of `peakOperations` on
  /// float in every invocation.
  MeasuringKernel peak;
  double peakOperations;
  /// Copies `count` vectors of 16 bytes, one in an invocation.
  MeasuringKernel bandwidth;
};

Status measureDevice(Device &device, const MeasuringKernels &kernels,
                     sparkle_device_performance_t &performance);

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_DEVICE_MEASUREMENT_H
