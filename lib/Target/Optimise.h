// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// LLVM's optimisations, as all leaves run them.

#ifndef SPARKLE_LIB_TARGET_OPTIMISE_H
#define SPARKLE_LIB_TARGET_OPTIMISE_H

#include "llvm/IR/Module.h"
#include "llvm/Passes/OptimizationLevel.h"
#include "llvm/Target/TargetMachine.h"

namespace sparkle {

/// Runs the default pipeline of `level`, with what the back end adds to it, but
/// for vectorising and unrolling: kernels are both already.
void optimise(llvm::Module &module, llvm::TargetMachine &machine,
              llvm::OptimizationLevel level);

} // namespace sparkle

#endif // SPARKLE_LIB_TARGET_OPTIMISE_H
