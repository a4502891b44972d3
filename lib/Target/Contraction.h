// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sums of products with constants, one constant after the other: of
// sum(r, s: a[i, r] * b[j, s] * x[r, s]) first t[r, j] = sum(s: b[j, s] * x[r,
// s]), then sum(r: a[i, r] * t[r, j]). What elements of a tile have in common
// is computed once, also where numbers differ in signs alone, and no zero is
// multiplied.

#ifndef SPARKLE_LIB_TARGET_CONTRACTION_H
#define SPARKLE_LIB_TARGET_CONTRACTION_H

#include "dialect/SparkleDialect.h"
#include <map>
#include <optional>
#include <tuple>

namespace sparkle {

/// The sum that an accumulate adds to each element of its tile, in terms that a
/// leaf emits.
class Contraction {
public:
  virtual ~Contraction() = default;

  /// Whether the terms of `op` are products of its operands, some of which are
  /// constants.
  static bool applies(AccumulateOp op);

  /// Where it applies, the one operand that the constants change: others, along
  /// which they do not sum, multiply what comes out. None if there are no such
  /// others.
  static std::optional<unsigned> findChanged(AccumulateOp op);

  /// The sum at an element of the tile; null if it is zero. `offset`: from the
  /// coordinates of the accumulate, one for each dimension of the tile, and for
  /// each of the slice that is not summed over.
  mlir::Value getSum(llvm::ArrayRef<int64_t> offset);

  /// Whether it sums over a dimension of the slice.
  bool sumsOver(unsigned dim) const;

  /// How many terms the sums of a tile take, partial sums included, where it
  /// has `counts` elements along each dimension.
  uint64_t countTerms(llvm::ArrayRef<int64_t> counts) const;

protected:
  /// With `changed`, what findChanged() found, of this operand alone.
  explicit Contraction(AccumulateOp op,
                       std::optional<unsigned> changed = std::nullopt);

  using Offset = llvm::SmallVector<int64_t>;
  /// The product of all operands that are no constants, at an offset along each
  /// dimension of the tile and of the slice; null if it is zero.
  virtual mlir::Value emitProduct(llvm::ArrayRef<unsigned> operands,
                                  const Offset &offset) = 0;
  /// The element of the constant `operand` there.
  virtual float getNumber(unsigned operand, const Offset &offset) = 0;
  /// sum + factor * value; `sum` may be null, which is zero.
  virtual mlir::Value emitTerm(mlir::Value sum, float factor,
                               mlir::Value value) = 0;

  /// `offset` with all that there is along `dims`, in order.
  llvm::SmallVector<Offset> getAlong(llvm::ArrayRef<unsigned> dims,
                                     Offset offset) const;

private:
  /// A number times a partial sum of the level before.
  struct Term {
    float factor;
    Offset offset;
  };
  using Terms = llvm::SmallVector<Term>;

  Terms getTerms(unsigned level, const Offset &offset);
  std::optional<Offset> findTwin(unsigned level, const Offset &offset,
                                 const Terms &terms);
  mlir::Value emitHalves(unsigned level, const Offset &offset,
                         const Offset &twin, const Terms &terms);
  mlir::Value emitTerms(unsigned level, Terms terms);
  mlir::Value getPartial(unsigned level, Offset offset);

  /// Dimensions of the tile and the slice, and those of the tile alone.
  unsigned rank, tileRank;
  /// Of the tile, then of the slice.
  Offset extents;
  llvm::SmallVector<unsigned> variables, constants;
  /// Of each level: the dimensions that its partial sums vary along, those that
  /// it sums over, and those of the tile along which its numbers differ. Level
  /// 0 is the product.
  struct Level {
    llvm::SmallVector<bool> varies;
    llvm::SmallVector<unsigned> sums, rows;
  };
  llvm::SmallVector<Level> levels;
  std::map<std::pair<unsigned, Offset>, mlir::Value> known;
  /// Of a level and two offsets, the terms that both sums have alike, or those
  /// whose signs differ.
  std::map<std::tuple<unsigned, Offset, Offset, bool>, mlir::Value> halves;
};

/// The constant that a box of `accumulate` is of; null if it is of none.
ConstantOp getConstant(mlir::Value box);

} // namespace sparkle

#endif // SPARKLE_LIB_TARGET_CONTRACTION_H
