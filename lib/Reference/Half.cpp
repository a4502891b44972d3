// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Elements of 16 bits in the reference: 1 bit of sign, 5 of the exponent with
// bias 15, 10 of the fraction.

#include "lib/Reference/Half.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include <limits>

using namespace mlir;

namespace sparkle {

/// Half the distance of neighbours: relative to the value, enlarged as `unit`
/// of ErrorBound.cpp is, and below the normal range, 2^-14, absolute.
constexpr double half = 0x1p-11 * (1 + 0x1p-20);
constexpr double halfDenormal = 0x1p-25;
/// From here on, halfway between the largest, 65504, and what would be the
/// next, the nearest is infinite.
constexpr double halfOverflow = 65520;

static Value number(ImplicitLocOpBuilder &b, double value) {
  return arith::ConstantOp::create(b, b.getF64FloatAttr(value));
}

static Value integer(ImplicitLocOpBuilder &b, int64_t value) {
  return arith::ConstantOp::create(b, b.getI64IntegerAttr(value));
}

Value expandHalf(ImplicitLocOpBuilder &b, Value bits) {
  Value all = arith::ExtUIOp::create(b, b.getI64Type(), bits);
  Value magnitude = arith::AndIOp::create(b, all, integer(b, 0x7fff));
  auto isBelow = [&](Value x, int64_t bound) -> Value {
    return arith::CmpIOp::create(b, arith::CmpIPredicate::ult, x,
                                 integer(b, bound));
  };
  // The same fraction and exponent with the bias of double, 1023; the largest
  // exponent stands for infinity and not-a-number in both.
  Value wide = arith::ShLIOp::create(b, magnitude, integer(b, 52 - 10));
  Value bias = arith::SelectOp::create(b, isBelow(magnitude, 0x7c00),
                                       integer(b, int64_t(1023 - 15) << 52),
                                       integer(b, int64_t(2047 - 31) << 52));
  Value normal = arith::BitcastOp::create(
      b, b.getF64Type(), arith::AddIOp::create(b, wide, bias).getResult());
  // Below the normal range the fraction counts units of 2^-24.
  Value units = arith::UIToFPOp::create(b, b.getF64Type(), magnitude);
  Value denormal = arith::MulFOp::create(b, units, number(b, 0x1p-24));
  Value value =
      arith::SelectOp::create(b, isBelow(magnitude, 0x400), denormal, normal);
  Value negated = arith::NegFOp::create(b, value);
  return arith::SelectOp::create(b, isBelow(all, 0x8000), value, negated);
}

Bounded storeHalf(ImplicitLocOpBuilder &b, Bounded x) {
  Value magnitude = math::AbsFOp::create(b, x.value);
  Value most = arith::AddFOp::create(b, magnitude, x.error);
  Value least = arith::SubFOp::create(b, magnitude, x.error);
  Value lost = arith::MaximumFOp::create(
      b, arith::MulFOp::create(b, most, number(b, half)).getResult(),
      number(b, halfDenormal));
  Value error = arith::AddFOp::create(b, x.error, lost);
  auto overflows = [&](Value value) -> Value {
    return arith::CmpFOp::create(b, arith::CmpFPredicate::OGE, value,
                                 number(b, halfOverflow));
  };
  Value infinity = number(b, std::numeric_limits<double>::infinity());
  Value sure = overflows(least);
  error = arith::SelectOp::create(b, overflows(most), infinity, error);
  error = arith::SelectOp::create(b, sure, number(b, 0), error);
  Value limit = math::CopySignOp::create(b, infinity, x.value);
  return {arith::SelectOp::create(b, sure, limit, x.value), error};
}

} // namespace sparkle
