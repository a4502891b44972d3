// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Parts the tiles that read outside of a tensor from the others.
// In: the tiled level.   Out: the same with clamped and cut loops.

#include "lib/Transforms/Bounds.h"
#include "lib/Transforms/Passes.h"

#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/Support/MathExtras.h"

namespace sparkle {
#define GEN_PASS_DEF_SPLITBORDER
#include "lib/Transforms/Passes.h.inc"
} // namespace sparkle

using namespace mlir;
using namespace sparkle;

/// Tiles that are cut off at one end of a loop at most; each is a copy of the
/// loop's body.
static constexpr int64_t kMaxBorderTiles = 8;

/// Terms of an accumulate that covers all taps of a border tile at most: a
/// longer body is slow to compile.
static constexpr int64_t kMaxBorderTerms = 512;

/// Vectors of terms that `op` adds.
static int64_t countTerms(AccumulateOp op) {
  int64_t terms = 1;
  TileType tile = op.getSums().getType();
  for (auto [size, lanes] : llvm::zip(tile.getShape(), tile.getLanes()))
    terms *= llvm::divideCeil(size, lanes);
  for (int64_t size : op.getSlice())
    terms *= size;
  return terms;
}

/// Whether the term of `op` is zero wherever operand `operand` is.
static bool isFactor(AccumulateOp op, unsigned operand) {
  BlockArgument argument = op.getBody().getArgument(operand);
  return vanishes(op.getBody().front().getTerminator()->getOperand(0),
                  [&](Value value) { return value == argument; });
}

/// Calls `body` for each access below `root` that is not proved to be inside,
/// and that finds no zeros there.
static void forEachDoubtful(
    Operation *root,
    llvm::function_ref<void(AccumulateOp, unsigned, unsigned)> body) {
  SmallVector<AccumulateOp> ops;
  root->walk([&](AccumulateOp op) { ops.push_back(op); });
  for (AccumulateOp op : ops)
    for (auto [i, box] : llvm::enumerate(op.getBoxes())) {
      auto stage = box.getDefiningOp<StageOp>();
      if (!stage || holdsZeros(stage))
        continue;
      for (unsigned dim = 0; dim < stage.getOrigin().size(); ++dim)
        if (!isProvedInside(op, i, dim))
          body(op, i, dim);
    }
}

//===----------------------------------------------------------------------===//
// Clamped loops over the sum
//===----------------------------------------------------------------------===//

namespace {
/// A bound of a loop: `numerator ceildiv denominator * factor`.
struct Limit {
  Linear numerator;
  int64_t denominator = 1, factor = 1;
};

/// Makes bounds in front of a loop.
class Bounds {
public:
  explicit Bounds(LoopOp loop) : builder(loop), loop(loop) {}

  Value max(Value bound, ArrayRef<Limit> limits) {
    return make(bound, limits, affine::makeComposedFoldedAffineMax);
  }
  Value min(Value bound, ArrayRef<Limit> limits) {
    return make(bound, limits, affine::makeComposedFoldedAffineMin);
  }

private:
  /// `bound` may be null.
  template <typename Make>
  Value make(Value bound, ArrayRef<Limit> limits, Make fold) {
    SmallVector<AffineExpr> results;
    SmallVector<Value> operands;
    MLIRContext *context = builder.getContext();
    auto add = [&](Value value) {
      operands.push_back(value);
      return getAffineDimExpr(operands.size() - 1, context);
    };
    if (bound)
      results.push_back(add(bound));
    for (const auto &[linear, denominator, factor] : limits) {
      AffineExpr expr = getAffineConstantExpr(linear.getConstant(), context);
      for (Value value : linear.getValues())
        expr = expr + add(value) * linear.getCoefficient(value);
      if (linear.hasSizes()) {
        unsigned count = loop->getParentOfType<KernelOp>().getSizes().size();
        expr = expr + add(ExtentOp::create(
                          builder, loop.getLoc(), builder.getIndexType(),
                          AffineMap::get(0, count, linear.getSizes(context))));
      }
      results.push_back(expr.ceilDiv(denominator) * factor);
    }
    AffineMap map = AffineMap::get(operands.size(), 0, results, context);
    return getValueOrCreateConstantIndexOp(
        builder, loop.getLoc(),
        fold(builder, loop.getLoc(), map,
             getAsOpFoldResult(ValueRange(operands))));
  }

