// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Marks the operands that are never read outside of their tensor, and the
// copies of which nothing else is read.

#include "lib/Transforms/Bounds.h"
#include "lib/Transforms/Passes.h"

namespace sparkle {
#define GEN_PASS_DEF_INFERINSIDE
#include "lib/Transforms/Passes.h.inc"
} // namespace sparkle

using namespace mlir;
using namespace sparkle;

/// Whether it is known of each term that `op` reads of an operand whether it is
/// outside of the tensor: those that are, are left out.
static bool isDecided(AccumulateOp op, unsigned operand) {
  auto stage = op.getBoxes()[operand].getDefiningOp<StageOp>();
  for (unsigned dim = 0; dim < stage.getOrigin().size(); ++dim) {
    std::optional<Access> access = getAccess(op, operand, dim);
    bool isConstant =
        access && access->first.isConstant() && access->extent.isConstant();
    if (!isConstant && !isProvedInside(op, operand, dim))
      return false;
  }
  return true;
}

static bool isReadInside(StageOp stage) {
  return llvm::all_of(stage->getUsers(), [&](Operation *user) {
    auto op = dyn_cast<AccumulateOp>(user);
    if (!op)
      return isa<PrefetchOp>(user);
    for (auto [i, box] : llvm::enumerate(op.getBoxes()))
      if (box == stage.getResult() && !isDecided(op, i))
        return false;
    return true;
  });
}

namespace {
struct InferInside : sparkle::impl::InferInsideBase<InferInside> {
  using Base::Base;

  void runOnOperation() override {
    getOperation().walk([](StageOp stage) {
      if (stage.getRealisation() == Realisation::Copy)
        stage.setInside(!holdsZeros(stage) && isReadInside(stage));
    });
    getOperation().walk([](AccumulateOp op) {
      SmallVector<int64_t> inside;
      for (auto [i, box] : llvm::enumerate(op.getBoxes())) {
        auto stage = box.getDefiningOp<StageOp>();
        // Such a copy holds the zeros: its box covers all that is read.
        bool filled = stage && stage.getRealisation() == Realisation::Copy &&
                      !stage.getInside();
        int64_t mask = 0;
        unsigned rank = cast<BoxType>(box.getType()).getShape().size();
        for (unsigned dim = 0; dim < rank; ++dim)
          if (filled || isProvedInside(op, i, dim))
            mask |= int64_t(1) << dim;
        inside.push_back(mask);
      }
      op.setInside(inside);
    });
  }
};
} // namespace
