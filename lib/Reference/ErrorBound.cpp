// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The rules of the running error analysis, one function each. Every operation
// of float is growing in its exact result, so the ends of an interval go
// through it like any other operand; then each end is moved outwards by what a
// computation may add.

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
constexpr double largest = std::numeric_limits<float>::max();

using Predicate = arith::CmpFPredicate;

//===----------------------------------------------------------------------===//
// Numbers
//===----------------------------------------------------------------------===//

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
Value BoundedArithmetic::negated(Value x) {
  return arith::NegFOp::create(b, x);
}
Value BoundedArithmetic::compare(Predicate predicate, Value x, Value y) {
  return arith::CmpFOp::create(b, predicate, x, y);
}
Value BoundedArithmetic::both(Value x, Value y) {
  return arith::AndIOp::create(b, x, y);
}
Value BoundedArithmetic::either(Value x, Value y) {
  return arith::OrIOp::create(b, x, y);
}
Value BoundedArithmetic::select(Value condition, Value x, Value y) {
  return arith::SelectOp::create(b, condition, x, y);
}
Value BoundedArithmetic::infinity() {
  return number(std::numeric_limits<double>::infinity());
}
Value BoundedArithmetic::none() {
  return number(std::numeric_limits<double>::quiet_NaN());
}
Value BoundedArithmetic::magnitude(Value x) {
  return math::AbsFOp::create(b, x);
}

/// The C library's function of one double.
Value BoundedArithmetic::call(StringRef function, Value x) {
  return callLibrary(b, function, b.getF64Type(), x);
}

//===----------------------------------------------------------------------===//
// Intervals
//===----------------------------------------------------------------------===//

Value BoundedArithmetic::isNone(Value x, Value y) {
  return compare(Predicate::UNO, x, y);
}

Value BoundedArithmetic::isUnbounded(Bounded x) {
  Value end = larger(magnitude(x.least), magnitude(x.most));
  return compare(Predicate::OEQ, end, infinity());
}

Value BoundedArithmetic::mayBeZero(Bounded x) {
  Value zero = number(0);
  return both(compare(Predicate::OLE, x.least, zero),
              compare(Predicate::OGE, x.most, zero));
}

/// Whether what is said of the values holds of every computation: they have no
/// error, or one is not a number, which is for sure.
Value BoundedArithmetic::isKnown(Bounded x, Bounded y) {
  Value isExact = both(compare(Predicate::OEQ, x.least, x.most),
                       compare(Predicate::OEQ, y.least, y.most));
  return either(isExact, isNone(x.value, y.value));
}

/// x (1 - relative) - absolute, or with (1 + relative) if x is negative. Unlike
/// x - relative |x|, it leaves an infinite x as it is.
Value BoundedArithmetic::lowered(Value x, double relative, Value absolute) {
  Value part = math::CopySignOp::create(b, number(relative), x);
  return subtracted(times(x, subtracted(number(1), part)), absolute);
}

Value BoundedArithmetic::raised(Value x, double relative, Value absolute) {
  Value part = math::CopySignOp::create(b, number(relative), x);
  return plus(times(x, plus(number(1), part)), absolute);
}

Bounded BoundedArithmetic::widened(Bounded x, double relative, Value absolute) {
  return {x.value, lowered(x.least, relative, absolute),
          raised(x.most, relative, absolute)};
}

/// fl(x) = x (1 + d) with |d| <= u.
Bounded BoundedArithmetic::rounded(Bounded x) {
  return widened(x, unit, number(0));
}

/// The slack of a function; the result may be flushed.
Bounded BoundedArithmetic::withSlack(Bounded x) {
  return widened(x, slack, number(normal));
}

/// For functions that are never negative: what is right to some units in the
/// last place, or flushed, is not so either.
Bounded BoundedArithmetic::notBelowZero(Bounded x) {
  return {x.value, larger(x.least, number(0)), x.most};
}

/// What is none for sure if its value is none and `isSure`, and may be none if
/// its value is none: then, and where it is infinite but perhaps, some number
/// of its size stands for the value.
Bounded BoundedArithmetic::settled(Bounded x, Value isSure) {
  Value isNone = this->isNone(x.value, x.value);
  Value isFinite = compare(Predicate::OLT, magnitude(x.value), infinity());
  Value isInfinite = compare(Predicate::OEQ, x.least, x.most);
  Value isKept = either(isFinite, select(isNone, isSure, isInfinite));
  Value large = math::CopySignOp::create(b, number(0x1p1000), x.value);
  return {select(isKept, x.value, large), select(isNone, none(), x.least),
          select(isNone, none(), x.most)};
}

