// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Turns each equation into workers, near steps, register tiles and
// accumulates. In: defines with resolved patterns.   Out: the tiled level.

#include "lib/Transforms/Passes.h"
#include "lib/Transforms/Reach.h"

#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/Support/MathExtras.h"
#include <numeric>

namespace sparkle {
#define GEN_PASS_DEF_TILE
#include "lib/Transforms/Passes.h.inc"
} // namespace sparkle

using namespace mlir;
using namespace sparkle;

namespace {
/// Where a nest of loops stands along one index: the first coordinate, the one
/// behind the last, and the static size if it is a tile.
struct Span {
  OpFoldResult lower, upper;
  int64_t size = 1;
};

/// The equations whose results are computed in near memory, by their temps.
using Producers = llvm::DenseMap<Value, DefineOp>;

/// A box of a temp, which its equation fills within another one's nest.
struct ComputedBox {
  StageOp stage;
  /// Along each dimension: what there is to compute, and the extent of the box.
  SmallVector<Span> spans;
  /// Whether it was cut to the tensor, and so begins anywhere.
  SmallVector<bool> isCut;
};

/// Emits the nest of one equation, and within it those of its producers.
class Tiler {
public:
  Tiler(DefineOp define, const Producers &producers, bool masked)
      : define(define), producers(producers), pattern(define.getPatternAttr()),
        builder(define), loc(define.getLoc()), outputs(define.getNumOutputs()),
        extents(define.getStaticExtents()), target(define.getTarget()),
        masked(masked), spans(extents.size()) {}

  void run();

private:
  /// A producer's nest, where `outer` stands now.
  Tiler(DefineOp define, const Tiler &outer)
      : Tiler(define, outer.producers, outer.masked) {
    builder = outer.builder;
  }
  void runWithin(ComputedBox box);

  using Body = llvm::function_ref<void()>;

  OpFoldResult constant(int64_t value) { return builder.getIndexAttr(value); }
  Value materialise(OpFoldResult value) {
    return getValueOrCreateConstantIndexOp(builder, loc, value);
  }
  OpFoldResult minimum(OpFoldResult a, OpFoldResult b);
  OpFoldResult maximum(OpFoldResult a, OpFoldResult b);
  OpFoldResult add(OpFoldResult a, int64_t b);
  OpFoldResult getExtent(unsigned index);
  SmallVector<Value> coordinates(unsigned count);
  TileType tileType();
  /// The elements that the equation writes.
  Type getStored() { return getElementType(target.getType()); }

  void loop(Level level, unsigned index, OpFoldResult lower, OpFoldResult upper,
            int64_t step, OpFoldResult base, Body body);
  void steps(unsigned index, int64_t step, Body body);

  void collectReads();
  void collectNearIndices();
  void emitWorkers();
  void emitNest();
  bool isOneTile(unsigned index);
  bool hasBorderWorkers(unsigned index);
  void nearSteps(ArrayRef<int64_t> indices, Body body);
  void outputTiles(ArrayRef<int64_t> indices, Body body);
  void reduce(ArrayRef<int64_t> indices);
  void stageBoxes();
  StageOp stageBox(ReadOp read);
  int64_t getSize(unsigned index);
  int64_t getDivisor(unsigned index);
  SmallVector<int64_t> getSizes();
  SmallVector<int64_t> getDivisors();
  void addSpan(ReadOp read, unsigned dimension, ComputedBox &box);
  void compute(ReadOp read, StageOp box);
  void initialise(Value resume);
  void accumulate();
  void store(Value last);
  Value anyNear(arith::CmpIPredicate predicate);

  DefineOp define;
  const Producers &producers;
  PatternAttr pattern;
  OpBuilder builder;
  Location loc;
  unsigned outputs;
  SmallVector<int64_t> extents;
  /// What is defined: the tensor, or a box of it.
  Value target;
  /// Tiles may reach beyond the output.
  bool masked;
  /// Within another nest: along which indices the box is cut.
  SmallVector<bool> isCut;
  bool isWithin = false;

