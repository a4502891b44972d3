// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Running error analysis: every value in double together with the interval in
// which all computations of it in float lie. docs/artifact.md derives the
// rules.

#ifndef SPARKLE_LIB_REFERENCE_ERRORBOUND_H
#define SPARKLE_LIB_REFERENCE_ERRORBOUND_H

#include "dialect/SparkleDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace sparkle {

/// A value, and the least and the most that a float computation of it gives,
/// or two that are not numbers where it may give none. A value that is not
/// finite is so for sure.
struct Bounded {
  mlir::Value value, least, most;

  /// Known while the code is built: then the three are one.
  bool isExact() const { return least == value && most == value; }
};

/// Emits the arithmetic of values with their intervals.
class BoundedArithmetic {
public:
  explicit BoundedArithmetic(mlir::ImplicitLocOpBuilder &builder)
      : b(builder) {}

  static Bounded exact(mlir::Value value) { return {value, value, value}; }
  Bounded constant(double value) { return exact(number(value)); }
  Bounded add(Bounded x, Bounded y);
  Bounded subtract(Bounded x, Bounded y);
  Bounded multiply(Bounded x, Bounded y);
  Bounded divide(Bounded x, Bounded y);
  Bounded negate(Bounded x);
  Bounded maximum(Bounded x, Bounded y);
  Bounded minimum(Bounded x, Bounded y);
  Bounded activate(Function function, Bounded x);
  /// 1 where it holds, else 0.
  Bounded compare(mlir::arith::CmpFPredicate predicate, Bounded x, Bounded y);
  /// `x` where `condition` is not 0, else `y`.
  Bounded select(Bounded condition, Bounded x, Bounded y);
  /// One rounding more.
  Bounded rounded(Bounded x);

  /// A sum in any order: the totals of no term, with one term more, and the sum
  /// of `count` terms.
  mlir::SmallVector<mlir::Value> startSum();
  mlir::SmallVector<mlir::Value> addTerm(mlir::ValueRange totals, Bounded term);
  Bounded finishSum(double count, mlir::ValueRange totals);

  /// The bound: how far what is in the interval of `x` may be from `value`.
  /// Infinite if it may be anything; always a number.
  mlir::Value getBound(mlir::Value value, Bounded x);

  mlir::Value number(double value);
  mlir::Value plus(mlir::Value x, mlir::Value y);
  mlir::Value times(mlir::Value x, mlir::Value y);
  mlir::Value magnitude(mlir::Value x);

private:
  using Unary = llvm::function_ref<mlir::Value(mlir::Value)>;
  using Binary = llvm::function_ref<mlir::Value(mlir::Value, mlir::Value)>;

  mlir::Value larger(mlir::Value x, mlir::Value y);
  mlir::Value smaller(mlir::Value x, mlir::Value y);
  mlir::Value over(mlir::Value x, mlir::Value y);
  mlir::Value subtracted(mlir::Value x, mlir::Value y);
  mlir::Value negated(mlir::Value x);
  mlir::Value compare(mlir::arith::CmpFPredicate predicate, mlir::Value x,
                      mlir::Value y);
  mlir::Value both(mlir::Value x, mlir::Value y);
  mlir::Value either(mlir::Value x, mlir::Value y);
  mlir::Value select(mlir::Value condition, mlir::Value x, mlir::Value y);
  mlir::Value infinity();
  mlir::Value none();
  mlir::Value isNone(mlir::Value x, mlir::Value y);
  mlir::Value isUnbounded(Bounded x);
  mlir::Value mayBeZero(Bounded x);
  mlir::Value isKnown(Bounded x, Bounded y);
  mlir::Value call(llvm::StringRef function, mlir::Value x);

  mlir::Value lowered(mlir::Value x, double relative, mlir::Value absolute);
  mlir::Value raised(mlir::Value x, double relative, mlir::Value absolute);
  Bounded widened(Bounded x, double relative, mlir::Value absolute);
  Bounded withSlack(Bounded x);
  Bounded notBelowZero(Bounded x);
  Bounded settled(Bounded x, mlir::Value isSure);
  Bounded noneWhere(mlir::Value condition, Bounded x);
  Bounded atCorners(Bounded x, Bounded y, Binary apply);
  Bounded growing(Bounded x, Unary apply);
  Bounded sinkingUpTo(double lowest, Bounded x, Unary apply);
  Bounded ofPositive(Bounded x, Unary apply);

  mlir::Value logistic(mlir::Value x);
  Bounded silu(Bounded x);
  Bounded gelu(Bounded x);
  Bounded hswish(Bounded x);
  Bounded exponential(Bounded x);
  Bounded softplus(Bounded x);

  mlir::ImplicitLocOpBuilder &b;
};

} // namespace sparkle

#endif // SPARKLE_LIB_REFERENCE_ERRORBOUND_H