/// May be none where `condition` holds.
Bounded BoundedArithmetic::noneWhere(Value condition, Bounded x) {
  return {x.value, select(condition, none(), x.least),
          select(condition, none(), x.most)};
}

/// What grows or sinks in each of its operands has its extremes at the ends of
/// both. An infinity less an infinity and such at an end make it none there.
Bounded BoundedArithmetic::atCorners(Bounded x, Bounded y, Binary apply) {
  Value value = apply(x.value, y.value);
  if (x.isExact() && y.isExact())
    return exact(value);
  Value least = apply(x.least, y.least), most = least;
  for (auto [left, right] :
       {std::pair(x.least, y.most), {x.most, y.least}, {x.most, y.most}}) {
    Value corner = apply(left, right);
    least = smaller(least, corner);
    most = larger(most, corner);
  }
  return {value, least, most};
}

/// A function that grows has its extremes at the ends.
Bounded BoundedArithmetic::growing(Bounded x, Unary apply) {
  if (x.isExact())
    return exact(apply(x.value));
  return {apply(x.value), apply(x.least), apply(x.most)};
}

/// A function that sinks up to `lowest` and then grows has its largest at an
/// end, and its smallest as near to `lowest` as the interval reaches.
Bounded BoundedArithmetic::sinkingUpTo(double lowest, Bounded x, Unary apply) {
  if (x.isExact())
    return exact(apply(x.value));
  Value nearest = smaller(larger(x.least, number(lowest)), x.most);
  return {apply(x.value), apply(nearest),
          larger(apply(x.least), apply(x.most))};
}

Value BoundedArithmetic::getBound(Value value, Bounded x) {
  // An infinity is no way off from itself.
  auto distance = [&](Value from, Value to) {
    return select(compare(Predicate::OEQ, from, to), number(0),
                  subtracted(to, from));
  };
  Value bound = larger(distance(x.least, value), distance(value, x.most));
  bound = select(isNone(bound, bound), infinity(), bound);
  return select(isNone(value, value), number(0), bound);
}

//===----------------------------------------------------------------------===//
// Operators
//===----------------------------------------------------------------------===//

Bounded BoundedArithmetic::add(Bounded x, Bounded y) {
  Bounded sum =
      rounded(atCorners(x, y, [&](Value x, Value y) { return plus(x, y); }));
  return x.isExact() && y.isExact() ? sum : settled(sum, isKnown(x, y));
}

Bounded BoundedArithmetic::subtract(Bounded x, Bounded y) {
  return add(x, negate(y));
}

/// Zero times infinity is none, wherever in the intervals they are.
Bounded BoundedArithmetic::multiply(Bounded x, Bounded y) {
  Bounded product =
      widened(atCorners(x, y, [&](Value x, Value y) { return times(x, y); }),
              unit, number(denormal));
  if (x.isExact() && y.isExact())
    return product;
  Value mayBeNone = either(both(mayBeZero(x), isUnbounded(y)),
                           both(mayBeZero(y), isUnbounded(x)));
  return settled(noneWhere(mayBeNone, product), isKnown(x, y));
}

/// Unbounded where the divisor may be zero; perhaps none where both may be, or
/// both infinite.
Bounded BoundedArithmetic::divide(Bounded x, Bounded y) {
  Bounded quotient =
      widened(atCorners(x, y, [&](Value x, Value y) { return over(x, y); }),
              unit, number(denormal));
  if (x.isExact() && y.isExact())
    return quotient;
  Value isPole = mayBeZero(y);
  quotient.least = select(isPole, negated(infinity()), quotient.least);
  quotient.most = select(isPole, infinity(), quotient.most);
  Value mayBeNone =
      either(both(isPole, mayBeZero(x)), both(isUnbounded(x), isUnbounded(y)));
  mayBeNone = either(mayBeNone, isNone(x.least, x.most));
  return settled(noneWhere(mayBeNone, quotient), isKnown(x, y));
}

Bounded BoundedArithmetic::negate(Bounded x) {
  if (x.isExact())
    return exact(negated(x.value));
  return {negated(x.value), negated(x.most), negated(x.least)};
}

