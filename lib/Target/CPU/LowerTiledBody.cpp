// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The arithmetic of one element, on whole vectors.

#include "lib/Target/CPU/LowerTiled.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace sparkle::cpu {

namespace {
/// Vector arithmetic.
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
  /// The bits of a vector as another type of elements.
  Value bitcast(Type element, Value x) {
    return make<LLVM::BitcastOp>(VectorType::get(lanes, element), x);
  }

  template <typename Op, typename... Operands>
  Value make(Operands... operands) {
    return Op::create(code, code.loc, operands...);
  }

private:
  Code &code;
  int64_t lanes;
};
} // namespace

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
      .Case([&](math::CopySignOp) { return a.copySign(v[0], v[1]); })
      .Case([&](arith::AddIOp) { return a.make<LLVM::AddOp>(v[0], v[1]); })
      .Case([&](arith::SubIOp) { return a.make<LLVM::SubOp>(v[0], v[1]); })
      .Case([&](arith::AndIOp) { return a.make<LLVM::AndOp>(v[0], v[1]); })
      .Case([&](arith::ShLIOp) { return a.make<LLVM::ShlOp>(v[0], v[1]); })
      .Case([&](arith::ShRSIOp) { return a.make<LLVM::AShrOp>(v[0], v[1]); })
      .Case([&](arith::BitcastOp cast) {
        return a.bitcast(cast.getType(), v[0]);
      })
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
  APInt integer;
  if (value.getType().isInteger(32) &&
      matchPattern(value, m_ConstantInt(&integer)))
    return vector = code.splatInteger(
               static_cast<int32_t>(integer.getSExtValue()), lanes);
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
