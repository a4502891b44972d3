// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Folds and canonicalization, in the order of SparkleOps.td.

#include "dialect/SparkleDialect.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace sparkle;

/// relu and relu6 leave their own range alone: relu(relu(x)) = relu(x).
OpFoldResult ActivateOp::fold(FoldAdaptor) {
  auto inner = getValue().getDefiningOp<ActivateOp>();
  if (!inner)
    return {};
  Function outer = getFunction();
  bool idempotent = outer == Function::Relu || outer == Function::Relu6;
  if (idempotent && inner.getFunction() == outer)
    return inner.getResult();
  // relu6 never gives a negative number.
  if (outer == Function::Relu && inner.getFunction() == Function::Relu6)
    return inner.getResult();
  return {};
}

OpFoldResult ExtentOp::fold(FoldAdaptor) {
  if (auto constant = dyn_cast<AffineConstantExpr>(getMap().getResult(0)))
    return IntegerAttr::get(getType(), constant.getValue());
  return {};
}

/// The trips of a loop if they are known to be none (0) or one.
static std::optional<unsigned> getFewTrips(LoopOp loop) {
  int64_t step = loop.getStep();
  APInt lower, upper;
  if (matchPattern(loop.getLower(), m_ConstantInt(&lower)) &&
      matchPattern(loop.getUpper(), m_ConstantInt(&upper))) {
    int64_t first = lower.getSExtValue(), end = upper.getSExtValue();
    if (first >= end)
      return 0;
    // end - first may exceed 64 bits only for hostile bounds.
    int64_t next;
    if (llvm::AddOverflow<int64_t>(first, step, next) || next >= end)
      return 1;
    return std::nullopt;
  }
  // A loop over no more than one step from where it begins.
  auto end = loop.getUpper().getDefiningOp<affine::AffineApplyOp>();
  if (!end || end.getMapOperands().size() != 1 ||
      end.getMapOperands().front() != loop.getLower())
    return std::nullopt;
  // The lower bound is the map's only dimension, or its only symbol.
  MLIRContext *context = loop.getContext();
  AffineMap map = end.getAffineMap();
  AffineExpr begin = map.getNumDims() ? getAffineDimExpr(0, context)
                                      : getAffineSymbolExpr(0, context);
  AffineExpr behind = map.getResult(0) - begin;
  auto length = dyn_cast<AffineConstantExpr>(behind);
  if (!length || length.getValue() <= 0 || length.getValue() > step)
    return std::nullopt;
  return 1;
}

namespace {
/// A loop that statically runs once is its body; one that runs never is what
/// it carries in.
struct FoldShortLoop : OpRewritePattern<LoopOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(LoopOp loop,
                                PatternRewriter &rewriter) const override {
    std::optional<unsigned> trips = getFewTrips(loop);
    if (!trips)
      return failure();
    if (*trips == 0) {
      rewriter.replaceOp(loop, loop.getInit());
      return success();
    }
    SmallVector<Value> arguments{loop.getLower()};
    llvm::append_range(arguments, loop.getInit());
    Block *body = &loop.getBody().front();
    Operation *yield = body->getTerminator();
    rewriter.inlineBlockBefore(body, loop, arguments);
    SmallVector<Value> results(yield->getOperands());
    rewriter.eraseOp(yield);
    rewriter.replaceOp(loop, results);
    return success();
  }
};
} // namespace

void LoopOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                         MLIRContext *context) {
  patterns.add<FoldShortLoop>(context);
}