  OpBuilder builder;
  LoopOp loop;
};
} // namespace

/// Whether all accumulates in `loop` read operand `operand` at `access`, so
/// that all of their terms vanish together.
static bool isShared(LoopOp loop, const Access &access, unsigned operand,
                     unsigned dimension) {
  WalkResult result = loop.walk([&](AccumulateOp op) {
    std::optional<Access> other = getAccess(op, operand, dimension);
    auto isSame = [](Linear a, const Linear &b) {
      a.add(b, -1);
      return a.isConstant() && a.getConstant() == 0;
    };
    return other && other->below == access.below &&
                   other->above == access.above &&
                   isSame(other->first, access.first) &&
                   isSame(other->extent, access.extent)
               ? WalkResult::advance()
               : WalkResult::interrupt();
  });
  return !result.wasInterrupted();
}

/// The loop over the sum whose bounds can keep an access inside: its index
/// counts in the access, and nothing else in there moves within it.
static LoopOp getClampableLoop(AccumulateOp op, unsigned operand,
                               unsigned dimension) {
  std::optional<Access> access = getAccess(op, operand, dimension);
  if (!access || access->below || access->above || !isFactor(op, operand))
    return {};
  for (Value at :
       op.getAt().drop_front(op.getSums().getType().getShape().size())) {
    auto argument = dyn_cast<BlockArgument>(at);
    auto loop = argument ? dyn_cast<LoopOp>(argument.getOwner()->getParentOp())
                         : LoopOp();
    if (!loop || loop.getStep() != 1 || loop.getInit().empty() ||
        !access->first.getCoefficient(at))
      continue;
    if (llvm::all_of(access->first.getValues(),
                     [&](Value value) {
                       return value == at ||
                              !loop->isAncestor(
                                  value.getParentBlock()->getParentOp());
                     }) &&
        isShared(loop, *access, operand, dimension))
      return loop;
  }
  return {};
}

/// Clamps `loop` to the steps at which `access`, of one point, is inside.
static void clamp(LoopOp loop, const Access &access) {
  int64_t step = access.first.getCoefficient(loop.getInductionVar());
  // Of rest + step * iv, the first step that is not negative and the first that
  // is not below the extent; downward, these are behind the others.
  Linear low, high = access.extent;
  low.add(access.first.without(loop.getInductionVar()), -1);
  high.add(low);
  if (step < 0) {
    Linear lowest;
    lowest.add(high, -1).add(Linear(1));
    high = Linear(1).add(low, -1);
    low = lowest;
  }
  Bounds bounds(loop);
  loop.getLowerMutable().assign(
      bounds.max(loop.getLower(), {{low, std::abs(step)}}));
  loop.getUpperMutable().assign(
      bounds.min(loop.getUpper(), {{high, std::abs(step)}}));
}

static void clampLoops(WorkersOp workers) {
  forEachDoubtful(workers,
                  [](AccumulateOp op, unsigned operand, unsigned dimension) {
                    // An earlier clamp may have settled it.
                    if (isProvedInside(op, operand, dimension))
                      return;
                    if (LoopOp loop = getClampableLoop(op, operand, dimension))
                      clamp(loop, *getAccess(op, operand, dimension));
                  });
}

//===----------------------------------------------------------------------===//
// Loops over tiles that lie inside or outside as a whole
//===----------------------------------------------------------------------===//

/// A loop over tiles one element thick, of which those outside are zero: where
/// it lies depends on loops around it, which then need not be cut.
static LoopOp getPartableLoop(AccumulateOp op, unsigned operand,
                              unsigned dimension) {
  std::optional<Access> access = getAccess(op, operand, dimension);
  auto loop = dyn_cast<LoopOp>(op->getParentOp());
  if (!loop || loop.getStep() != 1 || !loop.getInit().empty() || !access ||
      access->below || access->above || !isFactor(op, operand) ||
      access->first.getCoefficient(loop.getInductionVar()) <= 0 ||
      access->first.getValues().size() < 2)
    return {};
  return isShared(loop, *access, operand, dimension) ? loop : LoopOp();
}

