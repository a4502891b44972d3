// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What memory and a queue of the processor reach, measured.

#ifndef SPARKLE_RUNTIME_DEVICE_CPU_BANDWIDTH_H
#define SPARKLE_RUNTIME_DEVICE_CPU_BANDWIDTH_H

#include "runtime/Device/Device.h"

namespace sparkle::runtime {

/// kernel: 10^9 bytes per second, read plus written, with `threads` at once.
/// copy: 10^9 bytes per second brought over by one thread.
Status measureBandwidth(uint32_t threads, double &kernel, double &copy);

/// 10^9 bytes per second, read plus written, with `threads` at once that each
/// have a part of the L2 to themselves.
Status measureNearBandwidth(uint32_t threads, double &near);

/// Nanoseconds from an empty submission to the host's return from waiting.
Status measureLaunch(Device &device, double &nanoseconds);

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_DEVICE_CPU_BANDWIDTH_H
