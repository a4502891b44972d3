// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the ops of both levels share.

#include "dialect/OpForms.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace sparkle;

//===----------------------------------------------------------------------===//
// Shared forms
//===----------------------------------------------------------------------===//

SmallVector<int64_t> sparkle::staticExtents(AffineMap map) {
  return llvm::map_to_vector(map.getResults(), [](AffineExpr expr) {
    auto constant = dyn_cast<AffineConstantExpr>(expr);
    return constant ? constant.getValue() : ShapedType::kDynamic;
  });
}

Type sparkle::getScalarType(Type element) {
  return element.getIntOrFloatBitWidth() == 16
             ? Float32Type::get(element.getContext())
             : element;
}

int64_t sparkle::getRank(Type tensorOrBox) {
  if (auto box = dyn_cast<BoxType>(tensorOrBox))
    return box.getShape().size();
  return cast<StoredTensorType>(tensorOrBox).getRank();
}

Type sparkle::getElementType(Type tensorOrBox) {
  if (auto box = dyn_cast<BoxType>(tensorOrBox))
    return box.getElementType();
  return cast<StoredTensorType>(tensorOrBox).getElementType();
}

ParseResult sparkle::parseBareMap(OpAsmParser &parser, AffineMapAttr &attr) {
  AffineMap map;
  if (parser.parseAffineMap(map))
    return failure();
  attr = AffineMapAttr::get(map);
  return success();
}

void sparkle::printBareMap(OpAsmPrinter &printer, Operation *,
                           AffineMapAttr attr) {
  printer.getStream() << attr.getValue();
}

LogicalResult sparkle::verifyExtents(Operation *op, AffineMap map,
                                     size_t results) {
  size_t sizes = op->getParentOfType<KernelOp>().getSizes().size();
  if (map.getNumDims() || map.getNumSymbols() != sizes ||
      map.getNumResults() != results)
    return op->emitOpError("expected extents of the form ()[")
           << sizes << " sizes] -> (" << results << " extents), but got "
           << AffineMapAttr::get(map);
  return success();
}

LogicalResult sparkle::verifyAccess(Operation *op, AffineMap map, size_t dims,
                                    size_t rank) {
  if (map.getNumDims() == dims && !map.getNumSymbols() &&
      map.getNumResults() == rank)
    return success();
  return op->emitOpError("expected a map of ")
         << dims << " dimensions and no symbols to " << rank
         << " coordinates, but got " << AffineMapAttr::get(map);
}

LogicalResult sparkle::verifyArguments(Operation *op, Region &region,
                                       TypeRange types) {
  if (llvm::equal(region.front().getArgumentTypes(), types))
    return success();
  return op->emitOpError("expected a body with arguments (")
         << types << "), but got (" << region.front().getArgumentTypes() << ")";
}

LogicalResult sparkle::verifyYield(Operation *op, Region &region,
                                   TypeRange types) {
  Operation *yield = region.front().getTerminator();
  if (llvm::equal(yield->getOperandTypes(), types))
    return success();
  return op->emitOpError("expected a body that yields (")
         << types << "), but got (" << yield->getOperandTypes() << ")";
}

bool sparkle::isWeight(Value value) {
  auto tensor = value.getDefiningOp<TensorOp>();
  return tensor && tensor.getRole() == Role::Weight;
}

#define GET_OP_CLASSES
#include "dialect/SparkleOps.cpp.inc"