/// Clamps `loop` likewise. In front of that and behind it, tiles are stored as
/// they begin.
static void part(LoopOp loop, const Access &access) {
  Value lower = loop.getLower(), upper = loop.getUpper();
  clamp(loop, access);
  OpBuilder builder(loop);
  auto addOutside = [&] {
    auto outside = cast<LoopOp>(builder.clone(*loop));
    outside.walk([](AccumulateOp op) {
      op.replaceAllUsesWith(op.getSums());
      op.erase();
    });
    return outside;
  };
  LoopOp front = addOutside();
  front.getLowerMutable().assign(lower);
  front.getUpperMutable().assign(
      Bounds(front).min(upper, {{Linear::get(loop.getLower())}}));
  builder.setInsertionPointAfter(loop);
  LoopOp behind = addOutside();
  behind.getLowerMutable().assign(
      Bounds(behind).max(lower, {{Linear::get(loop.getUpper())}}));
  behind.getUpperMutable().assign(upper);
}

static void partLoops(WorkersOp workers) {
  forEachDoubtful(workers,
                  [](AccumulateOp op, unsigned operand, unsigned dimension) {
                    if (LoopOp loop = getPartableLoop(op, operand, dimension))
                      part(loop, *getAccess(op, operand, dimension));
                  });
}

//===----------------------------------------------------------------------===//
// Cut loops over register tiles
//===----------------------------------------------------------------------===//

/// Of bounds that there are not.
static constexpr int64_t kNone = std::numeric_limits<int64_t>::max();

namespace {
/// Indices of a loop, both included.
struct Interior {
  int64_t first, last;
  /// What the last one is below besides, if only the call knows it.
  SmallVector<Limit> limits;
};
} // namespace

/// The steps of `loop` at which all of its accesses are inside; none if there
/// is nothing to cut.
static std::optional<Interior> getInterior(LoopOp loop) {
  Value iv = loop.getInductionVar();
  Interior interior{-kNone, kNone, {}};
  bool doubtful = false;
  forEachDoubtful(loop, [&](AccumulateOp op, unsigned operand, unsigned dim) {
    std::optional<Access> access = getAccess(op, operand, dim);
    if (!access || access->first.getCoefficient(iv) <= 0)
      return;
    int64_t step = access->first.getCoefficient(iv);
    Linear rest = access->first.without(iv);
    Linear room = access->extent;
    room.add(rest, -1).add(Linear(-1 - access->above));
    std::optional<int64_t> low = rest.add(access->below).getMinimum();
    std::optional<int64_t> high = room.withoutSizes().getMinimum();
    if (!low || !high)
      return;
    doubtful = true;
    interior.first =
        std::max(interior.first, llvm::divideCeilSigned(-*low, step));
    if (!room.hasSizes()) {
      interior.last =
          std::min(interior.last, llvm::divideFloorSigned(*high, step));
      return;
    }
    // At most floor(room / step), which is below ceil((room + 1) / step).
    Linear sizes = room;
    sizes.add(room.withoutSizes(), -1).add(Linear(*high + 1));
    interior.limits.push_back({sizes, step});
  });
  return doubtful ? std::optional(interior) : std::nullopt;
}

/// A copy of `loop`, in front of it, with other bounds. With `at`, the copy
/// runs at most once, at that constant.
static LoopOp copyLoop(LoopOp loop, Value lower, Value upper,
                       std::optional<int64_t> at = std::nullopt) {
  OpBuilder builder(loop);
  auto copy = cast<LoopOp>(builder.clone(*loop));
  copy.getLowerMutable().assign(lower);
  copy.getUpperMutable().assign(upper);
  if (at) {
    builder.setInsertionPointToStart(&copy.getBody().front());
    copy.getInductionVar().replaceAllUsesWith(
        arith::ConstantIndexOp::create(builder, loop.getLoc(), *at));
  }
  return copy;
}

