// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sums of products with constants, such as the transforms of Winograd's
// convolution, as straight-line additions.

#include "lib/Target/CPU/Contract.h"

using namespace mlir;

namespace sparkle::cpu {

Point VectorContraction::getPoint(const Offset &offset) {
  Point point = at;
  for (auto [coordinate, moved] : llvm::zip(point, offset))
    coordinate = coordinate + moved;
  return point;
}

/// The elements for the `filled` first of `width` lanes at `offset`.
Access VectorContraction::getElement(unsigned operand, const Offset &offset,
                                     int64_t filled, int64_t width) {
  Point point = getPoint(offset);
  SmallVector<Point> lanes;
  for (int64_t lane = 0; lane < filled; ++lane) {
    lanes.push_back(Point(lowering.indices.evaluate(maps[operand], point)));
    point[tile.laneDim] = point[tile.laneDim] + 1;
  }
  return lowering.resolve(lowering.memories[op.getBoxes()[operand]], lanes,
                          width, op.getInside()[operand]);
}

Access VectorContraction::getVector(unsigned operand, const Offset &offset) {
  // What does not vary along the lanes is broadcast, also where only some of
  // them are filled.
  if (!maps[operand].isFunctionOfDim(tile.laneDim))
    return getElement(operand, offset, 1, 1);
  int64_t rest = op.getType().getShape()[tile.laneDim] - offset[tile.laneDim];
  return getElement(operand, offset, std::min(tile.lanes, rest), tile.lanes);
}

/// Null where there is nothing.
Value VectorContraction::load(unsigned operand, const Offset &offset) {
  Access access = getVector(operand, offset);
  if (access.kind == Access::Nothing)
    return {};
  if (access.kind == Access::Scattered)
    if (Value element = loadAmongNeighbours(operand, offset))
      return element;
  Value element =
      lowering.load(lowering.memories[op.getBoxes()[operand]], access);
  if (static_cast<int64_t>(access.present.size()) < tile.lanes)
    element = code.broadcast(code.extract(element, 0), tile.lanes);
  return element;
}

/// An element whose lanes lie far apart in memory, but each next to the same
/// lane of other elements: with all of these. Null if there are none.
Value VectorContraction::loadAmongNeighbours(unsigned operand, Offset offset) {
  auto known = loaded.find({operand, offset});
  if (known != loaded.end())
    return known->second;
  SmallVector<int64_t> extents(op.getType().getShape());
  llvm::append_range(extents, op.getSlice());
  for (unsigned dim = 0; dim < extents.size(); ++dim) {
    if (dim == tile.laneDim || !maps[operand].isFunctionOfDim(dim))
      continue;
    Offset moved = offset;
    std::vector<Access> row;
    for (moved[dim] = 0; moved[dim] < extents[dim]; ++moved[dim])
      row.push_back(getVector(operand, moved));
    size_t first = 0, count = 0, wanted = offset[dim];
    while (first + count <= wanted) {
      first += count;
      count = countNeighbours(ArrayRef(row).drop_front(first));
    }
    if (count == 1)
      continue;
    SmallVector<Value> columns = lowering.loadTransposed(
        lowering.memories[op.getBoxes()[operand]], row[first], count);
    for (auto [i, column] : llvm::enumerate(columns)) {
      moved[dim] = first + i;
      loaded[{operand, moved}] = column;
    }
    return columns[wanted - first];
  }
  return {};
}

Value VectorContraction::emitProduct(ArrayRef<unsigned> operands,
                                     const Offset &offset) {
  Value product;
  for (unsigned operand : operands) {
    Value element = load(operand, offset);
    if (!element)
      return {};
    product =
        product
            ? LLVM::FMulOp::create(code, code.loc, product, element).getResult()
            : element;
  }
  return product ? product : code.splat(1, tile.lanes);
}

Value VectorContraction::addProduct(Value sum, ArrayRef<Value> factors) {
  Value product = factors.front();
  for (Value factor : factors.drop_front().drop_back())
    product = LLVM::FMulOp::create(code, code.loc, product, factor);
  return LLVM::FMulAddOp::create(code, code.loc, product, factors.back(), sum);
}

float VectorContraction::getNumber(unsigned operand, const Offset &offset) {
  Access access = getElement(operand, offset, 1, 1);
  return access.kind == Access::Nothing ? 0 : access.numbers.front();
}

Value VectorContraction::emitTerm(Value sum, float factor, Value value) {
  auto make = [&](auto op, auto... operands) -> Value {
    return decltype(op)::create(code, code.loc, operands...);
  };
  if (factor == 1)
    return sum ? make(LLVM::FAddOp(), sum, value) : value;
  if (factor == -1)
    return sum ? make(LLVM::FSubOp(), sum, value) : make(LLVM::FNegOp(), value);
  Value number = code.splat(factor, tile.lanes);
  return sum ? make(LLVM::FMulAddOp(), value, number, sum)
             : make(LLVM::FMulOp(), value, number);
}

bool VectorContraction::isKnown() {
  Offset origin(at.size(), 0);
  for (auto [operand, box] : llvm::enumerate(op.getBoxes())) {
    if (!getConstant(box))
      continue;
    if (maps[operand].isFunctionOfDim(tile.laneDim) && tile.lanes > 1)
      return false;
    SmallVector<unsigned> dims;
    for (unsigned dim = 0; dim < at.size(); ++dim)
      if (maps[operand].isFunctionOfDim(dim))
        dims.push_back(dim);
    for (const Offset &offset : getAlong(dims, origin)) {
      Access access = getElement(operand, offset, 1, 1);
      if (access.kind != Access::Nothing && access.numbers.empty())
        return false;
    }
  }
  return true;
}

void VectorContraction::run() {
  SmallVector<Value> sums = lowering.tiles[op.getSums()];
  auto begin = op.getSums().getDefiningOp<InitOp>();
  bool isZero = begin && !begin.getResume();
  for (auto [vector, sum] : llvm::zip(tile.vectors, sums)) {
    Value value = getSum(vector.offset);
    if (!value)
      continue;
    sum = isZero ? value : emitTerm(sum, 1, value);
  }
  lowering.tiles[op.getResult()] = std::move(sums);
}

/// Lowers `op` if it multiplies by constants whose numbers are known, and all
/// that these change.
bool KernelLowering::contract(AccumulateOp op) {
  if (!Contraction::applies(op) || Contraction::findChanged(op))
    return false;
  VectorContraction contraction(*this, op);
  if (!contraction.isKnown())
    return false;
  contraction.run();
  return true;
}

} // namespace sparkle::cpu
