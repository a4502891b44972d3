// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The rules of the running error analysis, one function each.

#include "lib/Reference/ErrorBound.h"
#include "lib/Reference/Sizes.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/Support/MathExtras.h"
#include <limits>

using namespace mlir;

namespace sparkle {

/// The unit roundoff of float, 2^-24, enlarged by far more than the roundings
/// of this computation in double, whose own unit is 2^-53.
constexpr double unit = 0x1p-24 * (1 + 0x1p-20);
/// What a product or quotient may lose below the normal range of float.
constexpr double denormal = 0x1p-149;
/// The normal range's end: functions may flush what lies below it.
constexpr double normal = 0x1p-126;
/// Functions of float are taken to be right to 4 units in the last place, of
/// which each is at most two unit roundoffs.
constexpr double slack = 8 * unit;

Value BoundedArithmetic::number(double value) {
  return arith::ConstantOp::create(b, b.getF64FloatAttr(value));
}
Value BoundedArithmetic::plus(Value x, Value y) {
  return arith::AddFOp::create(b, x, y);
}
Value BoundedArithmetic::times(Value x, Value y) {
  return arith::MulFOp::create(b, x, y);
}
Value BoundedArithmetic::over(Value x, Value y) {
  return arith::DivFOp::create(b, x, y);
}
Value BoundedArithmetic::larger(Value x, Value y) {
  return arith::MaximumFOp::create(b, x, y);
}
Value BoundedArithmetic::smaller(Value x, Value y) {
  return arith::MinimumFOp::create(b, x, y);
}
Value BoundedArithmetic::subtracted(Value x, Value y) {
  return arith::SubFOp::create(b, x, y);
}
Value BoundedArithmetic::compare(arith::CmpFPredicate predicate, Value x,
                                 Value y) {
  return arith::CmpFOp::create(b, predicate, x, y);
}
Value BoundedArithmetic::select(Value condition, Value x, Value y) {
  return arith::SelectOp::create(b, condition, x, y);
}
Value BoundedArithmetic::infinity() {
  return number(std::numeric_limits<double>::infinity());
}
Value BoundedArithmetic::magnitude(Value x) {
  return math::AbsFOp::create(b, x);
}

/// The C library's function of one double.
Value BoundedArithmetic::call(StringRef function, Value x) {
  return callLibrary(b, function, b.getF64Type(), x);
}

Value BoundedArithmetic::logistic(Value x) {
  Value negated = arith::NegFOp::create(b, x);
  return over(number(1), plus(number(1), call("exp", negated)));
}

/// One more rounding: error + u |value|.
Bounded BoundedArithmetic::rounded(Value value, Value error) {
  return {value, plus(error, times(number(unit), magnitude(value)))};
}

/// The slack of a function, relative to `scale`.
Bounded BoundedArithmetic::withSlack(Value value, Value error, Value scale) {
  Value relative = times(number(slack), magnitude(scale));
  return {value, plus(plus(error, relative), number(normal))};
}

Bounded BoundedArithmetic::constant(double value) {
  return {number(value), number(0)};
}

Bounded BoundedArithmetic::add(Bounded x, Bounded y) {
  return rounded(plus(x.value, y.value), plus(x.error, y.error));
}

Bounded BoundedArithmetic::subtract(Bounded x, Bounded y) {
  return add(x, negate(y));
}

/// |x| ey + |y| ex + ex ey, and the rounding.
Bounded BoundedArithmetic::multiply(Bounded x, Bounded y) {
  Value error = plus(plus(times(magnitude(x.value), y.error),
                          times(magnitude(y.value), x.error)),
                     plus(times(x.error, y.error), number(denormal)));
  return rounded(times(x.value, y.value), error);
}

/// (ex + |x / y| ey) / (|y| - ey), and the rounding; unbounded where the
/// divisor may be zero.
Bounded BoundedArithmetic::divide(Bounded x, Bounded y) {
  Value quotient = over(x.value, y.value);
  Value apart = subtracted(magnitude(y.value), y.error);
  Value error = over(plus(x.error, times(magnitude(quotient), y.error)), apart);
  Value isApart = compare(arith::CmpFPredicate::OGT, apart, number(0));
  error = select(isApart, error, infinity());
  return rounded(quotient, plus(error, number(denormal)));
}

Bounded BoundedArithmetic::negate(Bounded x) {
  return {arith::NegFOp::create(b, x.value), x.error};
}

Bounded BoundedArithmetic::maximum(Bounded x, Bounded y) {
  return {larger(x.value, y.value), larger(x.error, y.error)};
}

Bounded BoundedArithmetic::minimum(Bounded x, Bounded y) {
  return {smaller(x.value, y.value), larger(x.error, y.error)};
}

/// Relative to the largest that the value may be.
Bounded BoundedArithmetic::withRelativeSlack(Value value, Value error) {
  return withSlack(value, error, plus(magnitude(value), error));
}

/// (exp(e) - 1) exp(x); unbounded where float may overflow.
Bounded BoundedArithmetic::exponential(Bounded x) {
  Value value = call("exp", x.value);
  Bounded result =
      withRelativeSlack(value, times(value, call("expm1", x.error)));
  Value most = plus(result.value, result.error);
  return {value, select(compare(arith::CmpFPredicate::OLT, most,
                                number(std::numeric_limits<float>::max())),
                        result.error, infinity())};
}

/// A function of what is not negative, from the least argument on: not a number
/// where the argument is negative for sure; unbounded where it may be.
Bounded
BoundedArithmetic::ofPositive(Bounded x,
                              llvm::function_ref<Bounded(Value, Value)> apply) {
  using Predicate = arith::CmpFPredicate;
  Value zero = number(0);
  Value least = subtracted(x.value, x.error), most = plus(x.value, x.error);
  Bounded result = apply(larger(x.value, zero), larger(least, zero));
  Value isNone = compare(Predicate::OLT, most, zero);
  Value isNumber = compare(Predicate::UGE, least, zero);
  Value none = number(std::numeric_limits<double>::quiet_NaN());
  return {select(isNone, none, result.value),
          select(isNumber, result.error, infinity())};
}

/// log(x / (x - e)): below x the slope is larger than above. A target that
/// flushes what is below the normal range takes it for zero.
Bounded BoundedArithmetic::logarithm(Bounded x) {
  return ofPositive(x, [&](Value value, Value least) {
    Value log = call("log", value);
    Value kept = larger(subtracted(least, number(normal)), number(0));
    Value isZero =
        compare(arith::CmpFPredicate::OLE, plus(value, x.error), number(0));
    // At an exact zero all agree.
    Value error = subtracted(log, call("log", kept));
    return withRelativeSlack(log, select(isZero, number(0), error));
  });
}

/// sqrt(x) - sqrt(x - e), likewise.
Bounded BoundedArithmetic::root(Bounded x) {
  return ofPositive(x, [&](Value value, Value least) {
    Value root = math::SqrtOp::create(b, value);
    Value kept = larger(subtracted(least, number(normal)), number(0));
    Value error = subtracted(root, math::SqrtOp::create(b, kept));
    return withRelativeSlack(root, error);
  });
}

/// As far as the nearest integers of the ends of the interval are away.
Bounded BoundedArithmetic::nearest(Bounded x) {
  Value value = call("rint", x.value);
  Value least = call("rint", subtracted(x.value, x.error));
  Value most = call("rint", plus(x.value, x.error));
  return {value, larger(subtracted(value, least), subtracted(most, value))};
}

/// max(x, 0) + log(1 + exp(-|x|))
Bounded BoundedArithmetic::softplus(Bounded x) {
  Value negated = arith::NegFOp::create(b, magnitude(x.value));
  Value value =
      plus(larger(x.value, number(0)), call("log1p", call("exp", negated)));
  return withRelativeSlack(value, x.error);
}

/// Unsure where the operands are as near to each other as their errors.
Bounded BoundedArithmetic::compare(arith::CmpFPredicate predicate, Bounded x,
                                   Bounded y) {
  using Predicate = arith::CmpFPredicate;
  Value error = plus(x.error, y.error);
  Value distance = magnitude(subtracted(x.value, y.value));
  Value one = number(1), zero = number(0);
  // What is not a number is so for sure, and no error is exact.
  Value unsure = select(compare(Predicate::ULE, distance, error), one, zero);
  unsure = select(compare(Predicate::ORD, x.value, y.value), unsure, zero);
  unsure = select(compare(Predicate::OEQ, error, zero), zero, unsure);
  return {select(compare(predicate, x.value, y.value), one, zero), unsure};
}

/// Where the condition is unsure, the other side may be what is wanted. A value
/// that is not a number is one for sure, so the side that is a number is taken.
Bounded BoundedArithmetic::select(Bounded condition, Bounded x, Bounded y) {
  using Predicate = arith::CmpFPredicate;
  Value zero = number(0);
  Value holds = compare(Predicate::UNE, condition.value, zero);
  Value value = select(holds, x.value, y.value);
  Value other = select(holds, y.value, x.value);
  Value error = select(holds, x.error, y.error);
  Value apart = magnitude(subtracted(x.value, y.value));
  Value isKnown = compare(Predicate::OEQ, condition.error, zero);
  Value isNumber = compare(Predicate::ORD, value, value);
  return {select(isKnown, value, select(isNumber, value, other)),
          select(isKnown, error, plus(apart, larger(x.error, y.error)))};
}

/// The factor before an error is the largest slope of the function.
Bounded BoundedArithmetic::activate(Function function, Bounded x) {
  auto steep = [&](double slope) { return times(number(slope), x.error); };
  switch (function) {
  case Function::Relu:
    return maximum(x, constant(0));
  case Function::Relu6:
    return minimum(maximum(x, constant(0)), constant(6));
  case Function::Sigmoid: {
    Value value = logistic(x.value);
    return withSlack(value, steep(0.25), value);
  }
  case Function::Tanh: {
    Value value = call("tanh", x.value);
    return withSlack(value, steep(1), value);
  }
  case Function::Silu: {
    // Where the factor is below the normal range, its loss is times x; below
    // -104 a float has none of it left to lose.
    Value value = times(x.value, logistic(x.value));
    Value lost =
        times(number(normal), smaller(magnitude(x.value), number(104)));
    return withSlack(value, plus(steep(1.1), lost), value);
  }
  case Function::Gelu: {
    // 1 + erf loses its digits where it is small, so the slack is that of a
    // factor of about 1.
    Value scaled = times(x.value, number(1 / llvm::numbers::sqrt2));
    Value phi = times(number(0.5), plus(number(1), call("erf", scaled)));
    return withSlack(times(x.value, phi), steep(1.13), x.value);
  }
  case Function::Hswish: {
    Value shifted = plus(x.value, number(3));
    Value gate = smaller(larger(shifted, number(0)), number(6));
    Value value = times(x.value, times(gate, number(1.0 / 6)));
    return withSlack(value, steep(1.5), value);
  }
  case Function::Exp:
    return exponential(x);
  case Function::Log:
    return logarithm(x);
  case Function::Sqrt:
    return root(x);
  case Function::Round:
    return nearest(x);
  case Function::Softplus:
    return softplus(x);
  }
  llvm_unreachable("every function is listed");
}

/// gamma_n sum |t|, with gamma_n = n u / (1 - n u), over the terms as they are
/// computed, and what these were off already.
Bounded BoundedArithmetic::sum(double count, Value value, Value magnitude,
                               Value error) {
  double nu = count * unit;
  double gamma =
      nu < 1 ? nu / (1 - nu) : std::numeric_limits<double>::infinity();
  Value roundings = times(number(gamma), plus(magnitude, error));
  return {value, plus(roundings, error)};
}

} // namespace sparkle