/// They take one of their operands as it is.
Bounded BoundedArithmetic::maximum(Bounded x, Bounded y) {
  Value value = larger(x.value, y.value);
  if (x.isExact() && y.isExact())
    return exact(value);
  return settled({value, larger(x.least, y.least), larger(x.most, y.most)},
                 isKnown(x, y));
}

Bounded BoundedArithmetic::minimum(Bounded x, Bounded y) {
  return negate(maximum(negate(x), negate(y)));
}

/// Unsure where the intervals meet.
Bounded BoundedArithmetic::compare(Predicate predicate, Bounded x, Bounded y) {
  Value one = number(1), zero = number(0);
  Value value = select(compare(predicate, x.value, y.value), one, zero);
  if (x.isExact() && y.isExact())
    return exact(value);
  // Ends that are not numbers meet everything.
  Value meets = both(compare(Predicate::ULE, x.least, y.most),
                     compare(Predicate::UGE, x.most, y.least));
  auto end = [&](Value unsure) {
    return select(isKnown(x, y), value, select(meets, unsure, value));
  };
  return {value, end(zero), end(one)};
}

/// Where the condition is unsure, either side may be what is wanted. A value
/// that is not a number is one for sure, so the side that is a number is taken.
Bounded BoundedArithmetic::select(Bounded condition, Bounded x, Bounded y) {
  Value zero = number(0);
  Value holds = compare(Predicate::UNE, condition.value, zero);
  Value value = select(holds, x.value, y.value);
  Value other = select(holds, y.value, x.value);
  Value isApart = either(compare(Predicate::OGT, condition.least, zero),
                         compare(Predicate::OLT, condition.most, zero));
  Value isKnown = either(isApart, this->isKnown(condition, condition));
  Bounded taken = {value, select(holds, x.least, y.least),
                   select(holds, x.most, y.most)};
  Bounded any = {select(isNone(value, value), other, value),
                 smaller(x.least, y.least), larger(x.most, y.most)};
  any = settled(any, isNone(any.value, any.value));
  return {select(isKnown, taken.value, any.value),
          select(isKnown, taken.least, any.least),
          select(isKnown, taken.most, any.most)};
}

//===----------------------------------------------------------------------===//
// Functions
//===----------------------------------------------------------------------===//

Value BoundedArithmetic::logistic(Value x) {
  return over(number(1), plus(number(1), call("exp", negated(x))));
}

/// x / (1 + exp(-x)), which at minus infinity has a limit and no value. Where
/// the factor is below the normal range, its loss is times x; below -104 a
/// float has none of it left to lose.
Bounded BoundedArithmetic::silu(Bounded x) {
  Bounded result = sinkingUpTo(-1.2784645427610738, x, [&](Value x) {
    return times(larger(x, number(-largest)), logistic(x));
  });
  Value most =
      smaller(larger(magnitude(x.least), magnitude(x.most)), number(104));
  return widened(result, slack, times(number(normal), plus(most, number(1))));
}

/// x (1 + erf(x / sqrt(2))) / 2. The sum loses its digits where it is small, so
/// the slack is that of a factor of about 1.
Bounded BoundedArithmetic::gelu(Bounded x) {
  Bounded result = sinkingUpTo(-0.7517915241, x, [&](Value x) {
    Value scaled = times(x, number(1 / llvm::numbers::sqrt2));
    Value phi = times(number(0.5), plus(number(1), call("erf", scaled)));
    return times(larger(x, number(-largest)), phi);
  });
  Value most =
      smaller(larger(magnitude(x.least), magnitude(x.most)), number(largest));
  return widened(result, 0, plus(times(number(slack), most), number(normal)));
}

/// x min(max(x + 3, 0), 6) / 6
Bounded BoundedArithmetic::hswish(Bounded x) {
  return withSlack(sinkingUpTo(-1.5, x, [&](Value x) {
    Value shifted = plus(x, number(3));
    Value gate = smaller(larger(shifted, number(0)), number(6));
    return times(x, times(gate, number(1.0 / 6)));
  }));
}

/// Unbounded where float may overflow.
Bounded BoundedArithmetic::exponential(Bounded x) {
  Bounded result = notBelowZero(
      withSlack(growing(x, [&](Value x) { return call("exp", x); })));
  Value fits = compare(Predicate::ULT, result.most, number(largest));
  return {result.value, result.least, select(fits, result.most, infinity())};
}

