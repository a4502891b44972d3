// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Running error analysis: every value in double together with a bound on how
// far a computation in float can be from it. docs/artifact.md derives the
// rules.

#ifndef SPARKLE_LIB_REFERENCE_ERRORBOUND_H
#define SPARKLE_LIB_REFERENCE_ERRORBOUND_H

#include "dialect/SparkleDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace sparkle {

struct Bounded {
  mlir::Value value, error;
};

/// Emits the arithmetic of values with their bounds.
class BoundedArithmetic {
public:
  explicit BoundedArithmetic(mlir::ImplicitLocOpBuilder &builder)
      : b(builder) {}

  Bounded constant(double value);
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
  /// `count` terms in any order: their sum, the sum of their magnitudes and of
  /// their errors.
  Bounded sum(double count, mlir::Value value, mlir::Value magnitude,
              mlir::Value error);

  mlir::Value number(double value);
  mlir::Value plus(mlir::Value x, mlir::Value y);
  mlir::Value magnitude(mlir::Value x);

private:
  mlir::Value times(mlir::Value x, mlir::Value y);
  mlir::Value larger(mlir::Value x, mlir::Value y);
  mlir::Value smaller(mlir::Value x, mlir::Value y);
  mlir::Value over(mlir::Value x, mlir::Value y);
  mlir::Value subtracted(mlir::Value x, mlir::Value y);
  mlir::Value compare(mlir::arith::CmpFPredicate predicate, mlir::Value x,
                      mlir::Value y);
  mlir::Value select(mlir::Value condition, mlir::Value x, mlir::Value y);
  mlir::Value infinity();
  mlir::Value call(llvm::StringRef function, mlir::Value x);
  mlir::Value logistic(mlir::Value x);
  Bounded rounded(mlir::Value value, mlir::Value error);
  Bounded withSlack(mlir::Value value, mlir::Value error, mlir::Value scale);
  Bounded withRelativeSlack(mlir::Value value, mlir::Value error);
  Bounded exponential(Bounded x);
  Bounded
  ofPositive(Bounded x,
             llvm::function_ref<Bounded(mlir::Value, mlir::Value)> apply);
  Bounded logarithm(Bounded x);
  Bounded root(Bounded x);
  Bounded nearest(Bounded x);
  Bounded softplus(Bounded x);

  mlir::ImplicitLocOpBuilder &b;
};

} // namespace sparkle

#endif // SPARKLE_LIB_REFERENCE_ERRORBOUND_H
