// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The arithmetic of one element, on whole vectors. The functions that x86 has
// no instruction for are polynomials: no call of libm is left.

#include "lib/Target/CPU/LowerTiled.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace sparkle::cpu {

namespace {
/// Vector arithmetic, and the functions made of it.
class Arithmetic {
public:
  Arithmetic(Code &code, int64_t lanes) : code(code), lanes(lanes) {}

  Value constant(float value) { return code.splat(value, lanes); }
  Value add(Value a, Value b) { return make<LLVM::FAddOp>(a, b); }
  Value sub(Value a, Value b) { return make<LLVM::FSubOp>(a, b); }
  Value mul(Value a, Value b) { return make<LLVM::FMulOp>(a, b); }
  Value div(Value a, Value b) { return make<LLVM::FDivOp>(a, b); }
  /// a * b + c, in one instruction where there is one.
  Value fma(Value a, Value b, Value c) {
    return make<LLVM::FMulAddOp>(a, b, c);
  }
  Value abs(Value x) { return make<LLVM::FAbsOp>(x); }
  Value negate(Value x) { return make<LLVM::FNegOp>(x); }
  Value copySign(Value magnitude, Value sign) {
    return make<LLVM::CopySignOp>(magnitude, sign);
  }
  Value compare(LLVM::FCmpPredicate predicate, Value a, Value b) {
    return LLVM::FCmpOp::create(code, code.loc, predicate, a, b);
  }
  Value select(Value condition, Value a, Value b) {
    return code.select(condition, a, b);
  }
  /// The larger, or the smaller, where `x` may be not a number and stays so:
  /// one instruction on x86, which gives its second operand then.
  Value atLeast(float bound, Value x) {
    return select(compare(LLVM::FCmpPredicate::ogt, constant(bound), x),
                  constant(bound), x);
  }
  Value atMost(float bound, Value x) {
    return select(compare(LLVM::FCmpPredicate::olt, constant(bound), x),
                  constant(bound), x);
  }
  /// Highest power first.
  Value polynomial(Value x, ArrayRef<float> coefficients) {
    Value sum = constant(coefficients.front());
    for (float coefficient : coefficients.drop_front())
      sum = fma(sum, x, constant(coefficient));
    return sum;
  }

  Value exp(Value x);
  Value tanh(Value x);
  Value erf(Value x);

  template <typename Op, typename... Operands>
  Value make(Operands... operands) {
    return Op::create(code, code.loc, operands...);
  }

private:
  Code &code;
  int64_t lanes;
};
} // namespace

/// 2^n * exp(r) with |r| <= ln(2) / 2, n and r by Cody and Waite; the
/// polynomial is that of Cephes' expf. Within 1.1 ulp; underflows gradually.
Value Arithmetic::exp(Value x) {
  // Beyond these it is infinite, and zero.
  x = atMost(89.0f, atLeast(-104.0f, x));
  // Adding 1.5 * 2^23 leaves the nearest integer in the low bits.
  Value magic = constant(0x1.8p23f);
  Value shifted = fma(x, constant(0x1.715476p+0f), magic);
  Value n = sub(shifted, magic);
  Value r = fma(n, constant(-0.693359375f), x);
  r = fma(n, constant(2.12194440e-4f), r);
  Value p =
      polynomial(r, {1.9875691500e-4f, 1.3981999507e-3f, 8.3334519073e-3f,
                     4.1665795894e-2f, 1.6666665459e-1f, 5.0000001201e-1f});
  p = add(fma(p, mul(r, r), r), constant(1));
  // n runs from -150 to 128: the scale is two factors, each a normal number.
  auto integers = VectorType::get(lanes, code.getI32Type());
  Value whole = code.add(make<LLVM::BitcastOp>(integers, shifted),
                         code.splatInteger(-0x4b400000, lanes));
  Value half = make<LLVM::AShrOp>(whole, code.splatInteger(1, lanes));
  Value rest = make<LLVM::SubOp>(whole, half);
  for (Value power : {half, rest}) {
    Value biased = code.add(power, code.splatInteger(127, lanes));
    Value bits = make<LLVM::ShlOp>(biased, code.splatInteger(23, lanes));
    p = mul(p, make<LLVM::BitcastOp>(code.vectorType(lanes), bits));
  }
  return p;
}

