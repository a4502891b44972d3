// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The arithmetic of one element, on scalars or vectors of four. Functions are
// polynomials: those of GLSL may be off by far more than a few ulp.

#include "lib/Target/Vulkan/LowerTiled.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace sparkle::vulkan {

namespace {
/// Arithmetic on scalars or vectors, and the functions made of it.
class Arithmetic {
public:
  Arithmetic(Code &code, int64_t width) : code(code), width(width) {}

  Value constant(float value) { return code.splat(value, width); }
  Value add(Value a, Value b) { return exactly(make<spirv::FAddOp>(a, b)); }
  Value sub(Value a, Value b) { return exactly(make<spirv::FSubOp>(a, b)); }
  Value mul(Value a, Value b) { return exactly(make<spirv::FMulOp>(a, b)); }
  Value div(Value a, Value b);
  Value sqrt(Value x);
  /// a * b + c, in one instruction where there is one.
  Value fma(Value a, Value b, Value c) {
    return exactly(make<spirv::GLFmaOp>(a.getType(), a, b, c));
  }
  Value abs(Value x) { return make<spirv::GLFAbsOp>(x); }
  Value negate(Value x) { return make<spirv::FNegateOp>(x); }
  Value copySign(Value magnitude, Value sign);
  Value select(Value condition, Value a, Value b) {
    return code.select(condition, a, b);
  }
  /// The larger, or the smaller, where `x` may be not a number and stays so.
  Value atLeast(float bound, Value x) {
    Value limit = constant(bound);
    return select(make<spirv::FOrdGreaterThanOp>(limit, x), limit, x);
  }
  Value atMost(float bound, Value x) {
    Value limit = constant(bound);
    return select(make<spirv::FOrdLessThanOp>(limit, x), limit, x);
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
    return code.make<Op>(operands...);
  }

private:
  /// `value` as it is computed: no other rounding, and no other order, which
  /// drivers take the liberty of otherwise.
  Value exactly(Value value) {
    value.getDefiningOp()->setAttr("no_contraction", code.getUnitAttr());
    return value;
  }
  Value toBits(Value x) { return make<spirv::BitcastOp>(integerType(), x); }
  Value fromBits(Value x) {
    return make<spirv::BitcastOp>(code.floatType(width), x);
  }
  Type integerType() {
    Type i32 = code.getI32Type();
    return width == 1 ? i32 : VectorType::get(width, i32);
  }
  Value correct(Value estimate, Value error);

  Code &code;
  int64_t width;
};
} // namespace

/// `estimate + error` where that is a small correction, else the estimate: a
/// division by zero, an infinity and a number too small stay what they are.
Value Arithmetic::correct(Value estimate, Value error) {
  Value limit = mul(abs(estimate), constant(0x1p-20f));
  Value isSmall = make<spirv::FOrdLessThanEqualOp>(abs(error), limit);
  return select(isSmall, add(estimate, error), estimate);
}

/// Devices may be off by 2.5 ulp: one step of Newton's method leaves at most 1.
Value Arithmetic::div(Value a, Value b) {
  Value quotient = make<spirv::FDivOp>(a, b);
  Value rest = fma(negate(quotient), b, a);
  return correct(quotient, make<spirv::FDivOp>(rest, b));
}

/// Likewise; twice the root divides the rest.
Value Arithmetic::sqrt(Value x) {
  Value root = make<spirv::GLSqrtOp>(x);
  Value rest = fma(negate(root), root, x);
  return correct(root, make<spirv::FDivOp>(rest, add(root, root)));
}

Value Arithmetic::copySign(Value magnitude, Value sign) {
  constexpr int32_t kSign = std::numeric_limits<int32_t>::min();
  Value bit =
      make<spirv::BitwiseAndOp>(toBits(sign), code.splatInteger(kSign, width));
  Value rest = make<spirv::BitwiseAndOp>(toBits(magnitude),
                                         code.splatInteger(~kSign, width));
  return fromBits(make<spirv::BitwiseOrOp>(rest, bit));
}

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
  Value whole = make<spirv::IAddOp>(toBits(shifted),
                                    code.splatInteger(-0x4b400000, width));
  Value half =
      make<spirv::ShiftRightArithmeticOp>(whole, code.splatInteger(1, width));
  Value rest = make<spirv::ISubOp>(whole, half);
  for (Value power : {half, rest}) {
    Value biased = make<spirv::IAddOp>(power, code.splatInteger(127, width));
    Value bits =
        make<spirv::ShiftLeftLogicalOp>(biased, code.splatInteger(23, width));
    p = mul(p, fromBits(bits));
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
  Value isFar = make<spirv::FOrdGreaterThanOp>(magnitude, constant(0.625f));
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
      make<spirv::FOrdGreaterThanOp>(magnitude, constant(0.927734375f)), far,
      nearZero);
}

