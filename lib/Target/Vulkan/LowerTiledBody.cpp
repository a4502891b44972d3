// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The arithmetic of one element, on scalars or vectors of four.

#include "lib/Target/Vulkan/LowerTiled.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace sparkle::vulkan {

namespace {
/// Arithmetic on scalars or vectors.
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
  /// The bits as floats, or as integers.
  Value bitcast(bool toFloat, Value x) {
    return toFloat ? fromBits(x) : toBits(x);
  }

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
      .Case([&](math::CopySignOp) { return a.copySign(v[0], v[1]); })
      .Case([&](arith::AddIOp) { return a.make<spirv::IAddOp>(v[0], v[1]); })
      .Case([&](arith::SubIOp) { return a.make<spirv::ISubOp>(v[0], v[1]); })
      .Case([&](arith::AndIOp) {
        return a.make<spirv::BitwiseAndOp>(v[0], v[1]);
      })
      .Case([&](arith::ShLIOp) {
        return a.make<spirv::ShiftLeftLogicalOp>(v[0], v[1]);
      })
      .Case([&](arith::ShRSIOp) {
        return a.make<spirv::ShiftRightArithmeticOp>(v[0], v[1]);
      })
      .Case([&](arith::BitcastOp cast) {
        return a.bitcast(isa<FloatType>(cast.getType()), v[0]);
      })
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
  APInt integer;
  if (value.getType().isInteger(32) &&
      matchPattern(value, m_ConstantInt(&integer)))
    return vector = code.splatInteger(
               static_cast<int32_t>(integer.getSExtValue()), width);
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
