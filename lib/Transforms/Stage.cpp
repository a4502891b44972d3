// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Copies the boxes that the pattern stages into near memory, and prefetches.
// In: boxes in place, with the pattern on the workers.   Out: copies.

#include "lib/Transforms/Passes.h"

#include "mlir/IR/Builders.h"
#include "llvm/Support/MathExtras.h"

namespace sparkle {
#define GEN_PASS_DEF_STAGE
#include "lib/Transforms/Passes.h.inc"
} // namespace sparkle

using namespace mlir;
using namespace sparkle;

/// The declaration behind a tensor, through its packing.
static TensorOp getDeclaration(Value tensor) {
  if (auto pack = tensor.getDefiningOp<PackOp>())
    return pack.getWeight();
  return tensor.getDefiningOp<TensorOp>();
}

static bool lists(ArrayAttr names, StringRef name) {
  return names && llvm::any_of(names, [&](Attribute attr) {
           return cast<StringAttr>(attr).getValue() == name;
         });
}

/// The pattern of the equation that reads a box: its own where the equation is
/// computed within that of the worker.
static PatternAttr getPattern(StageOp stage, PatternAttr ofWorker) {
  auto own = stage->getAttrOfType<PatternAttr>(kPatternAttr);
  return own ? own : ofWorker;
}

/// Bytes of a box; saturates.
static int64_t getBytes(BoxType box) {
  int64_t bytes = box.getElementType().getIntOrFloatBitWidth() / 8;
  for (int64_t extent : box.getShape())
    if (llvm::MulOverflow(bytes, extent, bytes))
      return std::numeric_limits<int64_t>::max();
  return bytes;
}

/// The first op behind `stage` that needs what is copied.
static Operation *getReader(StageOp stage) {
  Operation *op = stage;
  while (op && (isa<StageOp>(op) || isMemoryEffectFree(op)))
    op = op->getNextNode();
  return op;
}

namespace {
struct Stage : sparkle::impl::StageBase<Stage> {
  using Base::Base;

  void runOnOperation() override {
    auto target = getOperation()->getAttrOfType<TargetAttr>(kTargetAttr);
    getOperation().walk([&](WorkersOp workers) {
      auto pattern = workers->getAttrOfType<PatternAttr>(kPatternAttr);
      if (!pattern)
        return;
      if (failed(copyBoxes(workers, pattern, target)))
        signalPassFailure();
      prefetchBoxes(workers, pattern);
      workers->removeAttr(kPatternAttr);
      workers.walk([](StageOp stage) { stage->removeAttr(kPatternAttr); });
    });
  }

private:
  LogicalResult copyBoxes(WorkersOp workers, PatternAttr pattern,
                          TargetAttr target);
  void prefetchBoxes(WorkersOp workers, PatternAttr pattern);
  void prefetchNext(WorkersOp workers, PatternAttr pattern, AccumulateOp op,
                    unsigned number);
};
} // namespace

LogicalResult Stage::copyBoxes(WorkersOp workers, PatternAttr pattern,
                               TargetAttr target) {
  // Copies of the same near step: those of one block. Some are read before
  // others begin, where an equation is computed within another one.
  llvm::MapVector<Block *, SmallVector<StageOp>> copies;
  llvm::SetVector<Block *> refilled;
  workers.walk([&](StageOp stage) {
    if (stage.getRealisation() == Realisation::Compute &&
        isa<LoopOp>(stage->getParentOp()))
      refilled.insert(stage->getBlock());
    TensorOp tensor = getDeclaration(stage.getTensor());
    if (stage.getRealisation() == Realisation::InPlace && tensor &&
        lists(getPattern(stage, pattern).getStage(), tensor.getName()))
      copies[stage->getBlock()].push_back(stage);
  });
  // What is computed near stays there while boxes come and go.
  int64_t computed = 0;
  workers.walk([&](StageOp stage) {
    if (stage.getRealisation() == Realisation::Compute &&
        llvm::AddOverflow(computed, getBytes(stage.getType()), computed))
      computed = std::numeric_limits<int64_t>::max();
  });
  if (target && computed > target.getTempBytes())
    return workers.emitError("expected temps of at most ")
           << target.getTempBytes() << " bytes for each worker, but got "
           << computed << " bytes - use smaller 'workers' or 'near' sizes";
  for (auto &[block, stages] : copies) {
    int64_t bytes = computed;
    for (StageOp stage : stages) {
      StringRef name = getDeclaration(stage.getTensor()).getName();
      BoxType box = stage.getType();
      stage.getResult().setType(
          BoxType::get(box.getContext(), box.getShape(),
                       getScalarType(box.getElementType())));
      if (llvm::AddOverflow(bytes, getBytes(stage.getType()), bytes))
        bytes = std::numeric_limits<int64_t>::max();
      stage.setRealisation(Realisation::Copy);
      stage.setLayout(stage.getTensor().getType().getNearLayout());
      stage.setOverlap(lists(getPattern(stage, pattern).getOverlap(), name));
    }
    if (target && bytes > target.getNearBytes())
      return workers.emitError("expected staged boxes of at most ")
             << target.getNearBytes() << " bytes of near memory, but got "
             << bytes << " bytes - use smaller 'workers' or 'near' sizes";
    OpBuilder builder(stages.back());
    for (auto [i, stage] : llvm::enumerate(stages)) {
      if (i + 1 < stages.size() && getReader(stage) == getReader(stages[i + 1]))
        continue;
      builder.setInsertionPointAfter(stage);
      BarrierOp::create(builder, workers.getLoc());
    }
    refilled.insert(block);
  }
  // Nobody reads what the next step overwrites.
  for (Block *block : refilled) {
    OpBuilder builder(block->getTerminator());
    BarrierOp::create(builder, workers.getLoc());
  }
  return success();
}