/// Near zero an odd polynomial, that of Cephes' tanhf; else by exp. Within
/// 1.3 ulp.
Value Arithmetic::tanh(Value x) {
  Value magnitude = abs(x), square = mul(x, x);
  Value p = polynomial(square, {-5.70498872745e-3f, 2.06390887954e-2f,
                                -5.37397155531e-2f, 1.33314422036e-1f,
                                -3.33332819422e-1f});
  Value nearZero = fma(mul(p, square), x, x);
  Value power = exp(add(magnitude, magnitude));
  Value quotient = div(constant(2), add(power, constant(1)));
  Value far = sub(constant(1), quotient);
  Value isFar = compare(LLVM::FCmpPredicate::ogt, magnitude, constant(0.625f));
  return copySign(select(isFar, far, nearZero), x);
}

/// Near zero an odd polynomial, else 1 - exp of a polynomial. Within 1.2 ulp.
Value Arithmetic::erf(Value x) {
  Value magnitude = abs(x), square = mul(x, x);
  Value p =
      polynomial(square, {-5.96761703e-4f, 4.99119423e-3f, -2.67681349e-2f,
                          1.12819925e-1f, -3.76125336e-1f, 1.28379166e-1f});
  Value nearZero = fma(p, x, x);
  Value even =
      fma(constant(-1.72853470e-5f), magnitude, constant(3.83197126e-4f));
  Value odd =
      fma(constant(-3.88396438e-3f), magnitude, constant(2.42546219e-2f));
  Value q = fma(even, square, odd);
  for (float coefficient : {-1.06777877e-1f, -6.34846687e-1f, -1.28717512e-1f})
    q = fma(q, magnitude, constant(coefficient));
  Value power = exp(fma(q, magnitude, negate(magnitude)));
  Value far = copySign(sub(constant(1), power), x);
  return select(
      compare(LLVM::FCmpPredicate::ogt, magnitude, constant(0.927734375f)), far,
      nearZero);
}

/// maximumf or minimumf. Against a constant that is a number, one compare and
/// select; the sign of a zero is not kept.
template <typename Intrinsic>
static Value emitExtremum(Arithmetic &arithmetic, Operation &op, Value a,
                          Value b, LLVM::FCmpPredicate wins) {
  for (unsigned i : {1, 0}) {
    FloatAttr bound;
    if (!matchPattern(op.getOperand(i), m_Constant(&bound)) ||
        bound.getValue().isNaN())
      continue;
    Value limit = i ? b : a, x = i ? a : b;
    return arithmetic.select(arithmetic.compare(wins, limit, x), limit, x);
  }
  return arithmetic.make<Intrinsic>(a, b);
}

static Value emitOp(Arithmetic &arithmetic, Operation &op, ValueRange v) {
  auto &a = arithmetic;
  using Result = Value;
  return llvm::TypeSwitch<Operation *, Result>(&op)
      .Case([&](arith::AddFOp) { return a.add(v[0], v[1]); })
      .Case([&](arith::SubFOp) { return a.sub(v[0], v[1]); })
      .Case([&](arith::MulFOp) { return a.mul(v[0], v[1]); })
      .Case([&](arith::DivFOp) { return a.div(v[0], v[1]); })
      .Case([&](arith::NegFOp) { return a.negate(v[0]); })
      .Case([&](arith::SelectOp) { return a.select(v[0], v[1], v[2]); })
      .Case([&](arith::CmpFOp compare) {
        // Both enumerations list the predicates in the same order.
        auto predicate =
            static_cast<LLVM::FCmpPredicate>(compare.getPredicate());
        return a.compare(predicate, v[0], v[1]);
      })
      .Case([&](arith::MaximumFOp) {
        return emitExtremum<LLVM::MaximumOp>(a, op, v[0], v[1],
                                             LLVM::FCmpPredicate::ogt);
      })
      .Case([&](arith::MinimumFOp) {
        return emitExtremum<LLVM::MinimumOp>(a, op, v[0], v[1],
                                             LLVM::FCmpPredicate::olt);
      })
      .Case(
          [&](arith::MaxNumFOp) { return a.make<LLVM::MaxNumOp>(v[0], v[1]); })
      .Case(
          [&](arith::MinNumFOp) { return a.make<LLVM::MinNumOp>(v[0], v[1]); })
      .Case([&](math::FmaOp) { return a.fma(v[0], v[1], v[2]); })
      .Case([&](math::AbsFOp) { return a.abs(v[0]); })
      .Case([&](math::SqrtOp) { return a.make<LLVM::SqrtOp>(v[0]); })
      .Case([&](math::ExpOp) { return a.exp(v[0]); })
      .Case([&](math::TanhOp) { return a.tanh(v[0]); })
      .Case([&](math::ErfOp) { return a.erf(v[0]); })
      .Default(Result());
}

