// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the machine can do at best: the rate that every speed is compared with.

#ifndef SPARKLE_EXAMPLES_PHOTO_PEAK_H
#define SPARKLE_EXAMPLES_PHOTO_PEAK_H

/// Measures the f32 operations per second of `threads` threads that do nothing
/// but fused multiply-adds in the widest registers; an FMA counts as two.
double measurePeak(int threads);

#endif // SPARKLE_EXAMPLES_PHOTO_PEAK_H
