// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The order of multiply-adds in straight-line code.

#ifndef SPARKLE_LIB_TARGET_AMDGPU_PAIRSUMS_H
#define SPARKLE_LIB_TARGET_AMDGPU_PAIRSUMS_H

#include "llvm/IR/Function.h"

namespace sparkle::amdgpu {

/// Keeps sums, which are the multiply-adds that say `reassoc`, in the block
/// that they stand in. LLVM would move them, but not the loads of their
/// factors, to the block that uses them, and hold all that is loaded in
/// registers.
void keepSums(llvm::Function &function);

/// Takes the multiply-adds of four that say `reassoc` apart, and orders them so
/// that two neighbours can be issued together:
///
///   a' = fma(w0, x0.0, a)   ->   a'.0 = fma(w0.0, x0.0, a.0)
///   a" = fma(w1, x0.1, a')       a'.1 = fma(w1.1, x0.1, a.1)
///                                a'.2 = ...
void pairSums(llvm::Function &function);

/// Keeps LLVM from moving anything over every so many multiply-adds, for code
/// that holds too much of what it loads in registers otherwise. Comes last.
void boundMotion(llvm::Function &function);

} // namespace sparkle::amdgpu

#endif // SPARKLE_LIB_TARGET_AMDGPU_PAIRSUMS_H