namespace {
/// Evaluates the ops of a body in order.
class BodyEvaluator {
public:
  BodyEvaluator(Code &code, int64_t lanes, function_ref<Value(Value)> getOuter)
      : code(code), arithmetic(code, lanes), lanes(lanes), getOuter(getOuter) {}

  /// All ops of `body` but its terminator and, if given, `except`.
  LogicalResult run(Block &body, ValueRange arguments,
                    Operation *except = nullptr);
  Value get(Value value);

private:
  Code &code;
  Arithmetic arithmetic;
  int64_t lanes;
  function_ref<Value(Value)> getOuter;
  DenseMap<Value, Value> values;
};
} // namespace

/// The vector for a value of the body. Constants may stand outside of it.
Value BodyEvaluator::get(Value value) {
  Value &vector = values[value];
  if (vector)
    return vector;
  FloatAttr constant;
  if (matchPattern(value, m_Constant(&constant)))
    return vector = arithmetic.constant(constant.getValue().convertToFloat());
  return vector = code.broadcast(getOuter(value), lanes);
}

LogicalResult BodyEvaluator::run(Block &body, ValueRange arguments,
                                 Operation *except) {
  for (auto [from, to] : llvm::zip(body.getArguments(), arguments))
    values[from] = to;
  for (Operation &op : body.without_terminator()) {
    if (&op == except || isa<arith::ConstantOp>(op))
      continue;
    SmallVector<Value> operands;
    for (Value operand : op.getOperands())
      operands.push_back(get(operand));
    Value result = emitOp(arithmetic, op, operands);
    if (!result)
      return op.emitError("expected arithmetic that this target has, but got '")
             << op.getName() << "'";
    values[op.getResult(0)] = result;
  }
  return success();
}

FailureOr<Value> evaluateBody(Code &code, Block &body, ValueRange arguments,
                              int64_t lanes,
                              function_ref<Value(Value)> getOuter) {
  BodyEvaluator evaluator(code, lanes, getOuter);
  if (failed(evaluator.run(body, arguments)))
    return failure();
  return evaluator.get(body.getTerminator()->getOperand(0));
}

FailureOr<Value> accumulateBody(Code &code, Block &body, ValueRange arguments,
                                Value sum,
                                function_ref<Value(Value)> getOuter) {
  int64_t lanes = cast<VectorType>(sum.getType()).getNumElements();
  BodyEvaluator evaluator(code, lanes, getOuter);
  Arithmetic arithmetic(code, lanes);
  Value term = body.getTerminator()->getOperand(0);
  auto product = term.getDefiningOp<arith::MulFOp>();
  if (product && product->getBlock() == &body && product->hasOneUse()) {
    if (failed(evaluator.run(body, arguments, product)))
      return failure();
    return arithmetic.fma(evaluator.get(product.getLhs()),
                          evaluator.get(product.getRhs()), sum);
  }
  if (failed(evaluator.run(body, arguments)))
    return failure();
  return arithmetic.add(sum, evaluator.get(term));
}

} // namespace sparkle::cpu
