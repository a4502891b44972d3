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

/// One end of the interval, which rounding moves outwards: `sign` is -1 for the
/// least and 1 for the most.
static Value storeEnd(ImplicitLocOpBuilder &b, Value end, double sign) {
  Value magnitude = math::AbsFOp::create(b, end);
  Value lost = arith::MaximumFOp::create(
      b, arith::MulFOp::create(b, magnitude, number(b, half)).getResult(),
      number(b, halfDenormal));
  Value moved = arith::AddFOp::create(
      b, end, arith::MulFOp::create(b, number(b, sign), lost).getResult());
  Value overflows = arith::CmpFOp::create(b, arith::CmpFPredicate::OGE,
                                          magnitude, number(b, halfOverflow));
  Value limit = math::CopySignOp::create(
      b, number(b, std::numeric_limits<double>::infinity()), end);
  return arith::SelectOp::create(b, overflows, limit, moved);
}

Bounded storeHalf(ImplicitLocOpBuilder &b, Bounded x) {
  Value least = storeEnd(b, x.least, -1), most = storeEnd(b, x.most, 1);
  // Only infinities leave no room between them.
  Value sure = arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, least, most);
  return {arith::SelectOp::create(b, sure, least, x.value), least, most};
}

} // namespace sparkle
