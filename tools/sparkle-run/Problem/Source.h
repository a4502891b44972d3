// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A case -> the text of a kernel. Its tensors are x, w, b (if there is a bias),
// one s for each tensor of scales, one z for each tensor of the epilogue, temps
// for what it wants more than once, and y; groups are a dimension of their own,
// but for depthwise convolutions.

#ifndef SPARKLE_TOOLS_SPARKLE_RUN_PROBLEM_SOURCE_H
#define SPARKLE_TOOLS_SPARKLE_RUN_PROBLEM_SOURCE_H

#include "tools/sparkle-run/Problem/Cases.h"

namespace sparkle {

/// `kernel NAME with reference { ... }`
std::string writeKernel(const Case &problem, const std::string &name);

/// What the first `sum` of the epilogue adds; empty if there is none.
std::string getSummand(const Case &problem);

} // namespace sparkle

#endif // SPARKLE_TOOLS_SPARKLE_RUN_PROBLEM_SOURCE_H
