// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Calls a compiled kernel in every way it may be called, and checks it.

#ifndef SPARKLE_TEST_END_TO_END_RUN_H
#define SPARKLE_TEST_END_TO_END_RUN_H

#include "test/end-to-end/Problem.h"

namespace sparkle {

/// Checks a kernel of the shared object that `library` is a dlopen handle of.
/// Returns what is wrong with it, or an empty string.
std::string runProblem(const Problem &problem, void *library);

} // namespace sparkle

#endif // SPARKLE_TEST_END_TO_END_RUN_H
