// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Register tiles: which points an invocation holds, how an accumulate loads its
// operands and multiplies, and how finished sums are written.

#include "lib/Target/Contraction.h"
#include "lib/Target/GPU/LowerTiled.h"

#include "llvm/Support/MathExtras.h"
#include <set>

using namespace mlir;

namespace sparkle::gpu {

//===----------------------------------------------------------------------===//
// Points
//===----------------------------------------------------------------------===//

TilePoints::TilePoints(TileType type, ArrayRef<unsigned> order)
    : type(type), order(order) {
  for (auto [extent, lanes] : llvm::zip(type.getShape(), type.getLanes())) {
    int64_t count = llvm::divideCeil(extent, lanes);
    counts.push_back(count);
    laneCount *= lanes;
    groups.push_back(count % kQuad == 0 ? kQuad : count % 2 == 0 ? 2 : 1);
  }
  for (unsigned dim : order)
    if (width == 1 && groups[dim] == kQuad)
      vectorDim = dim, width = kQuad;
  SmallVector<int64_t> index(counts.size(), 0);
  for (bool more = true; more;) {
    SmallVector<int64_t> first;
    for (auto [dim, i] : llvm::enumerate(index)) {
      int64_t stride = groups[dim] * type.getLanes()[dim];
      first.push_back(i / groups[dim] * stride + i % groups[dim]);
    }
    vectors.push_back(std::move(first));
    more = false;
    for (unsigned dim = counts.size(); dim-- > 0 && !more;) {
      index[dim] += dim == vectorDim ? width : 1;
      more = index[dim] < counts[dim];
      if (!more)
        index[dim] = 0;
    }
  }
}

int64_t TilePoints::getOverhang(unsigned dim) const {
  return counts[dim] * type.getLanes()[dim] - type.getShape()[dim];
}

/// The points of this invocation in one vector of a tile at `at`.
SmallVector<Point> WorkersLowering::getLanes(const TilePoints &tile,
                                             unsigned vector, const Point &at) {
  Point first = at;
  for (unsigned dim = 0; dim < tile.counts.size(); ++dim)
    first[dim] = first[dim] + tile.lane[dim] * tile.groups[dim] +
                 tile.vectors[vector][dim];
  SmallVector<Point> points(tile.width, first);
  for (auto [i, point] : llvm::enumerate(points))
    point[tile.vectorDim] = point[tile.vectorDim] + i;
  return points;
}

/// The element of what is written at `point` of a tile at `at`. Lanes may reach
/// beyond the tile, the tile beyond the output, or beyond a box of it.
Access WorkersLowering::resolveSum(const Memory &memory, const TilePoints &tile,
                                   const Point &at, const Point &point) {
  Access access = resolve(memory, point, kAnywhere);
  for (auto [dim, extent] : llvm::enumerate(tile.type.getShape()))
    if (tile.getOverhang(dim) && !access.isAbsent)
      require(access, point[dim] - at[dim], extent);
  for (auto [dim, room] : llvm::enumerate(memory.room))
    if (!access.isAbsent)
      require(access, point[dim] - memory.first[dim], room);
  if (tile.laneCount < invocations && !access.isAbsent)
    require(access, invocation, tile.laneCount);
  return access;
}

/// What is inside for every point of the tile need not be for lanes beyond it.
uint64_t WorkersLowering::getInside(AccumulateOp op, unsigned operand) {
  const TilePoints &tile = getPoints(op.getType());
  uint64_t inside = op.getInside()[operand];
  AffineMap map = cast<AffineMapAttr>(op.getMaps()[operand]).getValue();
  for (auto [dim, expr] : llvm::enumerate(map.getResults()))
    for (unsigned i = 0; i < tile.counts.size(); ++i)
      if (tile.getOverhang(i) && expr.isFunctionOfDim(i))
        inside &= ~(uint64_t(1) << dim);
  return inside;
}

//===----------------------------------------------------------------------===//
// Beginning and end
//===----------------------------------------------------------------------===//

LogicalResult WorkersLowering::lower(InitOp op) {
  const TilePoints &tile = getPoints(op.getType());
  SmallVector<Value> sums;
  Value resume = op.getResume() ? getScalar(op.getResume()) : Value();
  for (unsigned i = 0; i < tile.vectors.size(); ++i) {
    if (!resume) {
      sums.push_back(code.splat(0, tile.width));
      continue;
    }
    const Memory &memory = memories[op.getTensor()];
    Point at = indices.getPoint(op.getAt());
    SmallVector<Access> accesses;
    for (const Point &point : getLanes(tile, i, at))
      accesses.push_back(resolveSum(memory, tile, at, point));
    sums.push_back(loadVector(memory, accesses, resume));
  }
  tiles[op.getResult()] = std::move(sums);
  return success();
}

LogicalResult WorkersLowering::lower(StoreOp op) {
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
      getScalar(op.getLast()), {}, [&] { return write(Sums::Finished); },
      [&] { return write(Sums::Partial); });
  return result;
}

