// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sums of products with constants, such as the transforms of Winograd's
// convolution, as straight-line additions.

#include "lib/Target/CPU/LowerTiled.h"
#include "lib/Target/Contraction.h"

using namespace mlir;

namespace sparkle::cpu {

/// A sum of products with constants, on vectors.
class VectorContraction : public Contraction {
public:
  VectorContraction(KernelLowering &lowering, AccumulateOp op)
      : Contraction(op), lowering(lowering), code(lowering.code), op(op),
        tile(op.getSums().getType()), at(lowering.indices.getPoint(op.getAt())),
        maps(llvm::to_vector(op.getMaps().getAsValueRange<AffineMapAttr>())) {}

  /// Whether all elements of constants are numbers.
  bool isKnown();
  void run();

private:
  Value emitProduct(ArrayRef<unsigned> operands, const Offset &offset) override;
  float getNumber(unsigned operand, const Offset &offset) override;
  Value emitTerm(Value sum, float factor, Value value) override;
  Point getPoint(const Offset &offset);
  Access getElement(unsigned operand, const Offset &offset, int64_t filled,
                    int64_t width);

  KernelLowering &lowering;
  Code &code;
  AccumulateOp op;
  TileVectors tile;
  Point at;
  SmallVector<AffineMap> maps;
};

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

Value VectorContraction::emitProduct(ArrayRef<unsigned> operands,
                                     const Offset &offset) {
  int64_t extent = op.getType().getShape()[tile.laneDim];
  Value product;
  for (unsigned operand : operands) {
    bool varies = maps[operand].isFunctionOfDim(tile.laneDim);
    // What does not vary along the lanes is broadcast, also where only some of
    // them are filled.
    int64_t filled =
        varies ? std::min(tile.lanes, extent - offset[tile.laneDim]) : 1;
    Access access =
        getElement(operand, offset, filled, varies ? tile.lanes : 1);
    if (access.kind == Access::Nothing)
      return {};
    const Memory &memory = lowering.memories[op.getBoxes()[operand]];
    Value element = lowering.load(memory, access);
    if (!varies && tile.lanes > 1)
      element = code.broadcast(code.extract(element, 0), tile.lanes);
    product =
        product
            ? LLVM::FMulOp::create(code, code.loc, product, element).getResult()
            : element;
  }
  return product ? product : code.splat(1, tile.lanes);
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
  SmallVector<int64_t> extents(op.getType().getShape());
  llvm::append_range(extents, op.getSlice());
  for (auto [operand, box] : llvm::enumerate(op.getBoxes())) {
    if (!getConstant(box))
      continue;
    if (maps[operand].isFunctionOfDim(tile.laneDim) && tile.lanes > 1)
      return false;
    Offset offset(extents.size(), 0);
    for (bool more = true; more;) {
      Access access = getElement(operand, offset, 1, 1);
      if (access.kind != Access::Nothing && access.numbers.empty())
        return false;
      more = false;
      for (unsigned i = extents.size(); i-- > 0 && !more;) {
        if (!maps[operand].isFunctionOfDim(i))
          continue;
        more = ++offset[i] < extents[i];
        if (!more)
          offset[i] = 0;
      }
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

/// Lowers `op` if it multiplies by constants whose numbers are known.
bool KernelLowering::contract(AccumulateOp op) {
  if (!Contraction::applies(op))
    return false;
  VectorContraction contraction(*this, op);
  if (!contraction.isKnown())
    return false;
  contraction.run();
  return true;
}

} // namespace sparkle::cpu
