// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Boxes on their way to workgroup memory: how all invocations copy them
// together, and copies that run one step ahead of the sums.

#include "lib/Target/GPU/LowerTiled.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace sparkle::gpu {

/// Elements that one invocation holds of one box while it computes a step; what
/// is more costs too many registers. A copy of far more is a loop.
static constexpr int64_t kMostInFlight = 32, kMostUnrolled = 64;

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
  LinearForm getChunk(int64_t number) {
    return lowering.invocation + number * lowering.invocations;
  }
  Point locate(LinearForm chunk, int64_t width);
  std::optional<Access> resolve(const LinearForm &chunk, int64_t width);
  bool isWhole(int64_t number) const {
    return (number + 1) * lowering.invocations <= countChunks(width);
  }
  Access getTarget(const Memory &to, const LinearForm &chunk);

  WorkersLowering &lowering;
  Code &code;
  StageOp op;
  AffineMap layout;
  ArrayRef<int64_t> shape;
  /// Elements of a chunk.
  int64_t width = 1;
};

/// The coordinates within the box of a chunk's first element.
Point WorkersLowering::Copy::locate(LinearForm chunk, int64_t width) {
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
std::optional<Access> WorkersLowering::Copy::resolve(const LinearForm &chunk,
                                                     int64_t width) {
  const Memory &from = lowering.memories[op.getTensor()];
  Point first = locate(chunk, width),
        origin = lowering.indices.getPoint(op.getOrigin());
  uint64_t inside = 0;
  for (unsigned dim = 0; dim < shape.size(); ++dim) {
    first[dim] = first[dim] + origin[dim];
    // Of the box as a whole: a chunk behind the last has a guard of its own.
    LinearForm room = from.extents[dim] - origin[dim] - shape[dim];
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

Access WorkersLowering::Copy::getTarget(const Memory &to,
                                        const LinearForm &chunk) {
  Point point = locate(chunk, width);
  for (auto [coordinate, origin] : llvm::zip(point, op.getOrigin()))
    coordinate = coordinate + lowering.indices.forms.lookup(origin);
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
              LinearForm chunk =
                  lowering.indices.addInduction(value, 0, count, 1);
              Value element = lowering.load(from, *resolve(chunk, 1), 1);
              lowering.store(to, getTarget(to, chunk), element);
              return Code::Values();
            });
}

void WorkersLowering::lower(StageOp op) {
  Memory memory = describe(op);
  if (op.getRealisation() == Realisation::Copy) {
    Copy copy(*this, op);
    if (copy.getCount(1) > kMostUnrolled)
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
    LinearForm lower, upper;
    /// It has more than one value, as far as is known.
    bool isMoving;
  };
  LinearForm countSteps();
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
  TiledIndices &indices;
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
    Index index{loop, lowering.indices.forms.lookup(loop.getLower()),
                lowering.indices.forms.lookup(loop.getUpper()), true};
    LinearForm extent = index.upper - index.lower;
    index.isMoving = !extent.isConstant() ||
                     extent.constant > static_cast<int64_t>(loop.getStep());
    movingCount += index.isMoving;
    loops.push_back(std::move(index));
  }
  for (StageOp stage : nest.stages)
    copies.emplace_back(lowering, stage);
}

LinearForm WorkersLowering::Overlap::countSteps() {
  LinearForm total = 1;
  for (Index &index : loops) {
    int64_t step = index.loop.getStep();
    LinearForm count = indices.floorDiv(
        indices.maximum(
            {index.upper - index.lower + (step - 1), LinearForm(0)}),
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
    lowering.indices.forms[index.loop.getInductionVar()] = form;
  for (Operation *op : nest.heads)
    if (succeeded(result) && !indices.evaluateOp(*op))
      result = lowering.lowerCondition(*op);
}

/// All indices as forms, given the values of those that move.
Point WorkersLowering::Overlap::setIndices(ValueRange moving) {
  Point at;
  for (Index &index : loops) {
    if (!index.isMoving) {
      at.push_back(index.lower);
      continue;
    }
    at.push_back(lowering.indices.addInduction(
        moving.front(), index.lower, index.upper, index.loop.getStep()));
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
    Value ends = code.logicalNot(fits);
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
  LinearForm steps = countSteps();
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

} // namespace sparkle::gpu