LogicalResult WorkersLowering::writeSums(StoreOp op, Sums kind) {
  const TilePoints &tile = getPoints(op.getSums().getType());
  SmallVector<Value> sums = tiles[op.getSums()];
  for (auto [i, vector] : llvm::enumerate(sums))
    if (failed(writeVector(op, kind, vector, tile, i)))
      return failure();
  return success();
}

/// Finishes and writes one vector, or each of its sums on its own where they
/// are no neighbours in memory, or not inside together.
LogicalResult WorkersLowering::writeVector(StoreOp op, Sums kind, Value sums,
                                           const TilePoints &tile,
                                           unsigned vector) {
  const Memory &memory = memories[op.getTensor()];
  Point at = indices.getPoint(op.getAt());
  SmallVector<Point> points = getLanes(tile, vector, at);
  SmallVector<Access> accesses;
  for (const Point &point : points)
    accesses.push_back(resolveSum(memory, tile, at, point));
  LogicalResult result = success();
  auto write = [&](const Access &access, Value value, ArrayRef<Point> lanes) {
    if (access.isAbsent)
      return;
    code.when(getCondition(access.conditions), [&] {
      Indices::Scope scope(indices);
      FailureOr<Value> finished = value;
      if (kind == Sums::Finished)
        finished = finishSums(op, value, lanes, access.conditions);
      if (failed(finished))
        result = failure();
      else
        store(memory, access, *finished);
    });
  };
  if (std::optional<Access> quad = join(accesses);
      quad && (!memory.array || memory.inQuads)) {
    write(*quad, sums, points);
    return result;
  }
  bool together = llvm::all_of(accesses, [&](const Access &access) {
    return !access.isAbsent && access.conditions == accesses.front().conditions;
  });
  if (!together) {
    for (auto [i, access] : llvm::enumerate(accesses))
      write(access, code.extract(sums, i), points[i]);
    return result;
  }
  code.when(getCondition(accesses.front().conditions), [&] {
    Indices::Scope scope(indices);
    FailureOr<Value> finished = sums;
    if (kind == Sums::Finished)
      finished = finishSums(op, sums, points, accesses.front().conditions);
    if (failed(finished)) {
      result = failure();
      return;
    }
    for (auto [i, access] : llvm::enumerate(accesses))
      store(memory, access, code.extract(*finished, i));
  });
  return result;
}

/// The epilogue of `sums` at `lanes`, where `known` holds.
FailureOr<Value> WorkersLowering::finishSums(StoreOp op, Value sums,
                                             ArrayRef<Point> lanes,
                                             ArrayRef<Condition> known) {
  SmallVector<Value> arguments{sums};
  for (auto [operand, map] : llvm::zip(
           op.getReads(), op.getMaps().getAsValueRange<AffineMapAttr>())) {
    const Memory &memory = memories[operand];
    SmallVector<Access> accesses;
    for (const Point &lane : lanes) {
      Access access =
          resolve(memory, Point(indices.evaluate(map, lane)), kAnywhere);
      llvm::erase_if(access.conditions, [&](const Condition &condition) {
        return llvm::is_contained(known, condition);
      });
      accesses.push_back(std::move(access));
    }
    arguments.push_back(loadVector(memory, accesses));
  }
  return evaluateBody(code, op.getBody().front(), arguments, lanes.size(),
                      [&](Value outer) { return getScalar(outer); });
}

//===----------------------------------------------------------------------===//
// Accumulate
//===----------------------------------------------------------------------===//

/// Half of what a lane may have, on any GPU.
static constexpr size_t kFewRegisters = 128;

/// One accumulate, fully unrolled: for every point of the slice and every
/// vector of the tile a term. Every element is loaded once, four at a time
/// where at least two of four in a row are wanted.
class Accumulation {
public:
  Accumulation(WorkersLowering &lowering, AccumulateOp op)
      : lowering(lowering), code(lowering.code), op(op),
        tile(lowering.getPoints(op.getType())),
        sums(lowering.tiles[op.getSums()]),
        at(lowering.indices.getPoint(op.getAt())) {
    for (Value box : op.getBoxes())
      memories.push_back(lowering.memories[box]);
    maps = llvm::to_vector(op.getMaps().getAsValueRange<AffineMapAttr>());
    wanted.resize(maps.size());
    quads.resize(maps.size());
    loaded.resize(maps.size());
  }