/// The parts of an index that a tile of `workers` is divided into.
static int64_t countTiles(PatternAttr pattern, unsigned index) {
  return llvm::divideCeil(pattern.getWorkers()[index],
                          pattern.getRegisters()[index]);
}

/// Prefetches, ahead of an accumulate, a part of what it will read at the next
/// step of the innermost loop that comes to other elements of the box. The
/// loops in between come to the same ones again: each of their passes brings
/// its part.
void Stage::prefetchNext(WorkersOp workers, PatternAttr pattern,
                         AccumulateOp op, unsigned number) {
  AffineMap map = cast<AffineMapAttr>(op.getMaps()[number]).getValue();
  SmallVector<Value> at(op.getAt());
  OpBuilder builder(op);
  AffineExpr part = builder.getAffineConstantExpr(0);
  SmallVector<Value> dims;
  int64_t parts = 1;
  auto loop = dyn_cast<LoopOp>(op->getParentOp());
  for (; loop; loop = dyn_cast<LoopOp>(loop->getParentOp())) {
    auto moved = llvm::find(at, loop.getInductionVar());
    unsigned index = moved - at.begin();
    if (moved == at.end())
      return;
    if (!map.isFunctionOfDim(index)) {
      if (index >= pattern.getWorkers().size() ||
          index >= workers.getSteps().size())
        return;
      AffineExpr first = builder.getAffineDimExpr(dims.size() + 1);
      AffineExpr pass = (builder.getAffineDimExpr(dims.size()) - first)
                            .floorDiv(pattern.getRegisters()[index]);
      part = part + pass * parts;
      parts *= countTiles(pattern, index);
      dims.append({*moved, workers.getBody().front().getArgument(index)});
    } else if (!dims.empty()) {
      break;
    }
  }
  if (!loop)
    return;
  auto moved = llvm::find(at, loop.getInductionVar());
  *moved = affine::AffineApplyOp::create(
      builder, op.getLoc(),
      builder.getAffineDimExpr(0) + static_cast<int64_t>(loop.getStep()),
      *moved);
  Value pass = affine::AffineApplyOp::create(
      builder, op.getLoc(), AffineMap::get(dims.size(), 0, part), dims);
  SmallVector<int64_t> shape(op.getSums().getType().getShape());
  llvm::append_range(shape, op.getSlice());
  PrefetchOp::create(builder, op.getLoc(), op.getBoxes()[number], at, shape,
                     map, pass, builder.getI64IntegerAttr(parts));
}

/// Prefetches, ahead of each accumulate, what the same accumulate reads some
/// steps of the innermost loop around it later.
void Stage::prefetchBoxes(WorkersOp workers, PatternAttr pattern) {
  workers.walk([&](AccumulateOp op) {
    auto loop = dyn_cast<LoopOp>(op->getParentOp());
    if (!loop)
      return;
    OpBuilder builder(op);
    for (auto [i, box] : llvm::enumerate(op.getBoxes())) {
      auto stage = box.getDefiningOp<StageOp>();
      TensorOp tensor = stage ? getDeclaration(stage.getTensor()) : TensorOp();
      DictionaryAttr prefetch =
          tensor ? getPattern(stage, pattern).getPrefetch() : DictionaryAttr();
      auto steps = prefetch ? prefetch.getAs<IntegerAttr>(tensor.getName())
                            : IntegerAttr();
      if (!steps)
        continue;
      if (steps.getInt() == kAll) {
        if (!stage->hasAttr(kPatternAttr))
          prefetchNext(workers, pattern, op, i);
        continue;
      }
      int64_t ahead = steps.getInt() * static_cast<int64_t>(loop.getStep());
      SmallVector<Value> at(op.getAt());
      auto moved = llvm::find(at, loop.getInductionVar());
      if (moved == at.end())
        continue;
      *moved = affine::AffineApplyOp::create(
          builder, op.getLoc(), builder.getAffineDimExpr(0) + ahead, *moved);
      SmallVector<int64_t> shape(op.getSums().getType().getShape());
      llvm::append_range(shape, op.getSlice());
      PrefetchOp::create(builder, op.getLoc(), box, at, shape,
                         cast<AffineMapAttr>(op.getMaps()[i]).getValue(),
                         Value(), IntegerAttr());
    }
  });
}
