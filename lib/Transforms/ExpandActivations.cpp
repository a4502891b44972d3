// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Writes sparkle.activate as the few scalar ops that every target has: the
// functions are polynomials here, once for all targets. docs/language.md tells
// how far they are off. No op may be reordered or contracted, but math.fma may
// well round twice: the reductions below are exact without it.

#include "lib/Transforms/Passes.h"

#include "mlir/IR/Builders.h"
#include <limits>

namespace sparkle {
#define GEN_PASS_DEF_EXPANDACTIVATIONS
#include "lib/Transforms/Passes.h.inc"
} // namespace sparkle

using namespace mlir;
using namespace sparkle;

namespace {
/// exp of a number: `(1 + above) * half * rest`, where the last two are powers
/// of two that are normal also where the whole is not. What comes between the
/// two products is not rounded twice.
struct Power {
  Value above, half, rest;
};

/// Builds the arithmetic of one activation.
class Expander {
public:
  Expander(ActivateOp op) : builder(op), loc(op.getLoc()), type(op.getType()) {}

  Value expand(Function function, Value x);

private:
  template <typename Op, typename... Operands>
  Value make(Operands... operands) {
    return Op::create(builder, loc, operands...);
  }
  Value constant(double value) {
    return make<arith::ConstantOp>(builder.getFloatAttr(type, value));
  }
  Value integer(int32_t value) {
    return make<arith::ConstantOp>(builder.getI32IntegerAttr(value));
  }
  Value add(Value a, Value b) { return make<arith::AddFOp>(a, b); }
  Value sub(Value a, Value b) { return make<arith::SubFOp>(a, b); }
  Value mul(Value a, Value b) { return make<arith::MulFOp>(a, b); }
  Value div(Value a, Value b) { return make<arith::DivFOp>(a, b); }
  Value fma(Value a, Value b, Value c) { return make<math::FmaOp>(a, b, c); }
  Value abs(Value x) { return make<math::AbsFOp>(x); }
  Value select(Value condition, Value a, Value b) {
    return make<arith::SelectOp>(condition, a, b);
  }
  Value compare(arith::CmpFPredicate predicate, Value a, Value b) {
    return make<arith::CmpFOp>(predicate, a, b);
  }
  Value toBits(Value x) {
    return make<arith::BitcastOp>(builder.getI32Type(), x);
  }
  Value fromBits(Value bits) { return make<arith::BitcastOp>(type, bits); }

  /// max(x, bound), or min; x where it is not a number. As compare and select,
  /// one instruction on x86 (maxps gives its second operand for a NaN).
  Value clampTo(arith::CmpFPredicate boundWins, double bound, Value x) {
    Value limit = constant(bound);
    return select(compare(boundWins, limit, x), limit, x);
  }
  Value atLeast(double bound, Value x) {
    return clampTo(arith::CmpFPredicate::OGT, bound, x);
  }
  Value atMost(double bound, Value x) {
    return clampTo(arith::CmpFPredicate::OLT, bound, x);
  }
  Value isNegative(Value x) {
    return compare(arith::CmpFPredicate::OLT, x, constant(0));
  }
  /// Highest power first.
  Value polynomial(Value x, ArrayRef<float> coefficients) {
    Value sum = constant(coefficients.front());
    for (float coefficient : coefficients.drop_front())
      sum = fma(sum, x, constant(coefficient));
    return sum;
  }

  std::pair<Value, Value> reduce(Value estimate, Value x, Value low);
  Value powerOfTwo(Value n);
  Power exp(Value x, Value low = {});
  Value whole(const Power &power);
  Value logOnePlus(Value f, Value exponent);
  Value exponential(Value x);
  Value log(Value x);
  Value round(Value x);
  Value softplus(Value x);
  Value sigmoid(Value x);
  Value tanh(Value x);
  Value silu(Value x);
  Value gelu(Value x);
  Value hswish(Value x);

  OpBuilder builder;
  Location loc;
  Type type;
};
} // namespace

/// exp(r) - 1 and n with `n ln(2) + r = x + low` and |r| <= ln(2) / 2, n and r
/// by Cody and Waite; the polynomial is that of Cephes' expf. `estimate` is `x
/// + low`, rounded.
std::pair<Value, Value> Expander::reduce(Value estimate, Value x, Value low) {
  // Adding 1.5 * 2^23 leaves the nearest integer in the low bits.
  Value magic = constant(0x1.8p23);
  Value shifted = fma(estimate, constant(0x1.715476p+0), magic);
  Value n = sub(shifted, magic);
  Value r = fma(n, constant(-0.693359375), x);
  if (low)
    r = add(r, low);
  r = fma(n, constant(2.12194440e-4), r);
  Value p =
      polynomial(r, {1.9875691500e-4f, 1.3981999507e-3f, 8.3334519073e-3f,
                     4.1665795894e-2f, 1.6666665459e-1f, 5.0000001201e-1f});
  p = fma(p, mul(r, r), r);
  return {p, make<arith::AddIOp>(toBits(shifted), integer(-0x4b400000))};
}