/// The same where only the call knows the last step of the interior. What lies
/// behind it may also lie in front of it, and is checked on both sides.
static SmallVector<LoopOp> cutAtRunTime(LoopOp loop, const Interior &interior) {
  int64_t step = loop.getStep();
  std::optional<int64_t> least =
      Linear::get(loop.getInductionVar()).getMinimum();
  // Steps are multiples of the loop's step.
  if (!least || getDivisor(loop.getLower()) % step)
    return {loop};
  int64_t begin = llvm::divideCeilSigned(*least, step) * step;
  int64_t first = llvm::divideCeilSigned(interior.first, step) * step;
  if ((first - begin) / step > kMaxBorderTiles)
    return {loop};
  SmallVector<Limit> behind(interior.limits), starts;
  if (interior.last != kNone)
    behind.push_back({Linear(interior.last + 1)});
  for (Limit limit : behind)
    starts.push_back({limit.numerator, limit.denominator * step, step});

  SmallVector<LoopOp> parts;
  Bounds bounds(loop);
  for (int64_t at = begin; at < first; at += step) {
    SmallVector<Limit> ends(behind);
    ends.push_back({Linear(at + step)});
    parts.push_back(copyLoop(loop, bounds.max(loop.getLower(), {{Linear(at)}}),
                             bounds.min(loop.getUpper(), ends)));
  }
  parts.push_back(copyLoop(loop, bounds.max(loop.getLower(), {{Linear(first)}}),
                           bounds.min(loop.getUpper(), behind)));
  Value start = bounds.min({}, starts);
  parts.push_back(copyLoop(loop,
                           bounds.max(loop.getLower(), {{Linear::get(start)}}),
                           loop.getUpper()));
  loop.erase();
  return parts;
}

/// Cuts a loop over register tiles into border tiles, interior and border
/// tiles. Gives the loops that took its place; itself if it stays.
static SmallVector<LoopOp> cut(LoopOp loop) {
  std::optional<Interior> interior = getInterior(loop);
  if (interior && !interior->limits.empty())
    return cutAtRunTime(loop, *interior);
  std::optional<int64_t> least =
      Linear::get(loop.getInductionVar()).getMinimum();
  std::optional<int64_t> most =
      Linear::get(loop.getInductionVar()).getMaximum();
  int64_t step = loop.getStep();
  // The steps are known if all of them are multiples of the loop's step.
  bool aligned = getDivisor(loop.getLower()) % step == 0;
  if (!interior || !least || !most)
    return {loop};
  int64_t start = getConstantIntValue(loop.getLower()).value_or(*least);
  if (!aligned && !getConstantIntValue(loop.getLower()))
    return {loop};
  if (aligned)
    start = 0;
  auto roundUp = [&](int64_t at) {
    return start + llvm::divideCeilSigned(at - start, step) * step;
  };
  int64_t begin = roundUp(*least), end = roundUp(*most + 1);
  int64_t first =
      std::clamp(roundUp(std::max(interior->first, *least)), begin, end);
  int64_t last =
      std::clamp(roundUp(std::min(interior->last, *most) + 1), first, end);
  if ((first - begin) / step > kMaxBorderTiles ||
      (end - last) / step > kMaxBorderTiles)
    return {loop};

  SmallVector<LoopOp> parts;
  Bounds bounds(loop);
  auto copy = [&](int64_t from, int64_t to, std::optional<int64_t> at) {
    parts.push_back(copyLoop(loop,
                             bounds.max(loop.getLower(), {{Linear(from)}}),
                             bounds.min(loop.getUpper(), {{Linear(to)}}), at));
  };
  for (int64_t at = begin; at < first; at += step)
    copy(at, at + step, at);
  if (first < last)
    copy(first, last, std::nullopt);
  for (int64_t at = last; at < end; at += step)
    copy(at, at + step, at);
  loop.erase();
  return parts;
}

/// Cuts the loops over register tiles below `root`, from the outermost inward.
static void cutLoops(Block &root) {
  SmallVector<LoopOp> loops(root.getOps<LoopOp>());
  for (LoopOp loop : loops) {
    // Loops that carry sums are loops over the sum: those are clamped.
    bool overTiles =
        loop.getLevel() == Level::Registers && loop.getInit().empty();
    SmallVector<LoopOp> parts =
        overTiles ? cut(loop) : SmallVector<LoopOp>{loop};
    for (LoopOp part : parts)
      cutLoops(part.getBody().front());
  }
}

//===----------------------------------------------------------------------===//
// Whole slices in border tiles
//===----------------------------------------------------------------------===//

/// The loop over the sum on whose index alone it depends whether an access is
/// inside, as in a border tile at constant coordinates.
static LoopOp getDecidingLoop(AccumulateOp op, unsigned operand,
                              unsigned dimension) {
  std::optional<Access> access = getAccess(op, operand, dimension);
  if (!access || !access->extent.isConstant() || access->first.hasSizes())
    return {};
  SmallVector<Value> values = access->first.getValues();
  auto iv = values.size() == 1 ? dyn_cast<BlockArgument>(values.front())
                               : BlockArgument();
  auto loop = iv ? dyn_cast<LoopOp>(iv.getOwner()->getParentOp()) : LoopOp();
  return loop && loop.getInductionVar() == iv && !loop.getInit().empty()
             ? loop
             : LoopOp();
}

