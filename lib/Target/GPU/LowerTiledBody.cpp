// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The arithmetic of one element, on scalars or vectors of four.

#include "lib/Target/GPU/LowerTiled.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace sparkle::gpu {

static Value copySign(Code &code, Value magnitude, Value sign, int64_t width) {
  constexpr int32_t kSign = std::numeric_limits<int32_t>::min();
  Type bits = code.integerType(width);
  Value bit = code.integer(Integer::And, code.bitcast(bits, sign),
                           code.splatInteger(kSign, width));
  Value rest = code.integer(Integer::And, code.bitcast(bits, magnitude),
                            code.splatInteger(~kSign, width));
  return code.bitcast(code.floatType(width),
                      code.integer(Integer::Or, rest, bit));
}

using CmpF = arith::CmpFPredicate;

/// maximumf or minimumf; what is not a number wins. The sign of a zero is not
/// kept.
static Value emitExtremum(Code &code, CmpF wins, Value a, Value b) {
  Value extremum = code.select(code.compare(wins, a, b), a, b);
  return code.select(code.isNan(a), a, extremum);
}

/// maxnumf or minnumf; what is a number wins.
static Value emitNumber(Code &code, CmpF wins, Value a, Value b) {
  Value extremum = code.select(code.compare(wins, a, b), a, b);
  return code.select(code.isNan(b), a, extremum);
}

/// On scalars or vectors. Null if there is no such arithmetic.
static Value emitOp(Code &code, Operation &op, ValueRange v, int64_t width) {
  auto floating = [&](Float kind) {
    return code.floating(kind, v[0], v[1], Rounding::Exact);
  };
  auto integer = [&](Integer kind) { return code.integer(kind, v[0], v[1]); };
  using Result = Value;
  return llvm::TypeSwitch<Operation *, Result>(&op)
      .Case([&](arith::AddFOp) { return floating(Float::Add); })
      .Case([&](arith::SubFOp) { return floating(Float::Sub); })
      .Case([&](arith::MulFOp) { return floating(Float::Mul); })
      .Case([&](arith::DivFOp) { return code.divideFloat(v[0], v[1]); })
      .Case([&](arith::NegFOp) { return code.negate(v[0]); })
      .Case([&](arith::SelectOp) { return code.select(v[0], v[1], v[2]); })
      .Case([&](arith::CmpFOp compare) {
        return code.compare(compare.getPredicate(), v[0], v[1]);
      })
      .Case([&](arith::MaximumFOp) {
        return emitExtremum(code, CmpF::OGT, v[0], v[1]);
      })
      .Case([&](arith::MinimumFOp) {
        return emitExtremum(code, CmpF::OLT, v[0], v[1]);
      })
      .Case([&](arith::MaxNumFOp) {
        return emitNumber(code, CmpF::OGT, v[0], v[1]);
      })
      .Case([&](arith::MinNumFOp) {
        return emitNumber(code, CmpF::OLT, v[0], v[1]);
      })
      .Case([&](math::FmaOp) {
        return code.fma(v[0], v[1], v[2], Rounding::Exact);
      })
      .Case([&](math::AbsFOp) { return code.abs(v[0]); })
      .Case([&](math::SqrtOp) { return code.sqrt(v[0]); })
      .Case([&](math::CopySignOp) { return copySign(code, v[0], v[1], width); })
      .Case([&](arith::AddIOp) { return integer(Integer::Add); })
      .Case([&](arith::SubIOp) { return integer(Integer::Sub); })
      .Case([&](arith::AndIOp) { return integer(Integer::And); })
      .Case([&](arith::ShLIOp) { return integer(Integer::ShiftLeft); })
      .Case([&](arith::ShRSIOp) { return integer(Integer::ShiftRightSigned); })
      .Case([&](arith::BitcastOp cast) {
        return code.bitcast(isa<FloatType>(cast.getType())
                                ? code.floatType(width)
                                : code.integerType(width),
                            v[0]);
      })
      .Default(Result());
}

namespace {
/// Evaluates the ops of a body in order.
class BodyEvaluator {
public:
  BodyEvaluator(Code &code, int64_t width, function_ref<Value(Value)> getOuter)
      : code(code), width(width), getOuter(getOuter) {}

  /// All ops of `body` but its terminator and, if given, `except`.
  LogicalResult run(Block &body, ValueRange arguments,
                    Operation *except = nullptr);
  Value get(Value value);

private:
  Code &code;
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
    return vector = code.splat(constant.getValue().convertToFloat(), width);
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
    Value result = emitOp(code, op, operands, width);
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
    return code.fma(left, right, sum, Rounding::Free);
  }
  if (failed(evaluator.run(body, arguments)))
    return failure();
  return code.floating(Float::Add, sum, evaluator.get(term), Rounding::Free);
}

} // namespace sparkle::gpu
