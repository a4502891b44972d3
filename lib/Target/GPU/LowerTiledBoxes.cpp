// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where staged boxes lie in workgroup memory: with how much room around them,
// once or twice, their rows padded.

#include "lib/Target/GPU/LowerTiled.h"

#include "llvm/Support/MathExtras.h"
#include <set>

using namespace mlir;

namespace sparkle::gpu {

unsigned getInnermost(StageOp op) {
  AffineMap layout = *op.getLayout();
  return layout.getDimPosition(layout.getNumResults() - 1);
}

namespace {
/// How far values lie below the first and above the last of a range.
struct Excess {
  int64_t below = 0, above = 0;
};
} // namespace

/// The same of an expression, given how far each index reaches beyond its own
/// range.
static Excess getExcess(AffineExpr expr, ArrayRef<int64_t> overhangs) {
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return {0, overhangs[dim.getPosition()]};
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary)
    return {};
  Excess left = getExcess(binary.getLHS(), overhangs);
  if (expr.getKind() == AffineExprKind::Add) {
    Excess right = getExcess(binary.getRHS(), overhangs);
    return {left.below + right.below, left.above + right.above};
  }
  int64_t by = cast<AffineConstantExpr>(binary.getRHS()).getValue();
  switch (expr.getKind()) {
  case AffineExprKind::Mul:
    if (by < 0)
      std::swap(left.below, left.above);
    return {left.below * std::abs(by), left.above * std::abs(by)};
  case AffineExprKind::Mod:
    // All remainders, at most.
    if (left.below || left.above)
      return {by - 1, by - 1};
    return {};
  default: // a division
    return {llvm::divideCeilSigned(left.below, by),
            llvm::divideCeilSigned(left.above, by)};
  }
}

/// Room for what lanes without a point of the tile read around the box.
BoxPlan WorkersLowering::planBox(StageOp op) {
  ArrayRef<int64_t> shape = op.getType().getShape();
  BoxPlan plan;
  plan.below.assign(shape.size(), 0);
  plan.above.assign(shape.size(), 0);
  for (OpOperand &use : op.getResult().getUses()) {
    auto sum = dyn_cast<AccumulateOp>(use.getOwner());
    if (!sum)
      continue;
    const TilePoints &tile = getPoints(sum.getType());
    SmallVector<int64_t> overhangs(sum.getAt().size(), 0);
    for (unsigned i = 0; i < tile.counts.size(); ++i)
      overhangs[i] = tile.getOverhang(i);
    for (auto [box, map] : llvm::zip(
             sum.getBoxes(), sum.getMaps().getAsValueRange<AffineMapAttr>())) {
      if (box != op.getResult())
        continue;
      for (auto [dim, expr] : llvm::enumerate(map.getResults())) {
        Excess excess = getExcess(expr, overhangs);
        plan.below[dim] = std::max(plan.below[dim], excess.below);
        plan.above[dim] = std::max(plan.above[dim], excess.above);
      }
    }
  }
  unsigned innermost = getInnermost(op);
  plan.inQuads = shape[innermost] >= kQuad;
  if (plan.inQuads)
    plan.below[innermost] = llvm::alignTo(plan.below[innermost], kQuad);
  return plan;
}

/// Elements from one coordinate to the next along each dimension of a box, and
/// in `plan` its size.
static SmallVector<int64_t> getStrides(StageOp op, BoxPlan &plan) {
  AffineMap layout = *op.getLayout();
  SmallVector<int64_t> strides(layout.getNumResults());
  int64_t count = 1;
  for (unsigned level = layout.getNumResults(); level-- > 0;) {
    unsigned dim = layout.getDimPosition(level);
    strides[level] = count;
    count *= op.getType().getShape()[dim] + plan.below[dim] + plan.above[dim];
    if (level + 1 == layout.getNumResults() && plan.inQuads)
      count = llvm::alignTo(count, kQuad);
    if (level + 1 == layout.getNumResults())
      count += plan.padding;
  }
  plan.size = llvm::alignTo(count, kQuad);
  return strides;
}

