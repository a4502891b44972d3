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
  llvm::ArrayRef<int64_t> workers; ///< 0: to choose.
  unsigned outputs;
  /// Where the lanes lie, and where a register tile is thick besides.
  unsigned laneIndex, thickIndex;
  bool lanesInside; ///< Whether the loop along the lanes is innermost.
  bool storesInRow; ///< Whether what the lanes write is in rows.
  bool keepsRows;   ///< Whether these stay near, too.
  TargetAttr target;
};

/// Whether a target has so many cores that it matters how they share workers; a
/// few share any that are enough.
bool hasManyCores(TargetAttr target);

/// Which part of many cores has a worker, on average, until all of `workers`
/// are done: where some have one more, the others wait.
double getBusyPart(TargetAttr target, int64_t workers);

/// The sizes of a worker's tile along the left side.
llvm::SmallVector<int64_t> divideWork(const Nest &nest);

/// Halves of `workers`, a choice, what `nest` leaves open, until near memory
/// holds the boxes of what is `staged`, by the steps of the sum in `steps`.
void fitWorkers(const Nest &nest, mlir::ArrayAttr staged,
                llvm::ArrayRef<int64_t> steps,
                llvm::MutableArrayRef<int64_t> workers);

/// How often the tiles of the workers, none of which is open, go over one block
/// of an operand that varies along the lanes alone while it stays near; 0 where
/// near memory does not hold two blocks. `near` and `order` are the pattern's.
double countPasses(const Nest &nest, llvm::ArrayRef<int64_t> near,
                   llvm::ArrayRef<int64_t> order, const Operand &operand);

} // namespace sparkle

#endif // SPARKLE_LIB_TRANSFORMS_PATTERN_WORKERS_H
