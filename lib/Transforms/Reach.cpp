// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The rules of Reach, one for each kind of affine expression.

#include "lib/Transforms/Reach.h"

#include "llvm/Support/MathExtras.h"
#include <numeric>

using namespace mlir;
using namespace sparkle;

/// Divides the value of `expr` where every index has its first value; 0 if that
/// is 0.
static int64_t getDivisor(AffineExpr expr, ArrayRef<int64_t> divisors) {
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return divisors[dim.getPosition()];
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return std::abs(constant.getValue());
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary)
    return 1;
  int64_t left = getDivisor(binary.getLHS(), divisors);
  int64_t right = getDivisor(binary.getRHS(), divisors);
  switch (expr.getKind()) {
  case AffineExprKind::Add:
    return std::gcd(left, right);
  case AffineExprKind::Mul:
    return left * right;
  case AffineExprKind::Mod:
    return left % right == 0 ? 0 : std::gcd(left, right);
  default: // a division
    return left % right == 0 ? left / right : 1;
  }
}

Reach sparkle::getReach(AffineExpr expr, ArrayRef<int64_t> sizes,
                        ArrayRef<int64_t> divisors) {
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return {expr, sizes[dim.getPosition()]};
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary)
    return {expr, 1};
  Reach left = getReach(binary.getLHS(), sizes, divisors);
  if (expr.getKind() == AffineExprKind::Add) {
    Reach right = getReach(binary.getRHS(), sizes, divisors);
    return {left.first + right.first, left.size + right.size - 1};
  }
  int64_t by = cast<AffineConstantExpr>(binary.getRHS()).getValue();
  switch (expr.getKind()) {
  case AffineExprKind::Mul:
    // Of a negative factor the last value is the least.
    return {(by < 0 ? left.first + (left.size - 1) : left.first) * by,
            (left.size - 1) * std::abs(by) + 1};
  case AffineExprKind::Mod:
    // All remainders, unless the values are within one period.
    if (getDivisor(left.first, divisors) % by == 0 && left.size <= by)
      return {left.first % by, left.size};
    return {getAffineConstantExpr(0, expr.getContext()), by};
  case AffineExprKind::CeilDiv:
    left.first = left.first + (by - 1);
    [[fallthrough]];
  default: {
    bool isAligned = getDivisor(left.first, divisors) % by == 0;
    return {left.first.floorDiv(by),
            (left.size - 1 + (isAligned ? 0 : by - 1)) / by + 1};
  }
  }
}

bool sparkle::isAligned(const Reach &reach, ArrayRef<int64_t> divisors) {
  return getDivisor(reach.first, divisors) % reach.size == 0;
}
