// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How the left side of an equation is divided among workers that are one thread
// each.

#ifndef SPARKLE_LIB_TRANSFORMS_PATTERN_WORKERS_H
#define SPARKLE_LIB_TRANSFORMS_PATTERN_WORKERS_H

#include "lib/Transforms/Pattern/Resolver.h"

namespace sparkle {

/// A worker's loops over register tiles. Lists have an entry for each index,
/// those of the left side first.
struct Nest {
  llvm::ArrayRef<Operand> operands;
  llvm::ArrayRef<int64_t> extents, registers;
  llvm::ArrayRef<int64_t> workers; ///< What is given; 0: to choose.
  unsigned outputs;
  /// Where the lanes lie, and where a register tile is thick besides.
  unsigned laneIndex, thickIndex;
  bool lanesInside; ///< Whether the loop along the lanes is innermost.
  TargetAttr target;
};

/// The sizes of a worker's tile along the left side.
llvm::SmallVector<int64_t> divideWork(const Nest &nest);

} // namespace sparkle

#endif // SPARKLE_LIB_TRANSFORMS_PATTERN_WORKERS_H
