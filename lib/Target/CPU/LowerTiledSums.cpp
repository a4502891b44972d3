// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Register tiles: their vectors, how they begin, and how finished sums are
// written.

#include "lib/Target/CPU/LowerTiled.h"

#include <optional>

using namespace mlir;

namespace sparkle::cpu {

TileVectors::TileVectors(TileType type) {
  for (auto [dim, count] : llvm::enumerate(type.getLanes()))
    if (count > 1)
      laneDim = dim, lanes = count;
  ArrayRef<int64_t> shape = type.getShape();
  SmallVector<int64_t> offset(shape.size(), 0);
  for (bool more = true; more;) {
    vectors.push_back(
        {offset, std::min(lanes, shape[laneDim] - offset[laneDim])});
    more = false;
    for (unsigned i = shape.size(); i-- > 0 && !more;) {
      offset[i] += i == laneDim ? lanes : 1;
      more = offset[i] < shape[i];
      if (!more)
        offset[i] = 0;
    }
  }
}

/// The points of the lanes of one vector of a tile at `at`.
static SmallVector<Point>
getLanes(const TileVectors &tile, const TileVectors::Vector &vector, Point at) {
  for (auto [coordinate, moved] : llvm::zip(at, vector.offset))
    coordinate = coordinate + moved;
  SmallVector<Point> lanes(vector.filled, at);
  for (auto [lane, point] : llvm::enumerate(lanes))
    point[tile.laneDim] = point[tile.laneDim] + lane;
  return lanes;
}

//===----------------------------------------------------------------------===//
// Beginning and end
//===----------------------------------------------------------------------===//

/// Once where that is not known.
static int64_t countTrips(LoopOp loop) {
  std::optional<int64_t> lower = getConstantIntValue(loop.getLower());
  std::optional<int64_t> upper = getConstantIntValue(loop.getUpper());
  if (!lower || !upper)
    return 1;
  return llvm::divideCeil(std::max<int64_t>(*upper - *lower, 0),
                          loop.getStep());
}

/// The store that finishes the tile that begins with `init`, and how many terms
/// are added up to there at least.
static StoreOp findStore(InitOp init, int64_t &terms) {
  terms = 0;
  Value sums = init.getResult();
  for (;;) {
    Operation *user = sums.use_empty() ? nullptr : *sums.user_begin();
    if (auto op = dyn_cast_or_null<StoreOp>(user))
      return op;
    if (auto op = dyn_cast_or_null<AccumulateOp>(user)) {
      terms += ShapedType::getNumElements(op.getSlice());
      sums = op.getResult();
      continue;
    }
    auto loop = dyn_cast_or_null<LoopOp>(user);
    if (!loop)
      return {};
    loop.walk([&](AccumulateOp op) {
      int64_t count = ShapedType::getNumElements(op.getSlice());
      for (auto outer = op->getParentOfType<LoopOp>(); outer;
           outer = outer == loop ? LoopOp() : outer->getParentOfType<LoopOp>())
        count *= countTrips(outer);
      terms += count;
    });
    sums = loop.getResults()[llvm::find(loop.getInit(), sums) -
                             loop.getInit().begin()];
  }
}

/// Asks for the lines that a tile will be written to, and for those of what is
/// read for each of its elements: from one pixel to the next they are far
/// apart, and nothing else brings them while the sums are added up.
void KernelLowering::prefetchTile(InitOp init) {
  constexpr int64_t kFewest = 24; // Terms that are worth it.
  int64_t terms;
  StoreOp op = findStore(init, terms);
  if (!op || isa<BoxType>(op.getTensor().getType()) || terms < kFewest)
    return; // A box is near already.
  TileVectors tile(init.getType());
  Point at = indices.getPoint(op.getAt());
  auto ask = [&](const Memory &memory, AffineMap map, bool writes) {
    Offsets offsets;
    for (const TileVectors::Vector &vector : tile.vectors) {
      SmallVector<Point> points;
      for (const Point &lane : getLanes(tile, vector, at))
        points.push_back(indices.evaluate(map, lane));
      Access access = resolve(memory, points, tile.lanes, kAnywhere);
      if (access.kind == Access::Contiguous && access.conditions.empty())
        offsets[access.offsets.front().terms].insert(
            access.offsets.front().constant);
    }
    Prefetch how;
    how.writes = writes;
    prefetch(memory, offsets, how);
  };
  ask(memories[op.getTensor()],
      AffineMap::getMultiDimIdentityMap(at.size(), op.getContext()), true);
  ArrayRef<int64_t> shape = init.getType().getShape();
  for (auto [read, map] : llvm::zip(
           op.getReads(), op.getMaps().getAsValueRange<AffineMapAttr>())) {
    bool isOfEach = true;
    for (auto [dim, extent] : llvm::enumerate(shape))
      isOfEach &= extent == 1 || map.isFunctionOfDim(dim);
    if (isOfEach)
      ask(memories[read], map, false);
  }
}

LogicalResult KernelLowering::lower(InitOp op) {
  TileVectors tile(op.getType());
  SmallVector<Value> &sums = tiles[op.getResult()];
  auto zeros = [&] {
    return Code::Values(tile.vectors.size(), code.splat(0, tile.lanes));
  };
  if (!op.getResume()) {
    sums = zeros();
    prefetchTile(op);
    return success();
  }
  Memory memory = getWritten(op.getTensor());
  Point at = indices.getPoint(op.getAt());
  auto partial = [&] {
    Indices::Scope scope(indices);
    Code::Values values;
    for (const TileVectors::Vector &vector : tile.vectors)
      values.push_back(load(memory, resolve(memory, getLanes(tile, vector, at),
                                            tile.lanes, kAnywhere)));
    return values;
  };
  sums = code.either(getScalar(op.getResume()), partial, zeros);
  return success();
}

LogicalResult KernelLowering::lower(StoreOp op) {
  if (!op.getLast())
    return writeSums(op, Sums::Finished);
  LogicalResult result = success();
  auto write = [&](Sums sums) {
    Indices::Scope scope(indices);
    if (failed(writeSums(op, sums)))
      result = failure();
    return Code::Values();
  };
  code.either(
      getScalar(op.getLast()), [&] { return write(Sums::Finished); },
      [&] { return write(Sums::Partial); });
  return result;
}

/// A tensor, or a box as far as there is room.
Memory KernelLowering::getWritten(Value tensorOrBox) {
  Memory memory = memories[tensorOrBox];
  if (auto box = dyn_cast<BoxType>(tensorOrBox.getType()))
    memory.room.assign(box.getShape().begin(), box.getShape().end());
  return memory;
}

/// Each sum is finished and stored before the next is begun. All at once would
/// keep twice the registers alive, and spill out of the loop before. Where the
/// lanes are far apart in memory, a few are finished and transposed at a time.
LogicalResult KernelLowering::writeSums(StoreOp op, Sums kind) {
  TileVectors tile(op.getSums().getType());
  Memory memory = getWritten(op.getTensor());
  Point at = indices.getPoint(op.getAt());
  ArrayRef<Value> sums = tiles[op.getSums()];
  std::vector<SmallVector<Point>> lanes;
  std::vector<Access> accesses;
  for (const TileVectors::Vector &vector : tile.vectors) {
    lanes.push_back(getLanes(tile, vector, at));
    accesses.push_back(resolve(memory, lanes.back(), tile.lanes, kAnywhere));
  }
  for (size_t first = 0, count; first < sums.size(); first += count) {
    count = countNeighbours(ArrayRef(accesses).drop_front(first));
    SmallVector<Value> values;
    for (size_t i = first; i < first + count; ++i) {
      FailureOr<Value> value = sums[i];
      if (kind == Sums::Finished)
        value = finishSum(op, sums[i], lanes[i], tile.lanes);
      if (failed(value))
        return failure();
      values.push_back(*value);
    }
    if (count == 1)
      store(memory, accesses[first], values.front());
    else
      storeTransposed(memory, accesses[first], values);
  }
  return success();
}

FailureOr<Value> KernelLowering::finishSum(StoreOp op, Value sum,
                                           ArrayRef<Point> lanes,
                                           int64_t width) {
  SmallVector<Value> arguments{sum};
  for (auto [operand, map] : llvm::zip(
           op.getReads(), op.getMaps().getAsValueRange<AffineMapAttr>())) {
    SmallVector<Point> points;
    for (const Point &lane : lanes)
      points.push_back(indices.evaluate(map, lane));
    const Memory &memory = memories[operand];
    arguments.push_back(
        load(memory, resolve(memory, points, width, kAnywhere)));
  }
  return evaluateBody(code, op.getBody().front(), arguments, width,
                      [&](Value outer) { return getScalar(outer); });
}

} // namespace sparkle::cpu
