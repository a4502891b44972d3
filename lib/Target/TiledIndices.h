// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The index values of the tiled level as linear forms, and where the elements
// of its tensors lie: what every leaf that walks the tiled level needs, in
// whatever ops it then computes them.

#ifndef SPARKLE_LIB_TARGET_TILEDINDICES_H
#define SPARKLE_LIB_TARGET_TILEDINDICES_H

#include "dialect/SparkleDialect.h"
#include "lib/Target/Linear.h"

namespace sparkle {

/// Coordinates along every dimension of a tensor, or of an iteration space.
using Point = llvm::SmallVector<LinearForm, 4>;

/// Where the elements of a tensor lie, or those of a box of one.
struct Placement {
  /// Elements in front of the first.
  LinearForm base;
  /// From the coordinates of the tensor, less `origin`, to physical ones.
  mlir::AffineMap layout;
  Point origin;
  /// Elements from one physical index to the next: the number times the value,
  /// where there is one.
  llvm::SmallVector<std::pair<int64_t, mlir::Value>> strides;
  /// Logical extents of the tensor.
  Point extents;
  /// Elements outside of the extents are there, and zero.
  bool zeroFilled = false;
};

/// The dimension that a result of a layout is of, and by how much the
/// coordinate along it grows from one physical index to the next.
std::pair<unsigned, int64_t> getFactor(mlir::AffineExpr expr);

class TiledIndices : public Indices {
public:
  using Indices::Indices;

  /// The run-time sizes of the kernel.
  Point sizes;
  llvm::DenseMap<mlir::Value, LinearForm> forms;

  void addSize(mlir::Value size);
  Point getPoint(mlir::ValueRange values) const;
  /// Finds the form of what `op` computes; false if `op` is not of indices.
  bool evaluateOp(mlir::Operation &op);
  using Indices::evaluate;
  /// The extents of a tensor, or of an iteration space.
  llvm::SmallVector<LinearForm> evaluateExtents(mlir::AffineMap extents) {
    return evaluate(extents, {}, sizes);
  }
  /// The variable of a loop whose body is built now, with what is known of it.
  LinearForm addInduction(mlir::Value value, const LinearForm &lower,
                          const LinearForm &upper, int64_t step);

  /// A whole tensor. Strides that only the call knows are computed here.
  Placement place(StoredTensorType type, mlir::AffineMap extents);
  LinearForm getOffset(const Placement &placement, const Point &point);
};

} // namespace sparkle

#endif // SPARKLE_LIB_TARGET_TILEDINDICES_H
