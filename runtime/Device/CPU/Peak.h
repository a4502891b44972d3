// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The processor's peak in float, measured.

#ifndef SPARKLE_RUNTIME_DEVICE_CPU_PEAK_H
#define SPARKLE_RUNTIME_DEVICE_CPU_PEAK_H

#include "runtime/Status.h"

namespace sparkle::runtime {

/// How many processors this process may use.
uint32_t countProcessors();

/// Rounds of a millisecond, of which the fastest counts: what a figure is held
/// against, and what a choice among devices needs.
constexpr int manyRounds = 100, fewRounds = 10;

/// `threads` at once; 0 is one for every processor of this process.
Status measurePeak(uint32_t threads, int rounds, sparkle_cpu_peak_t &peak);

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_DEVICE_CPU_PEAK_H
