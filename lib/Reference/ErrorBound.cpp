// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The rules of the running error analysis, one function each.

#include "lib/Reference/ErrorBound.h"
#include "lib/Reference/Sizes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
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
  Value apart = arith::SubFOp::create(b, magnitude(y.value), y.error);
  Value error = over(plus(x.error, times(magnitude(quotient), y.error)), apart);
  Value isApart =
      arith::CmpFOp::create(b, arith::CmpFPredicate::OGT, apart, number(0));
  Value infinity = number(std::numeric_limits<double>::infinity());
  error = arith::SelectOp::create(b, isApart, error, infinity);
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
