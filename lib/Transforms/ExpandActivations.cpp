// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Writes sparkle.activate as arith and math ops on one element.

#include "lib/Transforms/Passes.h"

#include "mlir/IR/Builders.h"
#include "llvm/Support/MathExtras.h"

namespace sparkle {
#define GEN_PASS_DEF_EXPANDACTIVATIONS
#include "lib/Transforms/Passes.h.inc"
} // namespace sparkle

using namespace mlir;
using namespace sparkle;

namespace {
/// Builds the arithmetic of one activation.
struct Expander {
  OpBuilder builder;
  Location loc;
  Type type;

  Value constant(double value) {
    return arith::ConstantOp::create(builder, loc,
                                     builder.getFloatAttr(type, value));
  }
  Value add(Value a, Value b) {
    return arith::AddFOp::create(builder, loc, a, b);
  }
  Value mul(Value a, Value b) {
    return arith::MulFOp::create(builder, loc, a, b);
  }
  /// max(x, bound), or min; x where it is not a number. As compare and select,
  /// one instruction on x86 (maxps gives its second operand for a NaN).
  Value clampTo(arith::CmpFPredicate boundWins, double bound, Value x) {
    Value limit = constant(bound);
    Value wins = arith::CmpFOp::create(builder, loc, boundWins, limit, x);
    return arith::SelectOp::create(builder, loc, wins, limit, x);
  }
  Value atLeast(double bound, Value x) {
    return clampTo(arith::CmpFPredicate::OGT, bound, x);
  }
  Value atMost(double bound, Value x) {
    return clampTo(arith::CmpFPredicate::OLT, bound, x);
  }
  /// 1 + exp(-x)
  Value logisticDenominator(Value x) {
    Value negated = arith::NegFOp::create(builder, loc, x);
    return add(constant(1), math::ExpOp::create(builder, loc, negated));
  }

  Value expand(Function function, Value x) {
    switch (function) {
    case Function::Relu:
      return atLeast(0, x);
    case Function::Relu6:
      return atMost(6, atLeast(0, x));
    case Function::Sigmoid:
      return arith::DivFOp::create(builder, loc, constant(1),
                                   logisticDenominator(x));
    case Function::Tanh:
      return math::TanhOp::create(builder, loc, x);
    case Function::Silu:
      return arith::DivFOp::create(builder, loc, x, logisticDenominator(x));
    case Function::Gelu: {
      Value scaled = mul(x, constant(1 / llvm::numbers::sqrt2));
      Value phi = add(constant(1), math::ErfOp::create(builder, loc, scaled));
      return mul(mul(constant(0.5), x), phi);
    }
    case Function::Hswish: {
      Value gate = atMost(6, atLeast(0, add(x, constant(3))));
      return mul(x, mul(gate, constant(1.0 / 6)));
    }
    }
    llvm_unreachable("every function is listed");
  }
};

struct ExpandActivations
    : sparkle::impl::ExpandActivationsBase<ExpandActivations> {
  using Base::Base;

  void runOnOperation() override {
    getOperation().walk([](ActivateOp op) {
      Expander expander{OpBuilder(op), op.getLoc(), op.getType()};
      op.replaceAllUsesWith(expander.expand(op.getFunction(), op.getValue()));
      op.erase();
    });
  }
};
} // namespace
