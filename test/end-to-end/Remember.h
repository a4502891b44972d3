// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the oracle found, in files: an emulated run need not compute again what
// one at full speed has computed before.

#ifndef SPARKLE_TEST_END_TO_END_REMEMBER_H
#define SPARKLE_TEST_END_TO_END_REMEMBER_H

#include "test/end-to-end/Problem.h"

namespace sparkle {

/// Lets the reference of `problem` take its results from `folder` if they are
/// there, for the same text and the same inputs; else it puts them there.
void rememberResults(Problem &problem, const std::string &folder);

} // namespace sparkle

#endif // SPARKLE_TEST_END_TO_END_REMEMBER_H