  SmallVector<Span> spans;
  /// Indices of the sum that near memory holds a part of.
  SmallVector<int64_t> nearIndices;
  /// The distinct reads of the sum, their tensors, and their boxes.
  SmallVector<ReadOp> reads;
  SmallVector<Value> boxes;
  /// Whether boxes are those of a register tile, not of the worker.
  bool isOfTile = false;
  /// The sums in flight; null outside of a register tile.
  Value sums;
};
} // namespace

OpFoldResult Tiler::minimum(OpFoldResult a, OpFoldResult b) {
  AffineMap map = AffineMap::getMultiDimIdentityMap(2, builder.getContext());
  return affine::makeComposedFoldedAffineMin(builder, loc, map, {a, b});
}

OpFoldResult Tiler::maximum(OpFoldResult a, OpFoldResult b) {
  AffineMap map = AffineMap::getMultiDimIdentityMap(2, builder.getContext());
  return affine::makeComposedFoldedAffineMax(builder, loc, map, {a, b});
}

OpFoldResult Tiler::add(OpFoldResult a, int64_t b) {
  return affine::makeComposedFoldedAffineApply(
      builder, loc, builder.getAffineDimExpr(0) + b, {a});
}

OpFoldResult Tiler::getExtent(unsigned index) {
  if (!ShapedType::isDynamic(extents[index]))
    return constant(extents[index]);
  return ExtentOp::create(builder, loc, builder.getIndexType(),
                          define.getExtents().getSubMap({index}))
      .getResult();
}

/// The first coordinates along the first `count` indices.
SmallVector<Value> Tiler::coordinates(unsigned count) {
  return llvm::map_to_vector(ArrayRef(spans).take_front(count), [&](Span span) {
    return materialise(span.lower);
  });
}

