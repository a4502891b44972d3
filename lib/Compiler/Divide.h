// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which run-time sizes a run may be divided along, proved from the equations.

#ifndef SPARKLE_LIB_COMPILER_DIVIDE_H
#define SPARKLE_LIB_COMPILER_DIVIDE_H

#include "dialect/SparkleDialect.h"
#include "lib/Artifact/Descriptor.h"

namespace sparkle {

/// The splits of `kernel`, whose sizes and tensors `description` has, best
/// first: those whose parts share no input, and of these the one whose parts
/// lie further apart in the output's memory. Every one has the properties that
/// sparkle/kernel.h states; what cannot be proved is left out, as is all of a
/// kernel that is tiled already.
std::vector<SplitDescription> findSplits(KernelOp kernel,
                                         const KernelDescription &description);

} // namespace sparkle

#endif // SPARKLE_LIB_COMPILER_DIVIDE_H
