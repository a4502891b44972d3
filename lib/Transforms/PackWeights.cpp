// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Gives each weight the layout in which the tiled loops read it.
// In: defines with resolved patterns.   Out: the same, reading sparkle.pack.

#include "lib/Transforms/JoinDimensions.h"
#include "lib/Transforms/Passes.h"

#include "mlir/IR/Builders.h"
#include "llvm/Support/MathExtras.h"

namespace sparkle {
#define GEN_PASS_DEF_PACKWEIGHTS
#include "lib/Transforms/Passes.h.inc"
} // namespace sparkle

using namespace mlir;
using namespace sparkle;

namespace {
struct PackWeights : sparkle::impl::PackWeightsBase<PackWeights> {
  using Base::Base;

  void runOnOperation() override {
    getOperation().walk([&](TensorOp tensor) {
      if (tensor.getRole() == Role::Weight)
        pack(tensor.getResult());
    });
    getOperation().walk(
        [&](TransformOp transform) { pack(transform.getResult()); });
  }

private:
  void pack(TypedValue<StoredTensorType> weight);
};
} // namespace

/// The only access to `weight` if all its reads are the same and stand in the
/// sum of one equation; null if not.
static ReadOp getOnlyAccess(Value weight) {
  ReadOp only;
  for (Operation *user : weight.getUsers()) {
    auto read = dyn_cast<ReadOp>(user);
    if (!read || !isa<SumOp>(read->getParentOp()))
      return {};
    if (only && (only.getMap() != read.getMap() ||
                 only->getParentOp() != read->getParentOp()))
      return {};
    only = read;
  }
  return only;
}

/// Whether lanes read it by something else than a plain index: neighbours may
/// lie in a row as they are.
static bool isReadAcross(DefineOp define, AffineMap access) {
  PatternAttr pattern = define.getPatternAttr();
  for (unsigned index = 0; index < define.getNumOutputs(); ++index)
    if (pattern.getLanes()[index] > 1 && access.isFunctionOfDim(index) &&
        !access.getResultPosition(getAffineDimExpr(index, define.getContext())))
      return true;
  return false;
}

/// The order in which the loops of `define` walk over the dimensions of a
/// tensor that is read at `access`: blocks of output indices that have a
/// register tile and blocks of near steps outside, the register tile inside.
/// Dimensions along which it is not read by a plain index, as by the remainder
/// of one in a transposed convolution, are not divided. A register tile of
/// several remainders reads all of one where it is at the last index of the sum
/// in it; others stand in front of the steps.
static AffineMap loopOrder(DefineOp define, AffineMap access,
                           ArrayRef<int64_t> shape) {
  PatternAttr pattern = define.getPatternAttr();
  MLIRContext *context = define.getContext();
  SmallVector<AffineExpr> far, near, step, tile;
  SmallVector<AffineExpr> others;
  llvm::SmallDenseMap<int64_t, SmallVector<AffineExpr>> within;
  for (unsigned position = 0; position < shape.size(); ++position) {
    AffineExpr expr = access.getResult(position);
    if (auto index = dyn_cast<AffineDimExpr>(expr);
        index && access.getResultPosition(index) == position)
      continue;
    std::optional<int64_t> last;
    bool inTile = true;
    for (int64_t index : pattern.getOrder().asArrayRef()) {
      if (!expr.isFunctionOfDim(index))
        continue;
      if (index >= define.getNumOutputs())
        last = index;
      else
        inTile &= pattern.getRegisters()[index] > 1;
    }
    (last && inTile ? within[*last] : others)
        .push_back(getAffineDimExpr(position, context));
  }
  auto place = [&](int64_t index) {
    llvm::append_range(step, within[index]);
    std::optional<unsigned> position =
        access.getResultPosition(getAffineDimExpr(index, context));
    if (!position)
      return;
    AffineExpr dim = getAffineDimExpr(*position, context);
    int64_t lanes = pattern.getLanes()[index];
    bool isOutput = index < define.getNumOutputs();
    int64_t block =
        isOutput ? pattern.getRegisters()[index] : pattern.getNear()[index];
    if (isOutput && block > 1) {
      block = llvm::alignTo(block, lanes);
      far.push_back(dim.floorDiv(block));
      // Lanes read neighbours: theirs is the innermost dimension.
      AffineExpr inner = dim % block;
      if (lanes > 1)
        tile.push_back(inner);
      else
        tile.insert(tile.begin(), inner);
    } else if (isOutput) {
      far.push_back(dim);
    } else {
      bool isCut = block > lanes && block < shape[*position];
      if (isCut)
        near.push_back(dim.floorDiv(block));
      AffineExpr each = dim.floorDiv(lanes);
      step.push_back(isCut ? each % (block / lanes) : each);
      if (lanes > 1)
        tile.push_back(dim % lanes);
    }
  };
  for (int64_t index : pattern.getOrder().asArrayRef())
    place(index);
  SmallVector<AffineExpr> results =
      llvm::to_vector(llvm::concat<AffineExpr>(far, others, near, step, tile));
  return AffineMap::get(shape.size(), 0, results, context);
}

void PackWeights::pack(TypedValue<StoredTensorType> weight) {
  ReadOp access = getOnlyAccess(weight);
  if (!access)
    return;
  auto define = access->getParentOfType<DefineOp>();
  StoredTensorType type = weight.getType();
  View view = joinQuotients(type, access.getMap());
  if (isReadAcross(define, view.map))
    return;
  std::optional<AffineMap> layout =
      splitJoined(loopOrder(define, view.map, view.type.getShape()), view);
  if (!layout)
    return;
  auto packed = StoredTensorType::get(type.getContext(), type.getShape(),
                                      type.getElementType(), *layout);
  OpBuilder builder(define);
  auto pack = PackOp::create(builder, weight.getLoc(), packed, weight);
  weight.replaceAllUsesExcept(pack.getResult(), pack);
}
