// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The processor's peak in float, measured.

#ifndef SPARKLE_RUNTIME_DEVICE_CPU_PEAK_H
#define SPARKLE_RUNTIME_DEVICE_CPU_PEAK_H

#include "runtime/Status.h"

namespace sparkle::runtime {

/// How many processors this process may use.
uint32_t countProcessors();

/// `threads` at once; 0 is one for every processor of this process.
Status measurePeak(uint32_t threads, sparkle_cpu_peak_t &peak);

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_DEVICE_CPU_PEAK_H