/// maximumf or minimumf; what is not a number wins. The sign of a zero is not
/// kept.
template <typename Wins>
static Value emitExtremum(Arithmetic &arithmetic, Value a, Value b) {
  Value extremum = arithmetic.select(arithmetic.make<Wins>(a, b), a, b);
  return arithmetic.select(arithmetic.make<spirv::IsNanOp>(a), a, extremum);
}

/// maxnumf or minnumf; what is a number wins.
template <typename Wins>
static Value emitNumber(Arithmetic &arithmetic, Value a, Value b) {
  Value extremum = arithmetic.select(arithmetic.make<Wins>(a, b), a, b);
  return arithmetic.select(arithmetic.make<spirv::IsNanOp>(b), a, extremum);
}

static Value emitCompare(Arithmetic &a, arith::CmpFPredicate predicate, Value x,
                         Value y) {
  using P = arith::CmpFPredicate;
  switch (predicate) {
  case P::OEQ:
    return a.make<spirv::FOrdEqualOp>(x, y);
  case P::OGT:
    return a.make<spirv::FOrdGreaterThanOp>(x, y);
  case P::OGE:
    return a.make<spirv::FOrdGreaterThanEqualOp>(x, y);
  case P::OLT:
    return a.make<spirv::FOrdLessThanOp>(x, y);
  case P::OLE:
    return a.make<spirv::FOrdLessThanEqualOp>(x, y);
  case P::ONE:
    return a.make<spirv::FOrdNotEqualOp>(x, y);
  case P::UEQ:
    return a.make<spirv::FUnordEqualOp>(x, y);
  case P::UGT:
    return a.make<spirv::FUnordGreaterThanOp>(x, y);
  case P::UGE:
    return a.make<spirv::FUnordGreaterThanEqualOp>(x, y);
  case P::ULT:
    return a.make<spirv::FUnordLessThanOp>(x, y);
  case P::ULE:
    return a.make<spirv::FUnordLessThanEqualOp>(x, y);
  case P::UNE:
    return a.make<spirv::FUnordNotEqualOp>(x, y);
  default:
    return {};
  }
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
        return emitCompare(a, compare.getPredicate(), v[0], v[1]);
      })
      .Case([&](arith::MaximumFOp) {
        return emitExtremum<spirv::FOrdGreaterThanOp>(a, v[0], v[1]);
      })
      .Case([&](arith::MinimumFOp) {
        return emitExtremum<spirv::FOrdLessThanOp>(a, v[0], v[1]);
      })
      .Case([&](arith::MaxNumFOp) {
        return emitNumber<spirv::FOrdGreaterThanOp>(a, v[0], v[1]);
      })
      .Case([&](arith::MinNumFOp) {
        return emitNumber<spirv::FOrdLessThanOp>(a, v[0], v[1]);
      })
      .Case([&](math::FmaOp) { return a.fma(v[0], v[1], v[2]); })
      .Case([&](math::AbsFOp) { return a.abs(v[0]); })
      .Case([&](math::SqrtOp) { return a.sqrt(v[0]); })
      .Case([&](math::ExpOp) { return a.exp(v[0]); })
      .Case([&](math::TanhOp) { return a.tanh(v[0]); })
      .Case([&](math::ErfOp) { return a.erf(v[0]); })
      .Default(Result());
}

namespace {
/// Evaluates the ops of a body in order.
class BodyEvaluator {
public:
  BodyEvaluator(Code &code, int64_t width, function_ref<Value(Value)> getOuter)
      : code(code), arithmetic(code, width), width(width), getOuter(getOuter) {}

  /// All ops of `body` but its terminator and, if given, `except`.
  LogicalResult run(Block &body, ValueRange arguments,
                    Operation *except = nullptr);
  Value get(Value value);

private:
  Code &code;
  Arithmetic arithmetic;
  int64_t width;
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
  return vector = code.broadcast(getOuter(value), width);
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
                              int64_t width,
                              function_ref<Value(Value)> getOuter) {
  BodyEvaluator evaluator(code, width, getOuter);
  if (failed(evaluator.run(body, arguments)))
    return failure();
  return evaluator.get(body.getTerminator()->getOperand(0));
}

FailureOr<Value> accumulateBody(Code &code, Block &body, ValueRange arguments,
                                Value sum, int64_t width,
                                function_ref<Value(Value)> getOuter) {
  BodyEvaluator evaluator(code, width, getOuter);
  Value term = body.getTerminator()->getOperand(0);
  auto product = term.getDefiningOp<arith::MulFOp>();
  if (product && product->getBlock() == &body && product->hasOneUse()) {
    if (failed(evaluator.run(body, arguments, product)))
      return failure();
    // The order of the sum is free.
    Value left = evaluator.get(product.getLhs());
    Value right = evaluator.get(product.getRhs());
    return code.make<spirv::GLFmaOp>(sum.getType(), left, right, sum);
  }
  if (failed(evaluator.run(body, arguments)))
    return failure();
  return code.make<spirv::FAddOp>(sum, evaluator.get(term));
}

} // namespace sparkle::vulkan
