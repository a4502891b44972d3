// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Marks the operands that are never read outside of their tensor.

#include "lib/Transforms/Bounds.h"
#include "lib/Transforms/Passes.h"

namespace sparkle {
#define GEN_PASS_DEF_INFERINSIDE
#include "lib/Transforms/Passes.h.inc"
} // namespace sparkle

using namespace mlir;
using namespace sparkle;

namespace {
struct InferInside : sparkle::impl::InferInsideBase<InferInside> {
  using Base::Base;

  void runOnOperation() override {
    getOperation().walk([](AccumulateOp op) {
      SmallVector<int64_t> inside;
      for (auto [i, box] : llvm::enumerate(op.getBoxes())) {
        auto stage = box.getDefiningOp<StageOp>();
        // A copy holds the zeros: its box covers all that is read.
        bool copied = stage && stage.getRealisation() == Realisation::Copy;
        int64_t mask = 0;
        unsigned rank = cast<BoxType>(box.getType()).getShape().size();
        for (unsigned dim = 0; dim < rank; ++dim)
          if (copied || isProvedInside(op, i, dim))
            mask |= int64_t(1) << dim;
        inside.push_back(mask);
      }
      op.setInside(inside);
    });
  }
};
} // namespace
