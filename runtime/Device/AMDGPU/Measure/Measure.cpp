// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the device reaches, measured with the kernels beside it.

#include "runtime/Device/AMDGPU/Device.h"
#include "runtime/Device/AMDGPU/Measure/Code.h"
#include "runtime/Device/Measurement.h"

#include <cstring>

namespace sparkle::runtime {

Status AMDGPUDevice::measure(uint32_t,
                             sparkle_device_performance_t &performance) {
  for (const MeasureCode &code : measureCodes) {
    if (std::strcmp(code.processor, renderNode->processor()) != 0)
      continue;
    MeasuringKernels kernels = {};
    kernels.target = SPARKLE_TARGET_AMDGPU;
    kernels.processor = code.processor;
    kernels.invocations = 128;
    kernels.peak = {"peak", code.image, code.size, 0};
    // 16 chains by 8 multiply-adds.
    kernels.peakOperations = 16 * 8 * 2;
    kernels.bandwidth = {"bandwidth", code.image, code.size, 0};
    return measureDevice(*this, kernels, performance);
  }
  return Status::failure(SPARKLE_MISSING_FEATURE,
                         "expected kernels that measure %s, but got none",
                         renderNode->processor());
}

} // namespace sparkle::runtime
