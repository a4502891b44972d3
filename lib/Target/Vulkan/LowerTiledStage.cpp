// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Boxes in workgroup memory: how they lie there, how all invocations copy them
// together, and copies that run one step ahead of the sums.

#include "lib/Target/Vulkan/LowerTiled.h"

#include "mlir/Analysis/FlatLinearValueConstraints.h"
#include "llvm/Support/MathExtras.h"
#include <set>

using namespace mlir;

namespace sparkle::vulkan {

/// Elements that one invocation holds of one box between load and store; what
/// is more is copied in a loop.
static constexpr int64_t kMostInFlight = 16;

//===----------------------------------------------------------------------===//
// Where boxes lie
//===----------------------------------------------------------------------===//

/// The dimension of a box that is innermost in workgroup memory.
static unsigned getInnermost(StageOp op) {
  AffineMap layout = *op.getLayout();
  return layout.getDimPosition(layout.getNumResults() - 1);
}

/// Room for what lanes without a point of the tile read around the box.
FailureOr<BoxPlan> WorkersLowering::planBox(StageOp op) {
  ArrayRef<int64_t> shape = op.getType().getShape();
  BoxPlan plan;
  plan.below.assign(shape.size(), 0);
  plan.above.assign(shape.size(), 0);
  for (OpOperand &use : op.getResult().getUses()) {
    auto sum = dyn_cast<AccumulateOp>(use.getOwner());
    if (!sum)
      continue;
    const TilePoints &tile = getPoints(sum.getType());
    for (auto [box, map] : llvm::zip(
             sum.getBoxes(), sum.getMaps().getAsValueRange<AffineMapAttr>())) {
      if (box != op.getResult())
        continue;
      for (auto [dim, expr] : llvm::enumerate(map.getResults())) {
        SmallVector<int64_t> coefficients;
        unsigned rank = map.getNumDims();
        bool isLinear =
            succeeded(getFlattenedAffineExpr(expr, rank, 0, &coefficients)) &&
            coefficients.size() == rank + 1;
        int64_t below = 0, above = 0;
        for (unsigned i = 0; i < tile.counts.size(); ++i) {
          int64_t overhang = tile.getOverhang(i);
          if (!overhang || !expr.isFunctionOfDim(i))
            continue;
          if (!isLinear)
            return sum.emitError("expected a linear map where lanes reach "
                                 "beyond a tile, but got ")
                   << AffineMapAttr::get(map);
          int64_t reach = coefficients[i] * overhang;
          (reach < 0 ? below : above) += std::abs(reach);
        }
        plan.below[dim] = std::max(plan.below[dim], below);
        plan.above[dim] = std::max(plan.above[dim], above);
      }
    }
  }
  unsigned innermost = getInnermost(op);
  plan.inQuads = shape[innermost] >= kQuad;
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
    if (level + 1 == layout.getNumResults())
      count = llvm::alignTo(count, kQuad) + plan.padding;
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
    for (int64_t lane = 0; lane < std::min(phase, invocations); ++lane) {
      SmallVector<int64_t> at(map.getNumDims(), 0);
      int64_t rest = lane;
      for (unsigned dim : order) {
        at[dim] = rest % lanes[dim] * tile.groups[dim];
        rest /= lanes[dim];
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
  WalkResult walked = workers.walk([&](StageOp op) {
    if (op.getRealisation() != Realisation::Copy)
      return WalkResult::advance();
    stages.push_back(op);
    FailureOr<BoxPlan> plan = planBox(op);
    if (succeeded(plan))
      plans[op] = *plan;
    return WalkResult(LogicalResult(plan));
  });
  if (walked.wasInterrupted())
    return failure();
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
    arrays[op] = image.addArray(code.getF32Type(), plan.inQuads ? kQuad : 1,
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
  memory.origin = getPoint(op.getOrigin());
  for (auto [origin, below] : llvm::zip(memory.origin, plan.below))
    origin = origin - below;
  memory.extents = memories[op.getTensor()].extents;
  for (int64_t stride : getStrides(op, plan))
    memory.strides.emplace_back(stride, Value());
  memory.inQuads = plan.inQuads;
  memory.zeroFilled = true;
  return memory;
}

//===----------------------------------------------------------------------===//
// Copies
//===----------------------------------------------------------------------===//

/// One box on its way from a buffer to workgroup memory. The box is cut into
/// chunks of one or four elements; invocation `i` of `n` takes the chunks i,
/// i + n, ...
class WorkersLowering::Copy {
public:
  Copy(WorkersLowering &lowering, StageOp op)
      : lowering(lowering), code(lowering.code), op(op),
        layout(*op.getLayout()), shape(op.getType().getShape()) {}

  /// Chunks for each invocation, at most.
  int64_t getCount() const { return getCount(width); }
  int64_t getCount(int64_t width) const {
    return llvm::divideCeil(countChunks(width), lowering.invocations);
  }
  /// This invocation's part of the box at the op's origin.
  Code::Values load();
  void store(ValueRange values, const Memory &to);
  void copyInLoop(const Memory &to);

private:
  int64_t countChunks(int64_t width) const {
    int64_t count = 1;
    for (int64_t extent : shape)
      count *= extent;
    return count / width;
  }
  Linear getChunk(int64_t number) {
    return lowering.invocation + number * lowering.invocations;
  }
  Point locate(Linear chunk, int64_t width);
  std::optional<Access> resolve(const Linear &chunk, int64_t width);
  bool isWhole(int64_t number) const {
    return (number + 1) * lowering.invocations <= countChunks(width);
  }
  Access getTarget(const Memory &to, const Linear &chunk);

  WorkersLowering &lowering;
  Code &code;
  StageOp op;
  AffineMap layout;
  ArrayRef<int64_t> shape;
  /// Elements of a chunk.
  int64_t width = 1;
};

/// The coordinates within the box of a chunk's first element.
Point WorkersLowering::Copy::locate(Linear chunk, int64_t width) {
  Point local(shape.size());
  unsigned outermost = 0, rank = shape.size();
  while (outermost + 1 < rank && shape[layout.getDimPosition(outermost)] == 1)
    ++outermost;
  for (unsigned level = rank; level-- > outermost;) {
    unsigned dim = layout.getDimPosition(level);
    int64_t scale = level + 1 == rank ? width : 1;
    int64_t count = shape[dim] / scale;
    if (level == outermost) {
      local[dim] = chunk * scale;
      continue;
    }
    local[dim] = lowering.indices.mod(chunk, count) * scale;
    chunk = lowering.indices.floorDiv(chunk, count);
  }
  return local;
}

/// Where a chunk lies in the buffer; none if its elements are no neighbours
/// there, or not inside together.
std::optional<Access> WorkersLowering::Copy::resolve(const Linear &chunk,
                                                     int64_t width) {
  const Memory &from = lowering.memories[op.getTensor()];
  Point first = locate(chunk, width),
        origin = lowering.getPoint(op.getOrigin());
  uint64_t inside = 0;
  for (unsigned dim = 0; dim < shape.size(); ++dim) {
    first[dim] = first[dim] + origin[dim];
    // Of the box as a whole: a chunk behind the last has a guard of its own.
    Linear room = from.extents[dim] - origin[dim] - shape[dim];
    if (lowering.indices.isNonNegative(origin[dim]) &&
        lowering.indices.isNonNegative(room))
      inside |= uint64_t(1) << dim;
  }
  SmallVector<Access> accesses;
  unsigned innermost = getInnermost(op);
  for (int64_t i = 0; i < width; ++i) {
    accesses.push_back(lowering.resolve(from, first, inside));
    first[innermost] = first[innermost] + 1;
  }
  if (width == 1)
    return accesses.front();
  if (llvm::all_of(accesses, [](auto &access) { return access.isAbsent; }))
    return accesses.front();
  return lowering.join(accesses);
}

Code::Values WorkersLowering::Copy::load() {
  SmallVector<Access> accesses;
  bool mayBeQuads =
      lowering.plans[op].inQuads && shape[getInnermost(op)] % kQuad == 0;
  for (int64_t tried : {kQuad, int64_t(1)}) {
    if (tried == kQuad && !mayBeQuads)
      continue;
    width = tried;
    accesses.clear();
    for (int64_t i = 0; i < getCount(width); ++i)
      if (std::optional<Access> access = resolve(getChunk(i), width))
        accesses.push_back(*access);
    if (static_cast<int64_t>(accesses.size()) == getCount(width))
      break;
  }
  const Memory &from = lowering.memories[op.getTensor()];
  Code::Values values;
  for (auto [i, access] : llvm::enumerate(accesses)) {
    if (!isWhole(i) && !access.isAbsent)
      lowering.require(access, getChunk(i), countChunks(width));
    values.push_back(lowering.load(from, access, width));
  }
  return values;
}

Access WorkersLowering::Copy::getTarget(const Memory &to, const Linear &chunk) {
  Point point = locate(chunk, width);
  for (auto [coordinate, origin] : llvm::zip(point, op.getOrigin()))
    coordinate = coordinate + lowering.forms.lookup(origin);
  return lowering.resolve(to, point, kInside);
}

void WorkersLowering::Copy::store(ValueRange values, const Memory &to) {
  for (size_t i = 0; i < values.size(); ++i) {
    Access guard;
    if (!isWhole(i))
      lowering.require(guard, getChunk(i), countChunks(width));
    code.when(lowering.getCondition(guard.conditions), [&] {
      lowering.store(to, getTarget(to, getChunk(i)), values[i]);
    });
  }
}

void WorkersLowering::Copy::copyInLoop(const Memory &to) {
  Indices &indices = lowering.indices;
  const Memory &from = lowering.memories[op.getTensor()];
  int64_t count = countChunks(1);
  code.loop(indices.materialise(lowering.invocation), code.i32(count),
            lowering.invocations, {}, [&](Value value, ValueRange) {
              Indices::Scope scope(indices);
              Linear chunk = lowering.addInduction(value, 0, count, 1);
              Value element = lowering.load(from, *resolve(chunk, 1), 1);
              lowering.store(to, getTarget(to, chunk), element);
              return Code::Values();
            });
}

void WorkersLowering::lower(StageOp op) {
  Memory memory = describe(op);
  if (op.getRealisation() == Realisation::Copy) {
    Copy copy(*this, op);
    if (copy.getCount(1) > kMostInFlight * kQuad)
      copy.copyInLoop(memory);
    else
      copy.store(copy.load(), memory);
  }
  memories[op.getResult()] = std::move(memory);
}

//===----------------------------------------------------------------------===//
// Copies one step ahead
//===----------------------------------------------------------------------===//

/// Whether `value` is the same in all steps of `nest`.
static bool isInvariant(LoopOp nest, Value value) {
  return !nest.getBody().isAncestor(value.getParentRegion());
}

static bool isIndexOp(Operation &op) {
  return !isa<LoopOp, StageOp, BarrierOp, InitOp, AccumulateOp, PrefetchOp,
              StoreOp>(op);
}

/// The nest whose outermost loop is `op`, if it is near loops around stages
/// that overlap, a barrier, sums, and a barrier.
std::optional<NearNest> WorkersLowering::matchNest(LoopOp op) {
  NearNest nest;
  for (LoopOp loop = op; loop;) {
    if (loop.getLevel() != Level::Near || !isInvariant(op, loop.getLower()) ||
        !isInvariant(op, loop.getUpper()))
      return std::nullopt;
    nest.loops.push_back(loop);
    Block &body = loop.getBody().front();
    auto last = body.without_terminator().end();
    auto at = body.begin();
    for (; at != last && (isIndexOp(*at) || isa<StageOp>(*at)); ++at) {
      if (auto stage = dyn_cast<StageOp>(*at))
        nest.stages.push_back(stage);
      else
        nest.heads.push_back(&*at);
    }
    if (at == last)
      return std::nullopt;
    auto inner = dyn_cast<LoopOp>(*at);
    if (!inner) {
      // Steps: barrier, sums, barrier.
      if (!isa<BarrierOp>(*at++))
        return std::nullopt;
      for (; at != last; ++at)
        nest.compute.push_back(&*at);
      break;
    }
    bool isPerfect =
        std::next(at) == last && nest.stages.empty() &&
        llvm::equal(inner.getInit(), loop.getCarried()) &&
        llvm::equal(body.getTerminator()->getOperands(), inner.getResults());
    if (!isPerfect)
      return std::nullopt;
    loop = inner;
  }
  if (nest.compute.empty() || !isa<BarrierOp>(nest.compute.back()))
    return std::nullopt;
  nest.compute.pop_back();
  bool isSimple = llvm::none_of(nest.compute, [](Operation *op) {
    return op
        ->walk([](Operation *inner) {
          return isa<BarrierOp, StageOp>(inner) ? WalkResult::interrupt()
                                                : WalkResult::advance();
        })
        .wasInterrupted();
  });
  bool anyCopy = false;
  for (StageOp stage : nest.stages) {
    if (stage.getRealisation() != Realisation::Copy)
      continue;
    anyCopy = true;
    isSimple &=
        stage.getOverlap() && Copy(*this, stage).getCount(1) <= kMostInFlight;
  }
  if (!isSimple || !anyCopy)
    return std::nullopt;
  return nest;
}

/// The steps of a nest of near loops, one after the other: while the sums of
/// one step are computed from one copy of the boxes, the next step's elements
/// are on their way into registers, and then into the other copy.
class WorkersLowering::Overlap {
public:
  Overlap(WorkersLowering &lowering, NearNest &nest);
  LogicalResult run();

private:
  struct Index {
    LoopOp loop;
    Linear lower, upper;
    /// It has more than one value, as far as is known.
    bool isMoving;
  };
  Linear countSteps();
  Code::Values runSteps(ValueRange init, Value total);
  Code::Values runStep(Value step, ValueRange carried, Value total);
  Point setIndices(ValueRange moving);
  Code::Values getNext(ValueRange moving);
  void enter(const Point &at);
  Code::Values load();
  Code::Values zeros();
  void store(ValueRange values, Value parity);
  Memory getCopy(StageOp stage, Value parity);

  WorkersLowering &lowering;
  Code &code;
  Indices &indices;
  NearNest &nest;
  SmallVector<Index> loops;
  size_t movingCount = 0;
  /// Loops and selections around what a step computes.
  unsigned parityDepth = 0;
  std::vector<Copy> copies;
  /// Of the values between load and store.
  SmallVector<Type> types;
  LogicalResult result = success();
};

WorkersLowering::Overlap::Overlap(WorkersLowering &lowering, NearNest &nest)
    : lowering(lowering), code(lowering.code), indices(lowering.indices),
      nest(nest) {
  for (LoopOp loop : nest.loops) {
    Index index{loop, lowering.forms.lookup(loop.getLower()),
                lowering.forms.lookup(loop.getUpper()), true};
    Linear extent = index.upper - index.lower;
    index.isMoving = !extent.isConstant() ||
                     extent.constant > static_cast<int64_t>(loop.getStep());
    movingCount += index.isMoving;
    loops.push_back(std::move(index));
  }
  for (StageOp stage : nest.stages)
    copies.emplace_back(lowering, stage);
}

Linear WorkersLowering::Overlap::countSteps() {
  Linear total = 1;
  for (Index &index : loops) {
    int64_t step = index.loop.getStep();
    Linear count = indices.floorDiv(
        indices.maximum({index.upper - index.lower + (step - 1), Linear(0)}),
        step);
    total = count.isConstant()
                ? total * count.constant
                : indices.multiply(total, indices.materialise(count));
  }
  return total;
}

/// Lowers what a step begins with, at the indices `at`.
void WorkersLowering::Overlap::enter(const Point &at) {
  for (auto [index, form] : llvm::zip(loops, at))
    lowering.forms[index.loop.getInductionVar()] = form;
  for (Operation *op : nest.heads)
    if (succeeded(result) && failed(lowering.lowerIndex(*op)))
      result = failure();
}

/// All indices as forms, given the values of those that move.
Point WorkersLowering::Overlap::setIndices(ValueRange moving) {
  Point at;
  for (Index &index : loops) {
    if (!index.isMoving) {
      at.push_back(index.lower);
      continue;
    }
    at.push_back(lowering.addInduction(moving.front(), index.lower, index.upper,
                                       index.loop.getStep()));
    moving = moving.drop_front();
  }
  return at;
}

/// The indices of the next step; those of the first behind the last.
Code::Values WorkersLowering::Overlap::getNext(ValueRange moving) {
  Code::Values next(moving);
  size_t position = moving.size();
  // Whether all loops further inside begin again.
  Value wraps;
  for (Index &index : llvm::reverse(loops)) {
    if (!index.isMoving)
      continue;
    Value current = moving[--position];
    Value moved = code.add(current, code.i32(index.loop.getStep()));
    Value fits = code.isLess(moved, indices.materialise(index.upper));
    Value stepped = code.select(fits, moved, indices.materialise(index.lower));
    next[position] = wraps ? code.select(wraps, stepped, current) : stepped;
    Value ends = code.make<spirv::LogicalNotOp>(fits);
    wraps = code.both(wraps, ends);
  }
  return next;
}

Code::Values WorkersLowering::Overlap::load() {
  Code::Values values;
  for (auto [stage, copy] : llvm::zip(nest.stages, copies))
    if (stage.getRealisation() == Realisation::Copy)
      llvm::append_range(values, copy.load());
  return values;
}

Code::Values WorkersLowering::Overlap::zeros() {
  Code::Values values;
  for (Type type : types)
    values.push_back(code.splat(0, isa<VectorType>(type) ? kQuad : 1));
  return values;
}

/// The copy of a box that `parity` names; null names the first.
Memory WorkersLowering::Overlap::getCopy(StageOp stage, Value parity) {
  Memory memory = lowering.describe(stage);
  if (parity && stage.getRealisation() == Realisation::Copy) {
    Indices::Atom atom;
    atom.value = parity;
    atom.depth = parityDepth;
    atom.lower.push_back(0);
    atom.upper.push_back(1);
    memory.base = indices.addAtom(std::move(atom)) * lowering.plans[stage].size;
  }
  return memory;
}

void WorkersLowering::Overlap::store(ValueRange values, Value parity) {
  for (auto [stage, copy] : llvm::zip(nest.stages, copies)) {
    if (stage.getRealisation() != Realisation::Copy)
      continue;
    size_t count = copy.getCount();
    copy.store(values.take_front(count), getCopy(stage, parity));
    values = values.drop_front(count);
  }
}

/// One step: `carried` is which copy of the boxes is current, the indices that
/// move, and the sums.
Code::Values WorkersLowering::Overlap::runStep(Value step, ValueRange carried,
                                               Value total) {
  Indices::Scope scope(indices);
  parityDepth = code.depth();
  Value parity = carried.front();
  ValueRange moving = carried.slice(1, movingCount);
  Value other = code.sub(code.i32(1), parity);
  Value more = code.isLess(code.add(step, code.i32(1)), total);
  Code::Values next = getNext(moving);

  enter(setIndices(next));
  Code::Values loaded = code.either(
      more, types, [&] { return load(); }, [&] { return zeros(); });

  enter(setIndices(moving));
  for (StageOp stage : nest.stages)
    lowering.memories[stage.getResult()] = getCopy(stage, parity);
  LoopOp innermost = nest.loops.back();
  lowering.setTiles(innermost.getCarried(),
                    carried.drop_front(1 + movingCount));
  for (Operation *op : nest.compute)
    if (succeeded(result) && failed(lowering.lower(*op)))
      result = failure();
  code.when(more, [&] {
    Indices::Scope scope(indices);
    store(loaded, other);
  });
  code.barrier();

  Code::Values yielded{other};
  llvm::append_range(yielded, next);
  llvm::append_range(
      yielded,
      failed(result)
          ? Code::Values(carried.drop_front(1 + movingCount))
          : lowering.getTiles(
                innermost.getBody().front().getTerminator()->getOperands()));
  return yielded;
}

/// The steps, of which there is at least one.
Code::Values WorkersLowering::Overlap::runSteps(ValueRange init, Value total) {
  Code::Values first;
  for (const Index &index : loops)
    if (index.isMoving)
      first.push_back(indices.materialise(index.lower));
  enter(setIndices(first));
  Code::Values loaded = load();
  types = llvm::to_vector(ValueRange(loaded).getTypes());
  store(loaded, {});
  code.barrier();

  Code::Values carried{code.i32(0)};
  llvm::append_range(carried, first);
  llvm::append_range(carried, init);
  Code::Values results = code.loop(code.i32(0), total, 1, carried,
                                   [&](Value step, ValueRange values) {
                                     return runStep(step, values, total);
                                   });
  results.erase(results.begin(), results.begin() + 1 + movingCount);
  return results;
}

LogicalResult WorkersLowering::Overlap::run() {
  Code::Values sums = lowering.getTiles(nest.loops.front().getInit());
  Linear steps = countSteps();
  Value total = indices.materialise(steps);
  if (indices.isNonNegative(steps - 1))
    sums = runSteps(sums, total);
  else
    sums = code.either(
        code.isLess(code.i32(0), total), ValueRange(sums).getTypes(),
        [&] {
          Indices::Scope scope(indices);
          return runSteps(sums, total);
        },
        [&] { return sums; });
  lowering.setTiles(nest.loops.front().getResults(), sums);
  return result;
}

LogicalResult WorkersLowering::lowerOverlapped(NearNest &nest) {
  return Overlap(*this, nest).run();
}

} // namespace sparkle::vulkan