/// 2^n as a normal number.
Value Expander::powerOfTwo(Value n) {
  Value biased = make<arith::AddIOp>(n, integer(127));
  return fromBits(make<arith::ShLIOp>(biased, integer(23)));
}

/// exp(x + low) for x from -175 to 175.
Power Expander::exp(Value x, Value low) {
  auto [p, n] = reduce(low ? add(x, low) : x, x, low);
  Value half = make<arith::ShRSIOp>(n, integer(1));
  Value rest = make<arith::SubIOp>(n, half);
  return {p, powerOfTwo(half), powerOfTwo(rest)};
}

/// The number itself, rounded.
Value Expander::whole(const Power &power) {
  Value large = mul(add(power.above, constant(1)), power.half);
  return mul(large, power.rest);
}

/// Infinite from 88.7 on, zero below -104.
Value Expander::exponential(Value x) {
  return whole(exp(atMost(89, atLeast(-104, x))));
}

/// log(1 + f) + exponent ln(2) for f from sqrt(1/2) - 1 to sqrt(2) - 1, by the
/// polynomial of Cephes' logf; `exponent` is an integer.
Value Expander::logOnePlus(Value f, Value exponent) {
  Value square = mul(f, f);
  Value p =
      polynomial(f, {7.0376836292e-2f, -1.1514610310e-1f, 1.1676998740e-1f,
                     -1.2420140846e-1f, 1.4249322787e-1f, -1.6668057665e-1f,
                     2.0000714765e-1f, -2.4999993993e-1f, 3.3333331174e-1f});
  p = mul(mul(p, f), square);
  p = fma(exponent, constant(-2.12194440e-4), p);
  p = fma(square, constant(-0.5), p);
  return add(fma(exponent, constant(0.693359375), f), p);
}

/// The exponent and a fraction from sqrt(1/2) to sqrt(2).
Value Expander::log(Value x) {
  using Predicate = arith::CmpFPredicate;
  // What lies below the normal numbers is brought among them.
  Value isTiny = compare(Predicate::OLT, x, constant(0x1p-126));
  Value scaled = select(isTiny, mul(x, constant(0x1p23)), x);
  Value above = make<arith::SubIOp>(toBits(scaled), integer(0x3f3504f3));
  Value n = make<arith::ShRSIOp>(above, integer(23));
  Value shift = make<arith::ShLIOp>(n, integer(23));
  Value fraction = fromBits(make<arith::SubIOp>(toBits(scaled), shift));
  // As in reduce: an integer in the low bits of 1.5 * 2^23.
  Value shifted = fromBits(make<arith::AddIOp>(n, integer(0x4b400000)));
  Value exponent =
      sub(shifted, select(isTiny, constant(0x1.8p23 + 23), constant(0x1.8p23)));
  Value result = logOnePlus(sub(fraction, constant(1)), exponent);
  constexpr double kLargest = 0x1.fffffep127;
  double infinity = std::numeric_limits<double>::infinity();
  Value isInfinite = compare(Predicate::OGT, x, constant(kLargest));
  Value isZero = compare(Predicate::OEQ, x, constant(0));
  Value other = select(isZero, constant(-infinity),
                       constant(std::numeric_limits<double>::quiet_NaN()));
  Value isPositive = compare(Predicate::OGT, x, constant(0));
  return select(isInfinite, x, select(isPositive, result, other));
}

/// Adding 2^23 leaves no digit behind the point. What is larger has none.
Value Expander::round(Value x) {
  Value magnitude = abs(x), magic = constant(0x1p23);
  Value rounded = sub(add(magnitude, magic), magic);
  Value isSmall = compare(arith::CmpFPredicate::OLT, magnitude, magic);
  return make<math::CopySignOp>(select(isSmall, rounded, magnitude), x);
}

/// max(x, 0) + log(1 + e) with e = exp(-|x|): nothing cancels. Where e is
/// large, log(2) + log(1 + (e - 1) / 2).
Value Expander::softplus(Value x) {
  Value e = whole(exp(atLeast(-104, make<arith::NegFOp>(abs(x)))));
  Value one = constant(1);
  Value isLarge =
      compare(arith::CmpFPredicate::OGT, e, constant(0.41421356237));
  Value f = select(isLarge, mul(sub(e, one), constant(0.5)), e);
  return add(atLeast(0, x), logOnePlus(f, select(isLarge, one, constant(0))));
}