/// The dimension of the slice of `op` that `loop` steps along.
static std::optional<unsigned> getSteppedDim(LoopOp loop, AccumulateOp op) {
  unsigned outputs = op.getSums().getType().getShape().size();
  for (auto [i, at] : llvm::enumerate(op.getAt().drop_front(outputs)))
    if (at == loop.getInductionVar() &&
        op.getSlice()[i] == static_cast<int64_t>(loop.getStep()))
      return i;
  return std::nullopt;
}

/// The same of what is prefetched for it.
static std::optional<unsigned> getSteppedDim(LoopOp loop, PrefetchOp op) {
  for (auto [i, at] : llvm::enumerate(op.getAt()))
    if (at == loop.getInductionVar() &&
        op.getShape()[i] == static_cast<int64_t>(loop.getStep()))
      return i;
  return std::nullopt;
}

/// The accumulates of `loop` if their slices can cover all of its steps: its
/// index is only where they stand, and a body of that size is still small.
static SmallVector<AccumulateOp> getWidened(LoopOp loop, int64_t trips) {
  SmallVector<AccumulateOp> ops;
  loop.walk([&](AccumulateOp op) { ops.push_back(op); });
  for (AccumulateOp op : ops) {
    if (trips * countTerms(op) > kMaxBorderTerms || !getSteppedDim(loop, op))
      return {};
  }
  bool isElsewhere =
      llvm::any_of(loop.getInductionVar().getUsers(), [&](Operation *user) {
        if (auto prefetch = dyn_cast<PrefetchOp>(user))
          return !getSteppedDim(loop, prefetch);
        return !isa<AccumulateOp>(user) && !isOpTriviallyDead(user);
      });
  return isElsewhere ? SmallVector<AccumulateOp>() : ops;
}

/// Lets the accumulates of `loop` cover all of its steps at once.
static void widen(LoopOp loop) {
  std::optional<int64_t> lower = getConstantIntValue(loop.getLower());
  std::optional<int64_t> upper = getConstantIntValue(loop.getUpper());
  int64_t step = loop.getStep();
  if (!lower || !upper || *upper <= *lower || (*upper - *lower) % step)
    return;
  SmallVector<AccumulateOp> ops = getWidened(loop, (*upper - *lower) / step);
  if (ops.empty())
    return;
  for (AccumulateOp op : ops) {
    SmallVector<int64_t> slice(op.getSlice());
    slice[*getSteppedDim(loop, op)] = *upper - *lower;
    op.setSlice(slice);
  }
  loop.walk([&](PrefetchOp op) {
    std::optional<unsigned> stepped = getSteppedDim(loop, op);
    if (!stepped)
      return;
    SmallVector<int64_t> shape(op.getShape());
    shape[*stepped] = *upper - *lower;
    op.setShape(shape);
  });
  Block *body = &loop.getBody().front();
  loop.getInductionVar().replaceAllUsesWith(loop.getLower());
  for (auto [inside, before] : llvm::zip(loop.getCarried(), loop.getInit()))
    inside.replaceAllUsesWith(before);
  loop.replaceAllUsesWith(body->getTerminator()->getOperands());
  body->getTerminator()->erase();
  loop->getBlock()->getOperations().splice(loop->getIterator(),
                                           body->getOperations());
  loop.erase();
}

/// In a border tile it depends on the tap which elements are inside. With all
/// taps in one accumulate that is known of each term, and none is checked.
static void widenSlices(WorkersOp workers) {
  llvm::SmallSetVector<LoopOp, 4> loops;
  forEachDoubtful(workers,
                  [&](AccumulateOp op, unsigned operand, unsigned dimension) {
                    if (LoopOp loop = getDecidingLoop(op, operand, dimension))
                      loops.insert(loop);
                  });
  llvm::for_each(loops, widen);
}

namespace {
struct SplitBorder : sparkle::impl::SplitBorderBase<SplitBorder> {
  using Base::Base;

  void runOnOperation() override {
    getOperation().walk([](WorkersOp workers) {
      clampLoops(workers);
      partLoops(workers);
      cutLoops(workers.getBody().front());
      widenSlices(workers);
    });
  }
};
} // namespace
