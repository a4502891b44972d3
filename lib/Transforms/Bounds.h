// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Bounds of linear functions of the indices of tiled loops.

#ifndef SPARKLE_LIB_TRANSFORMS_BOUNDS_H
#define SPARKLE_LIB_TRANSFORMS_BOUNDS_H

#include "dialect/SparkleDialect.h"
#include "llvm/ADT/MapVector.h"
#include <optional>

namespace sparkle {

/// A linear function of SSA values and of the kernel's run-time sizes and their
/// products.
class Linear {
public:
  Linear(int64_t constant = 0) : constant(constant) {}

  /// The function that `value` is; itself, if it is no linear function.
  static Linear get(mlir::Value value);
  /// `expr` of `operands` (symbols are run-time sizes); none if not linear.
  static std::optional<Linear> get(mlir::AffineExpr expr,
                                   mlir::ValueRange operands);

  Linear &add(const Linear &other, int64_t factor = 1);
  int64_t getCoefficient(mlir::Value value) const;
  int64_t getConstant() const { return constant; }
  bool isConstant() const { return values.empty() && sizes.empty(); }
  /// The values with a coefficient that is not zero.
  llvm::SmallVector<mlir::Value> getValues() const;
  bool hasSizes() const { return !sizes.empty(); }
  /// What the function owes to the sizes, which are the symbols.
  mlir::AffineExpr getSizes(mlir::MLIRContext *context) const;
  Linear withoutSizes() const;
  /// The function without what it owes to `value`.
  Linear without(mlir::Value value) const;

  /// A number that the function never falls below, wherever the loops around
  /// its values stand; none if no such number is known. Exact unless bounds of
  /// different loops interact.
  std::optional<int64_t> getMinimum() const;
  /// A number that it never exceeds; likewise.
  std::optional<int64_t> getMaximum() const;

private:
  std::optional<int64_t> getMinimum(unsigned depth) const;
  void addValue(mlir::Value value, int64_t factor);

  llvm::SmallMapVector<mlir::Value, int64_t, 4> values;
  /// Symbols and products of expressions of them.
  llvm::SmallMapVector<mlir::AffineExpr, int64_t, 1> sizes;
  int64_t constant;
};

/// A number that divides `value` wherever the loops around it stand; 0 if the
/// value is zero.
int64_t getDivisor(mlir::Value value);

/// The coordinate of a tensor that an accumulate reads first, how far the
/// points of its tile and slice reach from there, and the extent of the tensor.
/// Of a quotient, the dividend, which is inside of so much more.
struct Access {
  Linear first;
  int64_t below = 0, above = 0;
  Linear extent;
};

/// The access of operand `operand` along dimension `dimension`; none if it or
/// the extent is not linear.
std::optional<Access> getAccess(AccumulateOp op, unsigned operand,
                                unsigned dimension);

/// Whether a box is a copy that always has the zeros around its tensor: the
/// lanes of a grid write them together, and read them alike; and where one
/// block of a sum is copied after the other, bounds would be found for each.
bool holdsZeros(StageOp stage);

/// Whether no read of `operand` falls outside of its tensor along `dimension`.
bool isProvedInside(AccumulateOp op, unsigned operand, unsigned dimension);

} // namespace sparkle

#endif // SPARKLE_LIB_TRANSFORMS_BOUNDS_H