/// How often the first lanes, reading their first elements of a box together,
/// wait for each other: a bank gives one address at a time. Of 32 banks, four
/// serve a quad, so that eight lanes read at once.
int64_t WorkersLowering::countConflicts(StageOp op, const BoxPlan &plan) {
  constexpr int64_t kBanks = 32;
  BoxPlan padded = plan;
  SmallVector<int64_t> strides = getStrides(op, padded);
  int64_t unit = plan.inQuads ? kQuad : 1, conflicts = 0;
  int64_t phase = kBanks / unit;
  for (OpOperand &use : op.getResult().getUses()) {
    auto sum = dyn_cast<AccumulateOp>(use.getOwner());
    if (!sum)
      continue;
    const TilePoints &tile = getPoints(sum.getType());
    unsigned operand =
        use.getOperandNumber() - sum.getBoxes().getBeginOperandIndex();
    auto map = cast<AffineMapAttr>(sum.getMaps()[operand]).getValue();
    std::map<int64_t, std::set<int64_t>> banks;
    for (int64_t lane = 0; lane < std::min(phase, tile.laneCount); ++lane) {
      SmallVector<int64_t> at(map.getNumDims(), 0);
      int64_t rest = lane;
      for (unsigned dim : tile.order) {
        int64_t lanes = tile.type.getLanes()[dim];
        at[dim] = rest % lanes * tile.groups[dim];
        rest /= lanes;
      }
      SmallVector<int64_t> point = map.compose(at);
      int64_t offset = 0;
      for (auto [level, stride] : llvm::enumerate(strides))
        offset += point[op.getLayout()->getDimPosition(level)] * stride;
      int64_t address = llvm::divideFloorSigned(offset, unit);
      banks[llvm::mod(address, phase)].insert(address);
    }
    for (auto &[bank, addresses] : banks)
      conflicts = std::max<int64_t>(conflicts, addresses.size());
  }
  return conflicts;
}

/// Pads the rows of boxes where that lets lanes read together, as long as
/// there is room.
void WorkersLowering::padRows(ArrayRef<StageOp> stages) {
  for (StageOp op : stages) {
    BoxPlan &plan = plans[op], padded = plan;
    padded.padding = plan.inQuads ? kQuad : 1;
    (void)getStrides(op, padded);
    int64_t more = (padded.size - plan.size) * int64_t(sizeof(float)) *
                   (plan.isDouble ? 2 : 1);
    if (localBytes + more > target.getNearBytes() ||
        countConflicts(op, padded) >= countConflicts(op, plan))
      continue;
    localBytes += more;
    plan = padded;
  }
}

LogicalResult WorkersLowering::planBoxes() {
  SmallVector<StageOp> stages;
  workers.walk([&](StageOp op) {
    if (op.getRealisation() == Realisation::InPlace)
      return;
    stages.push_back(op);
    plans[op] = planBox(op);
  });
  workers.walk([&](LoopOp op) {
    if (std::optional<NearNest> nest = matchNest(op))
      for (StageOp stage : nest->stages)
        plans[stage].isDouble = stage.getRealisation() == Realisation::Copy;
  });
  auto count = [&] {
    localBytes = 0;
    for (StageOp op : stages) {
      BoxPlan &plan = plans[op];
      (void)getStrides(op, plan);
      localBytes +=
          plan.size * int64_t(sizeof(float)) * (plan.isDouble ? 2 : 1);
    }
    return localBytes <= target.getNearBytes();
  };
  if (!count())
    for (StageOp op : stages)
      plans[op].isDouble = false;
  if (!count())
    return workers.emitError("expected staged boxes of at most ")
           << target.getNearBytes() << " bytes of workgroup memory, but got "
           << localBytes << " - use smaller 'workers' or 'near' sizes";
  padRows(stages);
  for (StageOp op : stages) {
    BoxPlan &plan = plans[op];
    arrays[op] = image.addArray(plan.inQuads ? kQuad : 1,
                                plan.size * (plan.isDouble ? 2 : 1));
  }
  return success();
}

/// The memory of a staged box that stands at the op's origin now.
Memory WorkersLowering::describe(StageOp op) {
  if (op.getRealisation() == Realisation::InPlace)
    return memories[op.getTensor()];
  BoxPlan &plan = plans[op];
  Memory memory;
  memory.array = arrays[op];
  memory.elementType = code.getF32Type();
  memory.layout = *op.getLayout();
  memory.origin = indices.getPoint(op.getOrigin());
  for (auto [origin, below] : llvm::zip(memory.origin, plan.below))
    origin = origin - below;
  memory.extents = memories[op.getTensor()].extents;
  for (int64_t stride : getStrides(op, plan))
    memory.strides.emplace_back(stride, Value());
  memory.inQuads = plan.inQuads;
  memory.zeroFilled = op.getRealisation() == Realisation::Copy;
  if (!memory.zeroFilled) {
    memory.first = indices.getPoint(op.getOrigin());
    llvm::append_range(memory.room, op.getType().getShape());
  }
  return memory;
}

} // namespace sparkle::gpu
