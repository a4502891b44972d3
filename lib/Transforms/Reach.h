// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where the coordinates of a read lie while its indices run through a box.

#ifndef SPARKLE_LIB_TRANSFORMS_REACH_H
#define SPARKLE_LIB_TRANSFORMS_REACH_H

#include "mlir/IR/AffineExpr.h"
#include "llvm/ADT/ArrayRef.h"

namespace sparkle {

/// The values of a coordinate: `size` of them at most, the least of which is
/// `first`, as a function of where the indices begin.
struct Reach {
  mlir::AffineExpr first;
  int64_t size;
};

/// The reach of the pure affine `expr` while index `i` takes `sizes[i]` values.
/// `divisors[i]` divides the first of them; 0 stands for one that is 0.
Reach getReach(mlir::AffineExpr expr, llvm::ArrayRef<int64_t> sizes,
               llvm::ArrayRef<int64_t> divisors);

/// Whether a reach begins at a multiple of its size wherever the indices begin,
/// so that reaches lie side by side.
bool isAligned(const Reach &reach, llvm::ArrayRef<int64_t> divisors);

} // namespace sparkle

#endif // SPARKLE_LIB_TRANSFORMS_REACH_H