/// 1 / (1 + e) or e / (1 + e) with e = exp(-|x|), which is never large.
Value Expander::sigmoid(Value x) {
  Value e = whole(exp(atLeast(-104, make<arith::NegFOp>(abs(x)))));
  Value one = constant(1);
  return div(select(isNegative(x), e, one), add(one, e));
}

/// Near zero an odd polynomial, that of Cephes' tanhf; else by exp, which has
/// done its part at 10.
Value Expander::tanh(Value x) {
  Value magnitude = abs(x), square = mul(x, x);
  Value p = polynomial(square, {-5.70498872745e-3f, 2.06390887954e-2f,
                                -5.37397155531e-2f, 1.33314422036e-1f,
                                -3.33332819422e-1f});
  Value nearZero = fma(mul(p, square), x, x);
  Value bounded = atMost(10, magnitude);
  Value twice = add(bounded, bounded);
  auto [above, n] = reduce(twice, twice, {});
  Value one = constant(1);
  Value power = mul(add(above, one), powerOfTwo(n));
  Value far = sub(one, div(constant(2), add(power, one)));
  Value isFar = compare(arith::CmpFPredicate::OGT, magnitude, constant(0.625));
  return make<math::CopySignOp>(select(isFar, far, nearZero), x);
}

/// As sigmoid; where x is negative, exp may fall below the normal numbers, and
/// is whole only after all else: x times a rounded one would be far off.
Value Expander::silu(Value x) {
  Value below = atLeast(-110, make<arith::NegFOp>(abs(x)));
  Power power = exp(below);
  Value one = constant(1);
  Value large = mul(add(power.above, one), power.half);
  Value negative = isNegative(x);
  Value quotient = div(select(negative, mul(below, large), x),
                       add(one, mul(large, power.rest)));
  return mul(quotient, select(negative, power.rest, one));
}

/// max(x, 0) - t Phi(-t) with t = |x|: nothing cancels. Phi, the distribution
/// function of the normal distribution, is exp(-t^2 / 2) P(t) / Q(t): the
/// quotient is erfc's scaled tail, to 6e-9 by Lawson's method. Zero at 14.5.
Value Expander::gelu(Value x) {
  Value t = atMost(14.5, abs(x));
  // The leading half of the digits: its square has no more than fit.
  Value high = fromBits(make<arith::AndIOp>(toBits(t), integer(-0x1000)));
  Value half = constant(-0.5);
  Value low = mul(mul(sub(t, high), half), add(t, high));
  Power power = exp(mul(mul(high, half), high), low);
  // In pairs: fewer roundings one after the other, and that of the square is
  // in both. The common factor of the two is one that rounds well.
  Value square = mul(t, t);
  auto pair = [&](double odd, double even) {
    return fma(constant(odd), t, constant(even));
  };
  Value p =
      fma(constant(0.00758381793), square, pair(0.074859716, 0.337571263));
  p = fma(p, square, pair(0.80744791, 0.92110002));
  Value q = fma(pair(0.019009592, 0.187657356), square,
                pair(0.864899576, 2.21531582));
  q = fma(q, square, pair(3.08475947, 1.84220004));
  Value tp = mul(t, p);
  Value large = mul(fma(tp, power.above, tp), power.half);
  return sub(atLeast(0, x), mul(div(large, q), power.rest));
}

Value Expander::hswish(Value x) {
  Value gate = atMost(6, atLeast(0, add(x, constant(3))));
  return mul(x, mul(gate, constant(1.0 / 6)));
}

Value Expander::expand(Function function, Value x) {
  switch (function) {
  case Function::Relu:
    return atLeast(0, x);
  case Function::Relu6:
    return atMost(6, atLeast(0, x));
  case Function::Sigmoid:
    return sigmoid(x);
  case Function::Tanh:
    return tanh(x);
  case Function::Silu:
    return silu(x);
  case Function::Gelu:
    return gelu(x);
  case Function::Hswish:
    return hswish(x);
  case Function::Exp:
    return exponential(x);
  case Function::Log:
    return log(x);
  case Function::Sqrt:
    return make<math::SqrtOp>(x);
  case Function::Round:
    return round(x);
  case Function::Softplus:
    return softplus(x);
  }
  llvm_unreachable("every function is listed");
}

namespace {
struct ExpandActivations
    : sparkle::impl::ExpandActivationsBase<ExpandActivations> {
  using Base::Base;

  void runOnOperation() override {
    getOperation().walk([](ActivateOp op) {
      Expander expander(op);
      op.replaceAllUsesWith(expander.expand(op.getFunction(), op.getValue()));
      op.erase();
    });
  }
};
} // namespace
