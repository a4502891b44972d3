// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the device reaches, measured with the shaders beside it.

#include "runtime/Device/Measurement.h"
#include "runtime/Device/Vulkan/Device.h"
#include "runtime/Device/Vulkan/Measure/Code.h"
#include "runtime/Hash.h"

namespace sparkle::runtime {

Status VulkanDevice::measure(uint32_t,
                             sparkle_device_performance_t &performance) {
  MeasuringKernels kernels = {};
  kernels.target = SPARKLE_TARGET_Vulkan;
  kernels.processor = "any";
  kernels.invocations = 128;
  kernels.peak = {"main", peakCode, sizeof(peakCode),
                  hashBytes(peakCode, sizeof(peakCode))};
  // 16 times 8 vectors of 4, each 2.
  kernels.peakOperations = 16 * 8 * 4 * 2;
  kernels.bandwidth = {"main", bandwidthCode, sizeof(bandwidthCode),
                       hashBytes(bandwidthCode, sizeof(bandwidthCode))};
  return measureDevice(*this, kernels, performance);
}

} // namespace sparkle::runtime
