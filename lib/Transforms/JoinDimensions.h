// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Two dimensions of a tensor as one, where one follows the other in memory.

#ifndef SPARKLE_LIB_TRANSFORMS_JOINDIMENSIONS_H
#define SPARKLE_LIB_TRANSFORMS_JOINDIMENSIONS_H

#include "dialect/SparkleDialect.h"

#include <optional>

namespace sparkle {

/// `values` with `one` in place of the two at `first`.
template <typename T>
llvm::SmallVector<T> joinTwo(llvm::ArrayRef<T> values, unsigned first, T one) {
  llvm::SmallVector<T> joined(values);
  joined[first] = one;
  joined.erase(joined.begin() + first + 1);
  return joined;
}

/// Where the dimensions `first` and the next one are results in a row, and in
/// no other result.
std::optional<unsigned> findPair(mlir::AffineMap map, unsigned first);

/// `map` with one result in place of the dimensions `first` and the next one,
/// which are two results in a row.
mlir::AffineMap joinResults(mlir::AffineMap map, unsigned first);

/// `map` over one dimension fewer: `a` in place of `first`, `b` of the next
/// one.
mlir::AffineMap joinDims(mlir::AffineMap map, unsigned first,
                         mlir::AffineExpr a, mlir::AffineExpr b);

/// `type` with one dimension in place of `first` and the next one, which its
/// layout has in a row.
StoredTensorType joinDimensions(StoredTensorType type, unsigned first);

/// A tensor, and at what an equation reads it.
struct View {
  StoredTensorType type;
  mlir::AffineMap map;
  /// The dimensions that were joined: the first of two, and the extent of the
  /// second.
  llvm::SmallVector<std::pair<unsigned, int64_t>> joined;
};

/// With one dimension in place of each two that are read at the quotient and
/// the remainder of the same, as of a merged index.
View joinQuotients(StoredTensorType type, mlir::AffineMap map);

/// A layout of such a view as one of the tensor; nullopt if a block of a joined
/// dimension is neither a part of the second one nor whole ones.
std::optional<mlir::AffineMap> splitJoined(mlir::AffineMap layout,
                                           const View &view);

} // namespace sparkle

#endif // SPARKLE_LIB_TRANSFORMS_JOINDIMENSIONS_H