  LogicalResult run();

private:
  using Accesses = SmallVector<Access, kQuad>;
  struct Term {
    unsigned vector;
    /// Per operand: the elements of the vector, or one for all of it.
    SmallVector<Accesses, 2> operands;
  };
  std::optional<unsigned> findInnermost();
  void collectTerms();
  std::vector<unsigned> listTerms(std::optional<unsigned> innermost);
  unsigned countHeld(ArrayRef<unsigned> order);
  std::vector<unsigned> chooseOrder();
  Accesses collectElements(unsigned operand, ArrayRef<Point> lanes);
  std::optional<Access> getQuad(unsigned operand, const Access &access);
  Value getElement(unsigned operand, const Access &access);
  Value getVector(unsigned operand, ArrayRef<Access> accesses);

  WorkersLowering &lowering;
  Code &code;
  AccumulateOp op;
  const TilePoints &tile;
  SmallVector<Value> sums;
  Point at;
  std::vector<Memory> memories;
  SmallVector<AffineMap> maps;

  /// Those of a point of the slice one after the other.
  std::vector<Term> terms;
  /// Per operand: the offsets wanted of each quad, and what is loaded.
  std::vector<std::map<Access, std::set<int64_t>>> wanted;
  std::vector<std::map<Access, Value>> quads, loaded;
};

LogicalResult WorkersLowering::lower(AccumulateOp op) {
  Indices::Scope scope(indices);
  if (Contraction::applies(op))
    return contract(op);
  return Accumulation(*this, op).run();
}

/// The aligned four elements around one that may be loaded together.
std::optional<Access> Accumulation::getQuad(unsigned operand,
                                            const Access &access) {
  LinearForm moving = access.offset;
  moving.constant = 0;
  if (access.isAbsent || !memories[operand].inQuads ||
      lowering.indices.getDivisor(moving) % kQuad != 0)
    return std::nullopt;
  Access quad = access;
  quad.offset.constant -= llvm::mod(access.offset.constant, kQuad);
  return quad;
}

Accumulation::Accesses Accumulation::collectElements(unsigned operand,
                                                     ArrayRef<Point> lanes) {
  Accesses accesses;
  uint64_t inside = lowering.getInside(op, operand);
  bool varies = maps[operand].isFunctionOfDim(tile.vectorDim);
  for (const Point &lane : varies ? lanes : lanes.take_front()) {
    accesses.push_back(lowering.resolve(
        memories[operand],
        Point(lowering.indices.evaluate(maps[operand], lane)), inside));
    if (std::optional<Access> quad = getQuad(operand, accesses.back()))
      wanted[operand][*quad].insert(accesses.back().offset.constant);
  }
  return accesses;
}

/// The dimension of the slice along which an operand lies element by element,
/// so that four of them may be used one after the other.
std::optional<unsigned> Accumulation::findInnermost() {
  std::optional<unsigned> innermost;
  for (unsigned i = 0; i < op.getSlice().size(); ++i) {
    Point moved = at;
    moved[tile.counts.size() + i] = moved[tile.counts.size() + i] + 1;
    for (unsigned operand = 0; operand < maps.size(); ++operand) {
      auto offset = [&](const Point &point) {
        return lowering.indices.getOffset(
            memories[operand],
            Point(lowering.indices.evaluate(maps[operand], point)));
      };
      if (memories[operand].inQuads && op.getSlice()[i] > 1 &&
          offset(moved) - offset(at) == LinearForm(1))
        innermost = i;
    }
  }
  return innermost;
}

void Accumulation::collectTerms() {
  ArrayRef<int64_t> slice = op.getSlice();
  SmallVector<int64_t> index(slice.size(), 0);
  unsigned rank = tile.counts.size();
  for (bool more = true; more;) {
    for (unsigned vector = 0; vector < tile.vectors.size(); ++vector) {
      SmallVector<Point> lanes = lowering.getLanes(tile, vector, at);
      for (Point &point : lanes)
        for (auto [i, moved] : llvm::enumerate(index))
          point[rank + i] = point[rank + i] + moved;
      Term term{vector, {}};
      for (unsigned operand = 0; operand < maps.size(); ++operand)
        term.operands.push_back(collectElements(operand, lanes));
      terms.push_back(std::move(term));
    }
    more = false;
    for (unsigned i = slice.size(); i-- > 0 && !more;) {
      more = ++index[i] < slice[i];
      if (!more)
        index[i] = 0;
    }
  }
}

