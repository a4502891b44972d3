// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Elements of type f16, as the bits of IEEE 754 binary16.

#ifndef SPARKLE_TOOLS_SPARKLE_RUN_PROBLEM_HALF_H
#define SPARKLE_TOOLS_SPARKLE_RUN_PROBLEM_HALF_H

#include <cstdint>

namespace sparkle {

float fromHalf(uint16_t bits);

/// The nearest, ties to even.
uint16_t toHalf(float value);

} // namespace sparkle

#endif // SPARKLE_TOOLS_SPARKLE_RUN_PROBLEM_HALF_H
