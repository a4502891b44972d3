// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sums of products with constants, such as the transforms of Winograd's
// convolution, as straight-line additions in the registers of a lane.

#include "lib/Target/Contraction.h"
#include "lib/Target/GPU/LowerTiled.h"

using namespace mlir;

namespace sparkle::gpu {

/// The sum at the elements of a tile that one lane has. Offsets are those of
/// lane 0; the numbers are the same for all lanes.
class WorkersLowering::LaneContraction : public Contraction {
public:
  LaneContraction(WorkersLowering &lowering, AccumulateOp op)
      : Contraction(op), lowering(lowering), code(lowering.code), op(op),
        tile(lowering.getPoints(op.getType())),
        at(lowering.indices.getPoint(op.getAt())),
        maps(llvm::to_vector(op.getMaps().getAsValueRange<AffineMapAttr>())) {
    for (auto [box, map] : llvm::zip(op.getBoxes(), maps))
      if (getConstant(box) && map.isFunctionOfDim(tile.vectorDim))
        width = 1;
  }

  LogicalResult run();

private:
  Value emitProduct(ArrayRef<unsigned> operands, const Offset &offset) override;
  float getNumber(unsigned operand, const Offset &offset) override;
  Value emitTerm(Value sum, float factor, Value value) override;
  Value getVector(ArrayRef<int64_t> offset);
  SmallVector<LinearForm> getCoordinates(unsigned operand, const Offset &offset,
                                         int64_t element);

  WorkersLowering &lowering;
  Code &code;
  AccumulateOp op;
  const TilePoints &tile;
  Point at;
  SmallVector<AffineMap> maps;
  /// Elements that are computed together: those of a vector of the tile, unless
  /// the numbers differ among them.
  int64_t width = tile.width;
  LogicalResult result = success();
};

/// What `operand` is read at for an element of a vector.
SmallVector<LinearForm> WorkersLowering::LaneContraction::getCoordinates(
    unsigned operand, const Offset &offset, int64_t element) {
  Point point = at;
  for (auto [dim, moved] : llvm::enumerate(offset)) {
    point[dim] = point[dim] + moved;
    if (dim < tile.lane.size())
      point[dim] = point[dim] + tile.lane[dim] * tile.groups[dim];
  }
  point[tile.vectorDim] = point[tile.vectorDim] + element;
  return lowering.indices.evaluate(maps[operand], point);
}

Value WorkersLowering::LaneContraction::emitProduct(ArrayRef<unsigned> operands,
                                                    const Offset &offset) {
  Value product;
  for (unsigned operand : operands) {
    const Memory &memory = lowering.memories[op.getBoxes()[operand]];
    uint64_t inside = lowering.getInside(op, operand);
    bool varies = maps[operand].isFunctionOfDim(tile.vectorDim);
    SmallVector<Access> accesses;
    for (int64_t i = 0; i < (varies ? width : 1); ++i)
      accesses.push_back(lowering.resolve(
          memory, Point(getCoordinates(operand, offset, i)), inside));
    if (llvm::all_of(accesses, [](auto &access) { return access.isAbsent; }))
      return {};
    Value element =
        code.broadcast(lowering.loadVector(memory, accesses), width);
    product = product
                  ? code.floating(Float::Mul, product, element, Rounding::Free)
                  : element;
  }
  return product ? product : code.splat(1, width);
}

float WorkersLowering::LaneContraction::getNumber(unsigned operand,
                                                  const Offset &offset) {
  auto values =
      cast<DenseElementsAttr>(getConstant(op.getBoxes()[operand]).getValues());
  ArrayRef<int64_t> shape = values.getType().getShape();
  int64_t place = 0;
  bool isInside = true;
  for (auto [coordinate, extent] :
       llvm::zip(getCoordinates(operand, offset, 0), shape)) {
    if (!coordinate.isConstant()) {
      if (succeeded(result))
        result = op.emitError("expected a constant at coordinates that are "
                              "known when compiling, but got ")
                 << AffineMapAttr::get(maps[operand])
                 << " at those of a lane, or of a loop - use fewer 'lanes', or "
                    "larger sizes in 'workers' or 'unroll'";
      return 0;
    }
    isInside &= coordinate.constant >= 0 && coordinate.constant < extent;
    place = place * extent + coordinate.constant;
  }
  return isInside ? values.getValues<float>()[place] : 0;
}

Value WorkersLowering::LaneContraction::emitTerm(Value sum, float factor,
                                                 Value value) {
  if (factor == 1)
    return sum ? code.floating(Float::Add, sum, value, Rounding::Free) : value;
  if (factor == -1)
    return sum ? code.floating(Float::Sub, sum, value, Rounding::Free)
               : code.negate(value);
  Value number = code.splat(factor, width);
  return sum ? code.fma(value, number, sum, Rounding::Free)
             : code.floating(Float::Mul, value, number, Rounding::Free);
}

/// The sums of one vector of the tile; null if they are zero.
Value WorkersLowering::LaneContraction::getVector(ArrayRef<int64_t> offset) {
  if (width == tile.width)
    return getSum(offset);
  SmallVector<int64_t> moved(offset);
  SmallVector<Value> scalars;
  for (int64_t i = 0; i < tile.width; ++i) {
    Value scalar = getSum(moved);
    scalars.push_back(scalar ? scalar : code.splat(0, 1));
    ++moved[tile.vectorDim];
  }
  return code.construct(scalars);
}

LogicalResult WorkersLowering::LaneContraction::run() {
  if (failed(verifyTerms(op, countTerms(tile.counts))))
    return failure();
  SmallVector<Value> sums = lowering.tiles[op.getSums()];
  auto begin = op.getSums().getDefiningOp<InitOp>();
  bool isZero = begin && !begin.getResume();
  for (auto [vector, sum] : llvm::zip(tile.vectors, sums)) {
    Value value = getVector(vector);
    if (failed(result))
      return failure();
    if (value)
      sum = isZero ? value
                   : code.floating(Float::Add, sum, value, Rounding::Free);
  }
  lowering.tiles[op.getResult()] = std::move(sums);
  return success();
}

LogicalResult WorkersLowering::contract(AccumulateOp op) {
  return LaneContraction(*this, op).run();
}

} // namespace sparkle::gpu
