// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the lanes of vectors do along one index, as a share of what they could.

#ifndef SPARKLE_LIB_TRANSFORMS_PATTERN_LANES_H
#define SPARKLE_LIB_TRANSFORMS_PATTERN_LANES_H

#include "dialect/SparkleDialect.h"

namespace sparkle {

/// The lanes of a vector along `extent` points: half of `most` where the half
/// of them would be empty, and so on down to the shortest vectors that
/// processors have. A short vector takes no longer than a long one, and half as
/// long where these are computed in halves.
int64_t countLanes(int64_t extent, int64_t most);

/// The share of vectors of `count` lanes that `extent` points fill.
double getFilledShare(int64_t extent, int64_t count);

/// As many lanes as take no longer than `count`: of vectors that are shorter,
/// processors compute no more in the same time, nor of those that they compute
/// in halves.
int64_t getShortLanes(int64_t count, TargetAttr target);

/// How the lanes of vectors read elements of an operand that are the same for a
/// group of neighbours, as the channels of a group do.
struct Groups {
  /// Neighbours that read the same, elements from theirs to the next group's,
  /// and the multiply-adds that one vector of them serves.
  int64_t size, distance, uses;
  /// Whether steps of the sum read neighbours of these, so that they come in
  /// blocks.
  bool liesInRows;

  /// Elements of a block.
  static constexpr int64_t kBlock = 4;

  /// After so many vectors the groups begin where the first one's do.
  int64_t countVectors(int64_t lanes) const;
  /// That a register tile has at most to hold as many.
  static constexpr int64_t kMostVectors = 5;
  /// Whether vectors are put together from more than two groups each, for the
  /// steps of a block at once.
  bool comesInBlocks(int64_t lanes) const;
  /// What it leaves of the speed to put vectors together.
  double getShare(int64_t lanes) const;
};

/// The taps of a row along which what is read at `map` slides: each element
/// serves that many sums.
int64_t countTaps(mlir::AffineMap map, llvm::ArrayRef<int64_t> extents,
                  unsigned outputs);

} // namespace sparkle

#endif // SPARKLE_LIB_TRANSFORMS_PATTERN_LANES_H
