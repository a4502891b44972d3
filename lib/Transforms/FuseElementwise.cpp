// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Computes what follows element by element where its operand is computed.
// In: defines.   Out: fewer of them, and temps that nothing reads.

#include "lib/Transforms/Passes.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"

namespace sparkle {
#define GEN_PASS_DEF_FUSEELEMENTWISE
#include "lib/Transforms/Passes.h.inc"
} // namespace sparkle

using namespace mlir;
using namespace sparkle;

static ArrayRef<AffineExpr> getLeft(DefineOp define) {
  return define.getExtents().getResults().take_front(define.getNumOutputs());
}

/// The equation of the temp that `define` reads at its own element and nowhere
/// else, and that nothing else reads, of as many elements; null if there is
/// none, or if `define` has a pattern: sizes of a loop of its own.
static DefineOp findProducer(DefineOp define) {
  if (define.getPatternAttr() || define.getSum())
    return {};
  AffineMap identity = AffineMap::getMultiDimIdentityMap(define.getNumOutputs(),
                                                         define.getContext());
  for (ReadOp read : define.getBody().getOps<ReadOp>()) {
    auto temp = read.getTensor().getDefiningOp<TensorOp>();
    // One of 16 bits rounds.
    if (!temp || temp.getRole() != Role::Temp ||
        !temp.getType().getElementType().isF32())
      continue;
    DefineOp producer;
    bool isOnly = true;
    for (Operation *user : temp.getResult().getUsers()) {
      auto other = dyn_cast<ReadOp>(user);
      if (auto equation = dyn_cast<DefineOp>(user))
        producer = equation;
      else
        isOnly &= other && other->getParentOp() == define &&
                  other.getMap() == identity;
    }
    if (isOnly && producer && getLeft(producer) == getLeft(define))
      return producer;
  }
  return {};
}

/// `producer` defines what `define` does, in its place. It keeps its pattern,
/// and the name by which that is asked for.
static void fuse(DefineOp producer, DefineOp define) {
  Value temp = producer.getTarget();
  if (!producer->hasAttr(kEquationAttr))
    producer->setAttr(kEquationAttr,
                      temp.getDefiningOp<TensorOp>().getNameAttr());
  temp.getDefiningOp()->setAttr(kFusedAttr, UnitAttr::get(temp.getContext()));
  Operation *yield = producer.getBody().front().getTerminator();
  Value element = yield->getOperand(0);
  unsigned indices = producer.getIndices().size();
  OpBuilder builder(yield);
  IRMapping mapping;
  for (Operation &op : define.getBody().front().without_terminator()) {
    auto read = dyn_cast<ReadOp>(op);
    if (read && read.getTensor() == temp) {
      mapping.map(read.getResult(), element);
      continue;
    }
    Operation *copy = builder.clone(op, mapping);
    if (read)
      cast<ReadOp>(copy).setMap(AffineMap::get(
          indices, 0, read.getMap().getResults(), define.getContext()));
  }
  Operation *last = define.getBody().front().getTerminator();
  yield->setOperand(0, mapping.lookupOrDefault(last->getOperand(0)));
  producer.getTargetMutable().assign(define.getTarget());
  producer->moveBefore(define);
  define.erase();
}

namespace {
struct FuseElementwise : sparkle::impl::FuseElementwiseBase<FuseElementwise> {
  using Base::Base;

  void runOnOperation() override {
    SmallVector<DefineOp> defines;
    getOperation().walk([&](DefineOp define) { defines.push_back(define); });
    for (DefineOp define : defines)
      while (DefineOp producer = findProducer(define)) {
        fuse(producer, define);
        define = producer;
      }
  }
};
} // namespace
