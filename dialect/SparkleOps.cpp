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
  if (map.getNumDims() != dims || map.getNumSymbols() ||
      map.getNumResults() != rank)
    return op->emitOpError("expected a map of ")
           << dims << " dimensions and no symbols to " << rank
           << " coordinates, but got " << AffineMapAttr::get(map);
  bool isDivided = true;
  map.walkExprs([&](AffineExpr expr) {
    if (expr.getKind() == AffineExprKind::FloorDiv ||
        expr.getKind() == AffineExprKind::CeilDiv ||
        expr.getKind() == AffineExprKind::Mod) {
      auto divisor =
          dyn_cast<AffineConstantExpr>(cast<AffineBinaryOpExpr>(expr).getRHS());
      isDivided &= divisor && divisor.getValue() > 0;
    }
  });
  if (!isDivided)
    return op->emitOpError("expected positive numbers as divisors, but got ")
           << AffineMapAttr::get(map);
  return success();
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

/// Whether a value is finite where all that is read is.
static bool isFinite(Value value) {
  Operation *op = value.getDefiningOp();
  if (!op || isa<ReadOp, arith::ConstantOp>(op))
    return true;
  if (auto activate = dyn_cast<ActivateOp>(op))
    return !llvm::is_contained({Function::Exp, Function::Log, Function::Sqrt},
                               activate.getFunction()) &&
           isFinite(activate.getValue());
  return isa<arith::MulFOp, arith::AddFOp, arith::SubFOp, arith::NegFOp,
             arith::MaximumFOp, arith::MinimumFOp>(op) &&
         llvm::all_of(op->getOperands(), isFinite);
}

bool sparkle::vanishes(Value value, llvm::function_ref<bool(Value)> isZero) {
  if (isZero(value))
    return true;
  Operation *op = value.getDefiningOp();
  auto isSo = [&](Value operand) { return vanishes(operand, isZero); };
  if (isa_and_nonnull<arith::MulFOp>(op))
    return llvm::any_of(op->getOperands(), isSo) &&
           llvm::all_of(op->getOperands(), isFinite);
  if (auto quotient = dyn_cast_or_null<arith::DivFOp>(op)) {
    FloatAttr divisor;
    return matchPattern(quotient.getRhs(), m_Constant(&divisor)) &&
           divisor.getValue().isNonZero() && isSo(quotient.getLhs());
  }
  return isa_and_nonnull<arith::NegFOp, arith::AddFOp, arith::SubFOp>(op) &&
         llvm::all_of(op->getOperands(), isSo);
}

#define GET_OP_CLASSES
#include "dialect/SparkleOps.cpp.inc"