/// max(x, 0) + log(1 + exp(-|x|))
Bounded BoundedArithmetic::softplus(Bounded x) {
  return notBelowZero(withSlack(growing(x, [&](Value x) {
    Value small = call("log1p", call("exp", negated(magnitude(x))));
    return plus(larger(x, number(0)), small);
  })));
}

/// A function that grows, of what is not negative: none where the argument is
/// negative for sure, and perhaps where it may be. A target that flushes what
/// is below the normal range takes it for zero.
Bounded BoundedArithmetic::ofPositive(Bounded x, Unary apply) {
  Value zero = number(0);
  auto fromZero = [&](Value x) { return apply(larger(x, zero)); };
  Value kept = subtracted(x.least, number(normal));
  Bounded result =
      withSlack({fromZero(x.value), fromZero(kept), fromZero(x.most)});
  result = noneWhere(compare(Predicate::OLT, x.least, zero), result);
  Value isNegative = compare(Predicate::OLT, x.most, zero);
  result.value = select(isNegative, none(), result.value);
  return result;
}

Bounded BoundedArithmetic::activate(Function function, Bounded x) {
  auto apply = [&]() -> Bounded {
    switch (function) {
    case Function::Relu:
      return maximum(x, constant(0));
    case Function::Relu6:
      return minimum(maximum(x, constant(0)), constant(6));
    case Function::Sigmoid:
      return notBelowZero(
          withSlack(growing(x, [&](Value x) { return logistic(x); })));
    case Function::Tanh:
      return withSlack(growing(x, [&](Value x) { return call("tanh", x); }));
    case Function::Silu:
      return silu(x);
    case Function::Gelu:
      return gelu(x);
    case Function::Hswish:
      return hswish(x);
    case Function::Exp:
      return exponential(x);
    case Function::Log:
      return ofPositive(x, [&](Value x) { return call("log", x); });
    case Function::Sqrt:
      return notBelowZero(
          ofPositive(x, [&](Value x) { return math::SqrtOp::create(b, x); }));
    case Function::Round:
      return growing(x, [&](Value x) { return call("rint", x); });
    case Function::Softplus:
      return softplus(x);
    }
    llvm_unreachable("every function is listed");
  };
  Bounded result = apply();
  // Where the value is none, the argument is none or infinite, and for sure.
  return result.isExact() ? result
                          : settled(result, isNone(result.value, result.value));
}

//===----------------------------------------------------------------------===//
// Sums
//===----------------------------------------------------------------------===//

SmallVector<Value> BoundedArithmetic::startSum() {
  return SmallVector<Value>(4, number(0));
}

SmallVector<Value> BoundedArithmetic::addTerm(ValueRange totals, Bounded term) {
  // Twice the larger of two magnitudes, |a + b| + |a - b|: the loop over the
  // terms is where the time goes, and a maximum of theirs is a branch that no
  // processor foresees.
  Value twice = magnitude(plus(term.least, term.most));
  if (!term.isExact())
    twice = plus(twice, subtracted(term.most, term.least));
  return {plus(totals[0], term.value), plus(totals[1], term.least),
          plus(totals[2], term.most), plus(totals[3], twice)};
}

/// gamma_n sum |t| to both sides, with gamma_n = n u / (1 - n u) and the
/// largest magnitudes that the terms may have.
Bounded BoundedArithmetic::finishSum(double count, ValueRange totals) {
  double nu = count * unit;
  double gamma =
      nu < 1 ? nu / (1 - nu) : std::numeric_limits<double>::infinity();
  Value roundings = times(number(gamma / 2), totals[3]);
  // What has an infinite term is so without roundings.
  auto end = [&](Value total, Value moved) {
    Value isInfinite = compare(Predicate::OEQ, magnitude(total), infinity());
    return select(isInfinite, total, moved);
  };
  Bounded sum = {totals[0], end(totals[1], subtracted(totals[1], roundings)),
                 end(totals[2], plus(totals[2], roundings))};
  // There may be infinite terms of either sign.
  Value isOpen = both(compare(Predicate::OEQ, sum.least, negated(infinity())),
                      compare(Predicate::OEQ, sum.most, infinity()));
  return settled(noneWhere(isOpen, sum), isNone(sum.value, sum.value));
}

} // namespace sparkle