/// The numbers of all terms, with one dimension of the slice innermost.
std::vector<unsigned>
Accumulation::listTerms(std::optional<unsigned> innermost) {
  unsigned extent = 1, stride = 1;
  if (innermost) {
    extent = op.getSlice()[*innermost];
    for (int64_t inner : op.getSlice().drop_front(*innermost + 1))
      stride *= inner;
  }
  unsigned vectors = tile.vectors.size(), points = terms.size() / vectors;
  std::vector<unsigned> list;
  for (unsigned outer = 0; outer < points; outer += extent * stride)
    for (unsigned inner = 0; inner < stride; ++inner)
      for (unsigned i = 0; i < extent; ++i)
        for (unsigned vector = 0; vector < vectors; ++vector)
          list.push_back((outer + i * stride + inner) * vectors + vector);
  return list;
}

/// The most elements that are held at a time, each from the first term that
/// takes it, or one of its quad, to the last.
unsigned Accumulation::countHeld(ArrayRef<unsigned> order) {
  std::map<std::pair<unsigned, Access>, std::pair<unsigned, unsigned>> uses;
  for (auto [time, number] : llvm::enumerate(order))
    for (auto [operand, accesses] : llvm::enumerate(terms[number].operands))
      for (const Access &access : accesses) {
        std::optional<Access> quad = getQuad(operand, access);
        auto [use, isNew] =
            uses.insert({{operand, quad ? *quad : access}, {time, time}});
        use->second.second = time;
      }
  std::vector<int> change(order.size() + 1);
  for (const auto &[key, use] : uses) {
    auto found = wanted[key.first].find(key.second);
    int size = found == wanted[key.first].end() || found->second.size() == 1
                   ? 1
                   : kQuad;
    change[use.first] += size;
    change[use.second + 1] -= size;
  }
  int held = 0, most = 0;
  for (int by : change)
    most = std::max(most, held += by);
  return most;
}

/// Quads are used up along one dimension, and where that fits it is as good as
/// any. But another operand's may have to be held meanwhile.
std::vector<unsigned> Accumulation::chooseOrder() {
  unsigned fit =
      kFewRegisters - std::min<size_t>(sums.size() * tile.width, kFewRegisters);
  std::vector<unsigned> best = listTerms(findInnermost());
  unsigned least = countHeld(best);
  for (unsigned i = 0; least > fit && i < op.getSlice().size(); ++i) {
    std::vector<unsigned> order = listTerms(i);
    if (unsigned held = countHeld(order); held < least) {
      least = held;
      best = std::move(order);
    }
  }
  return best;
}

Value Accumulation::getElement(unsigned operand, const Access &access) {
  Value &element = loaded[operand][access];
  if (element)
    return element;
  std::optional<Access> quad = getQuad(operand, access);
  if (!quad || wanted[operand][*quad].size() == 1)
    return element = lowering.load(memories[operand], access, 1);
  Value &vector = quads[operand][*quad];
  if (!vector)
    vector = lowering.load(memories[operand], *quad, kQuad);
  return element = code.extract(vector,
                                access.offset.constant - quad->offset.constant);
}

/// The factor that a term takes from an operand.
Value Accumulation::getVector(unsigned operand, ArrayRef<Access> accesses) {
  if (std::optional<Access> quad = lowering.join(accesses);
      quad && memories[operand].inQuads) {
    Value &vector = quads[operand][*quad];
    if (!vector)
      vector = lowering.load(memories[operand], *quad, kQuad);
    return vector;
  }
  SmallVector<Value> scalars;
  for (const Access &access : accesses)
    scalars.push_back(getElement(operand, access));
  if (scalars.size() == 1)
    return code.broadcast(scalars.front(), tile.width);
  return code.construct(scalars);
}

LogicalResult Accumulation::run() {
  collectTerms();
  for (unsigned number : chooseOrder()) {
    const Term &term = terms[number];
    SmallVector<Value> arguments;
    for (auto [operand, accesses] : llvm::enumerate(term.operands))
      arguments.push_back(getVector(operand, accesses));
    FailureOr<Value> sum = accumulateBody(
        code, op.getBody().front(), arguments, sums[term.vector], tile.width,
        [&](Value outer) { return lowering.getScalar(outer); });
    if (failed(sum))
      return failure();
    sums[term.vector] = *sum;
  }
  lowering.tiles[op.getResult()] = sums;
  return success();
}

} // namespace sparkle::gpu