TileType Tiler::tileType() {
  auto sizes = llvm::map_to_vector(ArrayRef(spans).take_front(outputs),
                                   [](Span span) { return span.size; });
  return TileType::get(builder.getContext(), sizes, getScalarType(getStored()),
                       pattern.getLanes().asArrayRef().take_front(outputs));
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

/// A loop along `index` around `body`, which sees a tile of `step` at the
/// loop's index, or at `base` if that is given. Sums in flight are carried. A
/// loop that statically runs once, or never, is not emitted.
void Tiler::loop(Level level, unsigned index, OpFoldResult lower,
                 OpFoldResult upper, int64_t step, OpFoldResult base,
                 Body body) {
  Span outer = spans[index];
  auto run = [&](OpFoldResult first) {
    spans[index] = {first, add(first, step), step};
    body();
    spans[index] = outer;
  };
  std::optional<int64_t> first = getConstantIntValue(lower);
  std::optional<int64_t> end = getConstantIntValue(upper);
  if (first && end && *first >= *end)
    return;
  if (first && end && *end - *first <= step)
    return run(base ? base : lower);

  ValueRange carried = sums ? ValueRange(sums) : ValueRange();
  auto op =
      LoopOp::create(builder, loc, carried.getTypes(), level,
                     materialise(lower), materialise(upper), step, carried);
  Block *block = builder.createBlock(&op.getBody());
  Value iv = block->addArgument(builder.getIndexType(), loc);
  if (sums)
    sums = block->addArgument(sums.getType(), loc);
  run(base ? base : OpFoldResult(iv));
  YieldOp::create(builder, loc, sums ? ValueRange(sums) : ValueRange());
  builder.setInsertionPointAfter(op);
  if (sums)
    sums = op.getResult(0);
}

/// Vectors of as many lanes, which AVX-512 has, are worth a mask.
constexpr int64_t kMaskedLanes = 16;

/// Tiles of `step` from the lower to the upper bound of `index`. What is left
/// over at the end of the extent is a tile of its own size; where only the call
/// knows the extent, tiles of half the size, and so on, or last a whole vector
/// that overhangs.
void Tiler::steps(unsigned index, int64_t step, Body body) {
  Span span = spans[index];
  int64_t extent = extents[index];
  if (step == 1)
    return loop(Level::Registers, index, span.lower, span.upper, 1, {}, body);
  if (ShapedType::isDynamic(extent)) {
    AffineExpr lower, upper;
    bindDims(builder.getContext(), lower, upper);
    OpFoldResult first = span.lower;
    int64_t lanes =
        index < outputs && !isWithin ? pattern.getLanes()[index] : 1;
    bool overhangs = lanes >= kMaskedLanes && step % lanes == 0;
    for (; step > 1; step /= 2) {
      loop(Level::Registers, index, first, add(span.upper, 1 - step), step, {},
           body);
      // The maximum is the second; that it is not below the first is for proofs
      // by what is linear.
      first =
          maximum(span.lower, affine::makeComposedFoldedAffineApply(
                                  builder, loc,
                                  lower + (upper - lower).floorDiv(step) * step,
                                  {first, span.upper}));
      // Not beyond where the larger one would end, as boxes hold no more.
      if (overhangs && step / 2 % lanes != 0)
        return loop(Level::Registers, index, first, span.upper, lanes, {},
                    body);
    }
    return loop(Level::Registers, index, first, span.upper, 1, {}, body);
  }
  // A box of a temp may begin at any constant, and be empty.
  std::optional<int64_t> lower = getConstantIntValue(span.lower);
  std::optional<int64_t> upper = getConstantIntValue(span.upper);
  bool isKnown = lower && upper;
  int64_t first = isKnown ? *lower : 0, end = isKnown ? *upper : extent;
  if (end <= first)
    return;
  step = std::min(step, end - first);
  int64_t rest = (end - first) % step, whole = end - rest;
  loop(Level::Registers, index, span.lower,
       rest ? minimum(span.upper, constant(whole)) : span.upper, step, {},
       body);
  if (rest)
    loop(Level::Registers, index, maximum(span.lower, constant(whole)),
         span.upper, rest, constant(whole), body);
}

/// Blocks of the sum for which operands are near.
void Tiler::nearSteps(ArrayRef<int64_t> indices, Body body) {
  if (indices.empty())
    return body();
  int64_t index = indices.front();
  loop(Level::Near, index, constant(0), constant(extents[index]),
       pattern.getNear()[index], {}, [&] {
         if (extents[index] % pattern.getNear()[index])
           spans[index].upper =
               minimum(spans[index].upper, constant(extents[index]));
         nearSteps(indices.drop_front(), body);
       });
}

/// Whether a worker's tile is always exactly one register tile.
bool Tiler::isOneTile(unsigned index) {
  int64_t worker = pattern.getWorkers()[index];
  int64_t size = pattern.getRegisters()[index], extent = extents[index];
  if (isWithin && isCut[index] && !masked)
    return false;
  if (worker == 1 || (masked && worker <= size))
    return true;
  return !ShapedType::isDynamic(extent) && worker <= size && extent % size == 0;
}

/// Whether tiles may reach outside at the first workers along `index`, or the
/// last ones, alone: where no loop over the taps can be clamped.
bool Tiler::hasBorderWorkers(unsigned index) {
  if (masked || isWithin || getConstantIntValue(spans[index].lower))
    return false;
  auto slides = [&](AffineExpr expr) {
    for (unsigned i = outputs; i < spans.size(); ++i)
      if (expr.isFunctionOfDim(index) && expr.isFunctionOfDim(i) &&
          extents[i] > 1 &&
          (pattern.getRegisters()[index] > 1 || pattern.getUnroll()[i] > 1))
        return true;
    return false;
  };
  return llvm::any_of(reads, [&](ReadOp read) {
    return llvm::any_of(read.getMap().getResults(), slides);
  });
}

/// The register tiles of a worker's tile. A single one is a loop, too, where
/// its steps at the border are told apart.
void Tiler::outputTiles(ArrayRef<int64_t> indices, Body body) {
  if (indices.empty())
    return body();
  int64_t index = indices.front();
  auto inner = [&] { outputTiles(indices.drop_front(), body); };
  if (!isOneTile(index) || hasBorderWorkers(index)) {
    int64_t step = pattern.getRegisters()[index];
    if (!masked)
      return steps(index, step, inner);
    return loop(Level::Registers, index, spans[index].lower, spans[index].upper,
                step, {}, inner);
  }
  spans[index].size =
      std::min(pattern.getWorkers()[index], pattern.getRegisters()[index]);
  inner();
}

/// The slices of the sum within the current near step.
void Tiler::reduce(ArrayRef<int64_t> indices) {
  if (indices.empty())
    return accumulate();
  steps(indices.front(), pattern.getUnroll()[indices.front()],
        [&] { reduce(indices.drop_front()); });
}

//===----------------------------------------------------------------------===//
// Ops
//===----------------------------------------------------------------------===//

/// Collects the distinct reads of the sum.
void Tiler::collectReads() {
  if (!define.getSum())
    return;
  for (ReadOp read : define.getSum().getBody().getOps<ReadOp>())
    if (llvm::none_of(reads, [&](ReadOp other) {
          return other.getTensor() == read.getTensor() &&
                 other.getMap() == read.getMap();
        }))
      reads.push_back(read);
}

/// How many values an index takes in the boxes that are staged now.
int64_t Tiler::getSize(unsigned index) {
  if (index >= outputs)
    return pattern.getNear()[index];
  return isOfTile ? spans[index].size
                  : std::max(pattern.getWorkers()[index], spans[index].size);
}

/// What divides the first of them; 0 if it is 0.
int64_t Tiler::getDivisor(unsigned index) {
  if (std::optional<int64_t> lower = getConstantIntValue(spans[index].lower))
    return *lower;
  if (isWithin && index < outputs && isCut[index])
    return 1;
  if (index >= outputs)
    return pattern.getNear()[index];
  return std::gcd(pattern.getWorkers()[index],
                  isOfTile ? pattern.getRegisters()[index] : 0);
}

SmallVector<int64_t> Tiler::getSizes() {
  return llvm::map_to_vector(llvm::seq<unsigned>(0, spans.size()),
                             [&](unsigned i) { return getSize(i); });
}

SmallVector<int64_t> Tiler::getDivisors() {
  return llvm::map_to_vector(llvm::seq<unsigned>(0, spans.size()),
                             [&](unsigned i) { return getDivisor(i); });
}

/// Names the box of a tensor that the current spans read, or makes room for it
/// where it is to be computed.
StageOp Tiler::stageBox(ReadOp read) {
  SmallVector<int64_t> sizes = getSizes(), divisors = getDivisors(), shape;
  SmallVector<OpFoldResult> lower;
  for (const Span &span : spans)
    lower.push_back(span.lower);
  SmallVector<Value> origin;
  for (AffineExpr expr : read.getMap().getResults()) {
    Reach reach = getReach(expr, sizes, divisors);
    origin.push_back(materialise(affine::makeComposedFoldedAffineApply(
        builder, loc, AffineMap::get(spans.size(), 0, reach.first), lower)));
    shape.push_back(reach.size);
  }
  StoredTensorType type = read.getTensor().getType();
  bool isComputed = producers.contains(read.getTensor());
  auto op = StageOp::create(
      builder, read.getLoc(),
      BoxType::get(builder.getContext(), shape, type.getElementType()),
      isComputed ? Realisation::Compute : Realisation::InPlace,
      read.getTensor(), origin,
      isComputed ? AffineMapAttr::get(type.getNearLayout()) : AffineMapAttr(),
      /*overlap=*/false);
  if (isWithin)
    op->setAttr(kPatternAttr, pattern);
  return op;
}

/// All boxes of the current spans. Those that are computed come first: what
/// they need is not needed beside what is copied.
void Tiler::stageBoxes() {
  boxes.assign(reads.size(), Value());
  bool isComputed = false;
  for (auto [read, box] : llvm::zip(reads, boxes))
    if (producers.contains(read.getTensor())) {
      StageOp stage = stageBox(read);
      compute(read, stage);
      box = stage;
      isComputed = true;
    }
  if (isComputed)
    BarrierOp::create(builder, loc);
  for (auto [read, box] : llvm::zip(reads, boxes))
    if (!box)
      box = stageBox(read);
}

/// What there is to compute along one dimension of a box. An index that is the
/// coordinate has it in its span; anything else is cut to the tensor.
void Tiler::addSpan(ReadOp read, unsigned dimension, ComputedBox &box) {
  int64_t size = box.stage.getType().getShape()[dimension];
  if (auto dim = dyn_cast<AffineDimExpr>(read.getMap().getResult(dimension))) {
    Span span = spans[dim.getPosition()];
    if (isOfTile && dim.getPosition() < outputs)
      span.upper = add(span.lower, span.size);
    box.spans.push_back({span.lower, span.upper, size});
    box.isCut.push_back(false);
    return;
  }
  DefineOp producer = producers.lookup(read.getTensor());
  int64_t extent = producer.getStaticExtents()[dimension];
  OpFoldResult end = constant(extent);
  if (ShapedType::isDynamic(extent))
    end = ExtentOp::create(builder, loc, builder.getIndexType(),
                           producer.getExtents().getSubMap({dimension}))
              .getResult();
  OpFoldResult first = getAsOpFoldResult(box.stage.getOrigin()[dimension]);
  Span span = {maximum(first, constant(0)), minimum(add(first, size), end),
               size};
  bool isWhole =
      getConstantIntValue(span.lower) && getConstantIntValue(span.upper);
  SmallVector<int64_t> divisors = getDivisors();
  Reach reach =
      getReach(read.getMap().getResult(dimension), getSizes(), divisors);
  box.isCut.push_back(!isWhole && !isAligned(reach, divisors));
  box.spans.push_back(span);
}

/// Fills a computed box: the nest of its equation.
void Tiler::compute(ReadOp read, StageOp stage) {
  ComputedBox box{stage, {}, {}};
  for (unsigned i = 0; i < read.getMap().getNumResults(); ++i)
    addSpan(read, i, box);
  Tiler(producers.lookup(read.getTensor()), *this).runWithin(box);
}

void Tiler::initialise(Value resume) {
  if (!resume)
    sums = InitOp::create(builder, loc, tileType(), Value(), ValueRange(),
                          Value());
  else
    sums = InitOp::create(builder, loc, tileType(), target,
                          coordinates(outputs), resume);
}

/// Clones the ops of `from` behind the builder, with reads and the sum already
/// mapped, and yields what it yields.
static void cloneExpression(OpBuilder &builder, Block &from,
                            IRMapping &mapping) {
  for (Operation &op : from)
    if (!isa<ReadOp, SumOp>(op))
      builder.clone(op, mapping);
}

void Tiler::accumulate() {
  OpBuilder::InsertionGuard guard(builder);
  auto slice = llvm::map_to_vector(ArrayRef(spans).drop_front(outputs),
                                   [](Span span) { return span.size; });
  SmallVector<AffineMap> maps =
      llvm::map_to_vector(reads, [](ReadOp read) { return read.getMap(); });
  auto op = AccumulateOp::create(builder, loc, sums.getType(), sums,
                                 coordinates(spans.size()), slice, boxes,
                                 builder.getAffineMapArrayAttr(maps),
                                 SmallVector<int64_t>(reads.size(), 0));
  Block *block = builder.createBlock(&op.getBody());
  for (Value box : boxes)
    block->addArgument(
        getScalarType(cast<BoxType>(box.getType()).getElementType()), loc);
  IRMapping mapping;
  for (ReadOp read : define.getSum().getBody().getOps<ReadOp>())
    for (auto [known, argument] : llvm::zip(reads, block->getArguments()))
      if (known.getTensor() == read.getTensor() &&
          known.getMap() == read.getMap())
        mapping.map(read.getResult(), argument);
  cloneExpression(builder, define.getSum().getBody().front(), mapping);
  sums = op.getResult();
}

void Tiler::store(Value last) {
  SmallVector<Value> tensors;
  SmallVector<AffineMap> maps;
  // The epilogue reads at the output's indices only (read_c3).
  auto shorten = [&](AffineMap map) {
    return AffineMap::get(outputs, 0, map.getResults(), map.getContext());
  };
  auto epilogueReads = define.getBody().getOps<ReadOp>();
  for (ReadOp read : epilogueReads) {
    tensors.push_back(read.getTensor());
    maps.push_back(shorten(read.getMap()));
  }
  auto op = StoreOp::create(builder, loc, sums, target, coordinates(outputs),
                            tensors, builder.getAffineMapArrayAttr(maps), last);
  OpBuilder::InsertionGuard guard(builder);
  Block *block = builder.createBlock(&op.getBody());
  Value sum = block->addArgument(tileType().getElementType(), loc);
  IRMapping mapping;
  if (SumOp reduction = define.getSum())
    mapping.map(reduction.getResult(), sum);
  for (ReadOp read : epilogueReads)
    mapping.map(read.getResult(), block->addArgument(read.getType(), loc));
  cloneExpression(builder, define.getBody().front(), mapping);
  sums = {};
}

//===----------------------------------------------------------------------===//
// The nest
//===----------------------------------------------------------------------===//

/// True where some near step is not the first (`ne`), or the last (`lt`).
Value Tiler::anyNear(arith::CmpIPredicate predicate) {
  Value any;
  for (int64_t index : nearIndices) {
    bool first = predicate == arith::CmpIPredicate::ne;
    Value at = materialise(first ? spans[index].lower : spans[index].upper);
    Value bound = materialise(constant(first ? 0 : extents[index]));
    Value one = arith::CmpIOp::create(builder, loc, predicate, at, bound);
    any = any ? arith::OrIOp::create(builder, loc, any, one) : one;
  }
  return any;
}

void Tiler::collectNearIndices() {
  for (int64_t index : pattern.getOrder().asArrayRef().drop_front(outputs))
    if (pattern.getNear()[index] < extents[index])
      nearIndices.push_back(index);
}

/// Where a worker has one register tile, its sums live across all near steps;
/// where it has many, they pass through the output between near steps. An
/// output that stores less than a sum holds no partial ones: there each tile
/// has near steps of its own.
void Tiler::emitNest() {
  ArrayRef<int64_t> order = pattern.getOrder().asArrayRef();
  ArrayRef<int64_t> left = order.take_front(outputs);
  ArrayRef<int64_t> right = order.drop_front(outputs);
  collectNearIndices();

  auto tile = [&](Value resume, Value last) {
    initialise(resume);
    if (!reads.empty() || define.getSum())
      reduce(right);
    store(last);
  };
  if (nearIndices.empty()) {
    stageBoxes();
    return outputTiles(left, [&] { tile({}, {}); });
  }
  isOfTile = getStored() != getScalarType(getStored()) ||
             llvm::all_of(left, [&](int64_t i) { return isOneTile(i); });
  if (isOfTile)
    return outputTiles(left, [&] {
      initialise({});
      nearSteps(nearIndices, [&] {
        stageBoxes();
        reduce(right);
      });
      store({});
    });
  nearSteps(nearIndices, [&] {
    stageBoxes();
    Value resume = anyNear(arith::CmpIPredicate::ne);
    Value notLast = anyNear(arith::CmpIPredicate::slt);
    Value yes =
        arith::ConstantOp::create(builder, loc, builder.getBoolAttr(true));
    Value last = arith::XOrIOp::create(builder, loc, notLast, yes);
    outputTiles(left, [&] { tile(resume, last); });
  });
}

void Tiler::emitWorkers() {
  AffineMap worked =
      AffineMap::get(0, define.getExtents().getNumSymbols(),
                     define.getExtents().getResults().take_front(outputs),
                     builder.getContext());
  auto op = WorkersOp::create(
      builder, loc,
      builder.getArrayAttr(define.getIndices().getValue().take_front(outputs)),
      worked, pattern.getWorkers().asArrayRef().take_front(outputs),
      /*innermost=*/IntegerAttr());
  int64_t innermost = *llvm::find_if(
      llvm::reverse(pattern.getOrder().asArrayRef()),
      [&](int64_t index) { return index < static_cast<int64_t>(outputs); });
  if (innermost != static_cast<int64_t>(outputs) - 1)
    op.setInnermost(innermost);
  op->setAttr(kPatternAttr, pattern);
  Block *block = builder.createBlock(&op.getBody());
  for (unsigned i = 0; i < extents.size(); ++i) {
    if (i >= outputs) {
      spans[i] = {constant(0), constant(extents[i]), 1};
      continue;
    }
    Value first = block->addArgument(builder.getIndexType(), loc);
    int64_t size = pattern.getWorkers()[i];
    if (!ShapedType::isDynamic(extents[i]) && size >= extents[i])
      spans[i] = {constant(0), constant(extents[i]), 1};
    else if (size == 1)
      spans[i] = {first, add(first, 1), 1};
    else
      spans[i] = {first, {}, 1};
  }
  // Behind the arguments, so that the bounds may be computed.
  for (unsigned i = 0; i < outputs; ++i) {
    if (spans[i].upper)
      continue;
    spans[i].upper = add(spans[i].lower, pattern.getWorkers()[i]);
    if (ShapedType::isDynamic(extents[i]) ||
        extents[i] % pattern.getWorkers()[i])
      spans[i].upper = minimum(spans[i].upper, getExtent(i));
  }
  emitNest();
  builder.setInsertionPointToEnd(block);
  YieldOp::create(builder, loc);
}

void Tiler::run() {
  collectReads();
  emitWorkers();
}

/// The nest of the equation for a box of its result: one worker's tile, but for
/// where it begins and ends.
void Tiler::runWithin(ComputedBox box) {
  isWithin = true;
  target = box.stage.getResult();
  SmallVector<int64_t> workers(pattern.getWorkers().asArrayRef());
  for (unsigned i = 0; i < outputs; ++i) {
    const Span &span = box.spans[i];
    spans[i] = {span.lower, span.upper, 1};
    workers[i] = span.size;
  }
  isCut = box.isCut;
  for (unsigned i = outputs; i < extents.size(); ++i)
    spans[i] = {constant(0), constant(extents[i]), 1};
  pattern = pattern.withWorkers(workers);
  collectReads();
  emitNest();
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

/// Whether `pattern` has every list, and no size that is left to choose.
static bool isResolved(PatternAttr pattern) {
  if (!pattern || !pattern.getOrder() || !pattern.getStage())
    return false;
  for (DenseI64ArrayAttr list :
       {pattern.getWorkers(), pattern.getNear(), pattern.getRegisters(),
        pattern.getLanes(), pattern.getUnroll()})
    if (!list ||
        llvm::any_of(list.asArrayRef(), [](int64_t size) { return size <= 0; }))
      return false;
  return true;
}

namespace {
struct Tile : sparkle::impl::TileBase<Tile> {
  using Base::Base;

  void runOnOperation() override {
    SmallVector<DefineOp> defines;
    getOperation().walk([&](DefineOp define) { defines.push_back(define); });
    auto target = getOperation()->getAttrOfType<TargetAttr>(kTargetAttr);
    bool masked = target && target.getMasked();
    Producers producers;
    for (DefineOp define : defines) {
      if (!isResolved(define.getPatternAttr())) {
        define.emitOpError("expected a resolved pattern - run "
                           "'sparkle-resolve-pattern' first");
        return signalPassFailure();
      }
      for (DefineOp producer : define.getProducers())
        producers[producer.getTarget()] = producer;
    }
    for (DefineOp define : defines)
      if (!producers.contains(define.getTarget()))
        Tiler(define, producers, masked).run();
    for (DefineOp define : llvm::reverse(defines))
      define.erase();
  }
};
} // namespace
