// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the processor can run, and which code of a kernel that is.

#ifndef SPARKLE_RUNTIME_DEVICE_CPU_FEATURES_H
#define SPARKLE_RUNTIME_DEVICE_CPU_FEATURES_H

#include "runtime/Status.h"

namespace sparkle::runtime {

/// SPARKLE_CPU_* bits of this machine.
Status queryFeatures(uint64_t &features);

/// What the processor calls itself, cut off at `size` bytes; "" if it does not.
void queryProductName(char *name, size_t size);

/// "an AArch64 processor": what code that needs `needed` lacks on a machine
/// with `features` of another architecture; null if it is the same.
const char *getOtherArchitecture(uint64_t needed, uint64_t features);

/// "avx512f": the first of some features.
const char *getFeatureName(uint64_t features);

/// The code of a validated kernel for a machine with `features`; null on
/// failure.
Status findCode(const sparkle_kernel_t &kernel, uint64_t features,
                const sparkle_code_t *&code);

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_DEVICE_CPU_FEATURES_H
