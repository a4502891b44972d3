// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Affine functions of the run-time sizes as ops, and the check that they stay
// within 64 bits.

#include "lib/Reference/Sizes.h"

#include "mlir/Dialect/Affine/Utils.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace sparkle {
namespace {

/// Follows in double what index arithmetic computes, and notes whether it stays
/// far from the end of 64 bits. Doubles cannot wrap, so that no check can be
/// fooled by an overflow before it.
class RangeCheck {
public:
  explicit RangeCheck(ImplicitLocOpBuilder &b)
      : b(b), valid(arith::ConstantOp::create(b, b.getBoolAttr(true))) {}

  Value isValid() { return valid; }
  Value number(double value) {
    return arith::ConstantOp::create(b, b.getF64FloatAttr(value));
  }
  Value convert(Value index) {
    Value wide = arith::IndexCastOp::create(b, b.getI64Type(), index);
    return arith::SIToFPOp::create(b, b.getF64Type(), wide);
  }
  Value multiply(Value x, Value y) { return arith::MulFOp::create(b, x, y); }
  Value add(Value x, Value y) { return arith::AddFOp::create(b, x, y); }

  void require(arith::CmpFPredicate predicate, Value x, double y) {
    Value holds = arith::CmpFOp::create(b, predicate, x, number(y));
    valid = arith::AndIOp::create(b, valid, holds);
  }
  Value requireSmall(Value x) {
    require(arith::CmpFPredicate::OLT, x, 0x1p62);
    require(arith::CmpFPredicate::OGT, x, -0x1p62);
    return x;
  }

  /// The value of `expr`, with every step on the way required to be small.
  Value follow(AffineExpr expr, ArrayRef<Value> dims, ArrayRef<Value> symbols) {
    if (auto constant = dyn_cast<AffineConstantExpr>(expr))
      return number(constant.getValue());
    if (auto dim = dyn_cast<AffineDimExpr>(expr))
      return dims[dim.getPosition()];
    if (auto symbol = dyn_cast<AffineSymbolExpr>(expr))
      return symbols[symbol.getPosition()];
    auto binary = cast<AffineBinaryOpExpr>(expr);
    Value x = follow(binary.getLHS(), dims, symbols);
    Value y = follow(binary.getRHS(), dims, symbols);
    switch (expr.getKind()) {
    case AffineExprKind::Add:
      return requireSmall(add(x, y));
    case AffineExprKind::Mul:
      return requireSmall(multiply(x, y));
    case AffineExprKind::FloorDiv:
      return math::FloorOp::create(b, arith::DivFOp::create(b, x, y));
    case AffineExprKind::CeilDiv:
      return math::CeilOp::create(b, arith::DivFOp::create(b, x, y));
    default: // x mod y: between 0 and y, the larger of which will do
      return y;
    }
  }

private:
  ImplicitLocOpBuilder &b;
  Value valid;
};

} // namespace

Value expand(ImplicitLocOpBuilder &b, AffineExpr expr, ValueRange dims,
             ValueRange symbols) {
  return affine::expandAffineExpr(b, b.getLoc(), expr, dims, symbols);
}

AffineExpr getPhysicalExtent(AffineExpr factor) {
  if (auto binary = dyn_cast<AffineBinaryOpExpr>(factor)) {
    if (factor.getKind() == AffineExprKind::Mod)
      return binary.getRHS();
    return binary.getLHS().ceilDiv(binary.getRHS());
  }
  return factor;
}

Value areSizesValid(ImplicitLocOpBuilder &b, KernelOp kernel,
                    ValueRange sizes) {
  RangeCheck check(b);
  SmallVector<Value> symbols;
  for (Value size : sizes) {
    symbols.push_back(check.convert(size));
    check.require(arith::CmpFPredicate::OGE, symbols.back(), 0);
  }
  for (TensorOp tensor : kernel.getTensors()) {
    SmallVector<Value> extents;
    for (AffineExpr extent : tensor.getExtents().getResults()) {
      extents.push_back(check.follow(extent, {}, symbols));
      check.require(arith::CmpFPredicate::OGE, extents.back(), 0);
    }
    unsigned bits = tensor.getType().getElementType().getIntOrFloatBitWidth();
    Value bytes = check.number(bits / 8);
    for (AffineExpr factor : tensor.getType().getLayout().getResults()) {
      Value extent = check.follow(getPhysicalExtent(factor), extents, {});
      bytes = check.multiply(bytes, extent);
    }
    check.require(arith::CmpFPredicate::OLE, bytes, kMaxBufferBytes);
  }
  return check.isValid();
}

void buildCount(ImplicitLocOpBuilder &b, KernelOp kernel, StringRef name,
                llvm::function_ref<Value(ValueRange)> count) {
  SmallVector<Type> parameters(kernel.getSizes().size(), b.getI64Type());
  auto type = LLVM::LLVMFunctionType::get(b.getI64Type(), parameters);
  auto function = LLVM::LLVMFuncOp::create(b, name, type);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(function.addEntryBlock(b));
  SmallVector<Value> sizes;
  for (Value size : function.getArguments())
    sizes.push_back(
        arith::IndexCastOp::create(b, b.getIndexType(), size).getResult());

  Value valid = areSizesValid(b, kernel, sizes);
  auto checked = scf::IfOp::create(b, b.getI64Type(), valid, true);
  LLVM::ReturnOp::create(b, checked.getResult(0));
  b.setInsertionPointToStart(checked.elseBlock());
  Value invalid = arith::ConstantOp::create(b, b.getI64IntegerAttr(-1));
  scf::YieldOp::create(b, invalid);
  b.setInsertionPointToStart(checked.thenBlock());
  Value wide = arith::IndexCastOp::create(b, b.getI64Type(), count(sizes));
  scf::YieldOp::create(b, wide);
}

Value callLibrary(ImplicitLocOpBuilder &b, StringRef function, Type result,
                  Value argument) {
  auto module =
      b.getInsertionBlock()->getParentOp()->getParentOfType<ModuleOp>();
  auto callee = module.lookupSymbol<LLVM::LLVMFuncOp>(function);
  if (!callee) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(module.getBody());
    if (!result)
      result = LLVM::LLVMVoidType::get(b.getContext());
    auto type = LLVM::LLVMFunctionType::get(result, argument.getType());
    callee = LLVM::LLVMFuncOp::create(b, function, type);
  }
  auto call = LLVM::CallOp::create(b, callee, argument);
  return call.getNumResults() ? call.getResult() : Value();
}

} // namespace sparkle
