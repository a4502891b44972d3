// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Index ops of the tiled level as linear forms; offsets of elements.

#include "lib/Target/TiledIndices.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/TypeSwitch.h"
#include <numeric>

using namespace mlir;

namespace sparkle {

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

void TiledIndices::addSize(Value size) {
  Atom atom;
  atom.value = size;
  atom.lower.push_back(0);
  sizes.push_back(addAtom(std::move(atom)));
}

Point TiledIndices::getPoint(ValueRange values) const {
  Point point;
  for (Value value : values)
    point.push_back(forms.lookup(value));
  return point;
}

bool TiledIndices::evaluateOp(Operation &op) {
  Point operands = getPoint(op.getOperands());
  auto define = [&](LinearForm form) {
    forms[op.getResult(0)] = std::move(form);
    return true;
  };
  auto evaluateMap = [&](AffineMap map) {
    ArrayRef<LinearForm> all(operands);
    return evaluate(map, all.take_front(map.getNumDims()),
                    all.drop_front(map.getNumDims()));
  };
  using Result = bool;
  return llvm::TypeSwitch<Operation *, Result>(&op)
      .Case([&](ExtentOp extent) {
        return define(evaluateExtents(extent.getMap()).front());
      })
      .Case([&](affine::AffineApplyOp apply) {
        return define(evaluateMap(apply.getAffineMap()).front());
      })
      .Case([&](affine::AffineMinOp min) {
        return define(minimum(evaluateMap(min.getAffineMap())));
      })
      .Case([&](affine::AffineMaxOp max) {
        return define(maximum(evaluateMap(max.getAffineMap())));
      })
      .Case([&](arith::ConstantIndexOp constant) {
        return define(constant.value());
      })
      .Case([&](arith::AddIOp) { return define(operands[0] + operands[1]); })
      .Case([&](arith::SubIOp) { return define(operands[0] - operands[1]); })
      .Case([&](arith::MinSIOp) { return define(minimum(operands)); })
      .Case([&](arith::MaxSIOp) { return define(maximum(operands)); })
      .Default(false);
}

LinearForm TiledIndices::addInduction(Value value, const LinearForm &lower,
                                      const LinearForm &upper, int64_t step) {
  Atom atom;
  atom.value = value;
  atom.depth = code.depth();
  atom.divisor = std::gcd(getDivisor(lower), step);
  atom.lower.push_back(lower);
  LinearForm extent = upper - lower;
  if (extent.isConstant())
    atom.upper.push_back(lower + (extent.constant - 1) / step * step);
  else if (getDivisor(extent) % step == 0)
    atom.upper.push_back(upper - step);
  else
    atom.upper.push_back(upper - 1);
  return addAtom(std::move(atom));
}

//===----------------------------------------------------------------------===//
// Elements
//===----------------------------------------------------------------------===//

std::pair<unsigned, int64_t> getFactor(AffineExpr expr) {
  int64_t divisor = 1;
  while (auto binary = dyn_cast<AffineBinaryOpExpr>(expr)) {
    if (expr.getKind() == AffineExprKind::FloorDiv)
      divisor = cast<AffineConstantExpr>(binary.getRHS()).getValue();
    expr = binary.getLHS();
  }
  return {cast<AffineDimExpr>(expr).getPosition(), divisor};
}

Placement TiledIndices::place(StoredTensorType type, AffineMap extents) {
  Placement placement;
  placement.layout = type.getLayout();
  placement.origin.resize(type.getRank());
  placement.extents = Point(evaluateExtents(extents));
  int64_t known = 1;
  Value unknown;
  SmallVector<int64_t> shape = type.getPhysicalShape();
  for (int64_t i = shape.size() - 1; i >= 0; --i) {
    placement.strides.insert(placement.strides.begin(), {known, unknown});
    if (!ShapedType::isDynamic(shape[i])) {
      known *= shape[i];
      continue;
    }
    auto [dim, block] = getFactor(type.getLayout().getResult(i));
    AffineExpr count = extents.getResult(dim).ceilDiv(block);
    Value extent = materialise(evaluate(count, {}, sizes));
    unknown = unknown ? code.mul(unknown, extent) : extent;
  }
  return placement;
}

LinearForm TiledIndices::getOffset(const Placement &placement,
                                   const Point &point) {
  Point local;
  for (auto [coordinate, origin] : llvm::zip(point, placement.origin))
    local.push_back(coordinate - origin);
  LinearForm offset = placement.base;
  for (auto [expr, stride] :
       llvm::zip(placement.layout.getResults(), placement.strides)) {
    LinearForm step = evaluate(expr, local) * stride.first;
    offset = offset + (stride.second ? multiply(step, stride.second) : step);
  }
  return offset;
}

} // namespace sparkle
