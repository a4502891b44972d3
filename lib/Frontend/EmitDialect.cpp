// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Checked kernels -> algorithm-level sparkle ops. Nothing is decided here; each
// op stands at the place in the text that it comes from.

#include "lib/Frontend/EmitDialect.h"

#include "dialect/SparkleDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace sparkle;

namespace {

class KernelEmitter {
public:
  KernelEmitter(const CheckedKernel &kernel, OpBuilder &builder,
                function_ref<Location(StringRef)> getLoc)
      : kernel(kernel), builder(builder), getLoc(getLoc) {}

  void run();

private:
  void emitTensor(const CheckedTensor &tensor);
  void emitEquation(const CheckedEquation &equation);
  Value emitElement(const Element &element);
  Value emitCondition(const Element &element);
  Value emitChoice(const Element &element);
  Value emitConstant(const Element &element);
  Value emitRead(const Element &element);
  Value emitSum(const Element &element);

  AffineMap getExtents(ArrayRef<Affine> extents);
  AffineMap getLayout(const CheckedTensor &tensor);
  PatternAttr getPattern(const CheckedPattern &pattern);
  Location getEquationLoc(const CheckedEquation &equation);

  const CheckedKernel &kernel;
  OpBuilder &builder;
  function_ref<Location(StringRef)> getLoc;
  SmallVector<Value> tensors;
  unsigned numIndices = 0; // of the equation at hand
};

} // namespace

void sparkle::emitKernels(ArrayRef<CheckedKernel> kernels, ModuleOp module,
                          function_ref<Location(StringRef)> getLoc) {
  auto builder = OpBuilder::atBlockEnd(module.getBody());
  for (const CheckedKernel &kernel : kernels)
    KernelEmitter(kernel, builder, getLoc).run();
}

void KernelEmitter::run() {
  OpBuilder::InsertionGuard guard(builder);
  auto op = KernelOp::create(builder, getLoc(kernel.name), kernel.name,
                             builder.getStrArrayAttr(kernel.sizes),
                             kernel.withReference);
  builder.createBlock(&op.getBody());
  for (const CheckedTensor &tensor : kernel.tensors)
    emitTensor(tensor);
  for (const CheckedEquation &equation : kernel.equations)
    emitEquation(equation);
}

//===----------------------------------------------------------------------===//
// Sizes and layouts
//===----------------------------------------------------------------------===//

/// floor((constant + coefficients * variables) / divisor)
static AffineExpr getExpr(const Affine &affine, MLIRContext *context,
                          function_ref<AffineExpr(unsigned)> getVariable) {
  AffineExpr expr = getAffineConstantExpr(0, context);
  for (auto [number, coefficient] : llvm::enumerate(affine.getCoefficients()))
    expr = expr + getVariable(number) * coefficient;
  return (expr + affine.getConstant()).floorDiv(affine.getDivisor());
}

AffineMap KernelEmitter::getExtents(ArrayRef<Affine> extents) {
  MLIRContext *context = builder.getContext();
  SmallVector<AffineExpr> exprs;
  for (const Affine &extent : extents)
    exprs.push_back(getExpr(extent, context, [&](unsigned number) {
      return builder.getAffineSymbolExpr(number);
    }));
  return AffineMap::get(0, kernel.sizes.size(), exprs, context);
}

AffineMap KernelEmitter::getLayout(const CheckedTensor &tensor) {
  SmallVector<AffineExpr> exprs;
  for (const LayoutFactor &factor : tensor.layout) {
    AffineExpr expr =
        builder.getAffineDimExpr(factor.dimension).floorDiv(factor.divisor);
    exprs.push_back(factor.modulus > 0 ? expr % factor.modulus : expr);
  }
  return AffineMap::get(tensor.extents.size(), 0, exprs, builder.getContext());
}

void KernelEmitter::emitTensor(const CheckedTensor &tensor) {
  AffineMap extents = getExtents(tensor.extents);
  FloatType element = builder.getF32Type();
  if (tensor.isHalf)
    element = builder.getF16Type();
  auto type = StoredTensorType::get(
      builder.getContext(), staticExtents(extents), element, getLayout(tensor));
  tensors.push_back(TensorOp::create(builder, getLoc(tensor.name), type,
                                     *symbolizeRole(tensor.role), tensor.name,
                                     extents));
}

//===----------------------------------------------------------------------===//
// Equations
//===----------------------------------------------------------------------===//

void KernelEmitter::emitEquation(const CheckedEquation &equation) {
  OpBuilder::InsertionGuard guard(builder);
  SmallVector<StringRef> names;
  SmallVector<Affine> extents;
  for (const CheckedIndex &index : equation.indices) {
    names.push_back(index.name);
    extents.push_back(index.extent);
  }
  numIndices = names.size();
  Location loc = getEquationLoc(equation);
  auto define = DefineOp::create(
      builder, loc, tensors[equation.tensor], builder.getStrArrayAttr(names),
      equation.reductions, getExtents(extents),
      equation.pattern ? getPattern(*equation.pattern) : PatternAttr());
  builder.createBlock(&define.getBody());
  YieldOp::create(builder, loc, emitElement(*equation.value));
}

/// The place of the equation, then, under their keywords, those of the lines
/// of its pattern: see DefineOp::getPatternLoc.
Location KernelEmitter::getEquationLoc(const CheckedEquation &equation) {
  SmallVector<Location> locs{getLoc(equation.target)};
  if (equation.pattern)
    for (auto [kind, line] : llvm::enumerate(*equation.pattern))
      if (line)
        locs.push_back(NameLoc::get(
            builder.getStringAttr(spell(static_cast<PatternLine::Kind>(kind))),
            getLoc(line->keyword)));
  return FusedLoc::get(builder.getContext(), locs);
}

/// What `select` and a comparison as a value choose by.
Value KernelEmitter::emitCondition(const Element &element) {
  Location loc = getLoc(element.text);
  using Predicate = arith::CmpFPredicate;
  if (element.kind != Element::Compare) {
    Value zero =
        arith::ConstantOp::create(builder, loc, builder.getF32FloatAttr(0));
    return arith::CmpFOp::create(builder, loc, Predicate::UNE,
                                 emitElement(element), zero);
  }
  auto predicate = llvm::StringSwitch<Predicate>(element.text)
                       .Case("<", Predicate::OLT)
                       .Case("<=", Predicate::OLE)
                       .Case(">", Predicate::OGT)
                       .Case(">=", Predicate::OGE)
                       .Case("==", Predicate::OEQ)
                       .Default(Predicate::UNE);
  Value lhs = emitElement(*element.operands[0]);
  Value rhs = emitElement(*element.operands[1]);
  return arith::CmpFOp::create(builder, loc, predicate, lhs, rhs);
}

Value KernelEmitter::emitChoice(const Element &element) {
  Location loc = getLoc(element.text);
  auto number = [&](float value) -> Value {
    return arith::ConstantOp::create(builder, loc,
                                     builder.getF32FloatAttr(value));
  };
  bool isValue = element.kind == Element::Compare; // 1 or 0
  Value condition = emitCondition(isValue ? element : *element.operands[0]);
  Value yes = isValue ? number(1) : emitElement(*element.operands[1]);
  Value no = isValue ? number(0) : emitElement(*element.operands[2]);
  return arith::SelectOp::create(builder, loc, condition, yes, no);
}

Value KernelEmitter::emitElement(const Element &element) {
  switch (element.kind) {
  case Element::Constant:
    return emitConstant(element);
  case Element::Read:
    return emitRead(element);
  case Element::Sum:
    return emitSum(element);
  case Element::Compare:
  case Element::Select:
    return emitChoice(element);
  default:
    break;
  }
  SmallVector<Value, 2> operands;
  for (const auto &operand : element.operands)
    operands.push_back(emitElement(*operand));
  Location loc = getLoc(element.text);
  auto binary = [&](auto op) -> Value {
    return decltype(op)::create(builder, loc, operands[0], operands[1]);
  };
  switch (element.kind) {
  case Element::Negate:
    return arith::NegFOp::create(builder, loc, operands[0]);
  case Element::Add:
    return binary(arith::AddFOp());
  case Element::Subtract:
    return binary(arith::SubFOp());
  case Element::Multiply:
    return binary(arith::MulFOp());
  case Element::Divide:
    return binary(arith::DivFOp());
  case Element::Maximum:
    return binary(arith::MaximumFOp());
  case Element::Minimum:
    return binary(arith::MinimumFOp());
  default:
    return ActivateOp::create(builder, loc, *symbolizeFunction(element.text),
                              operands[0]);
  }
}

Value KernelEmitter::emitConstant(const Element &element) {
  return arith::ConstantOp::create(builder, getLoc(element.text),
                                   builder.getF32FloatAttr(element.value));
}

Value KernelEmitter::emitRead(const Element &element) {
  MLIRContext *context = builder.getContext();
  SmallVector<AffineExpr> exprs;
  auto getIndex = [&](unsigned number) {
    return builder.getAffineDimExpr(number);
  };
  for (const Subscript &subscript : element.subscripts) {
    AffineExpr expr = getExpr(subscript.affine, context, getIndex);
    for (const Subscript::Remainder &remainder : subscript.remainders)
      expr = expr + getExpr(remainder.dividend, context, getIndex) %
                        remainder.divisor * remainder.factor;
    exprs.push_back(expr);
  }
  return ReadOp::create(builder, getLoc(element.text), builder.getF32Type(),
                        tensors[element.tensor],
                        AffineMap::get(numIndices, 0, exprs, context));
}

Value KernelEmitter::emitSum(const Element &element) {
  OpBuilder::InsertionGuard guard(builder);
  Location loc = getLoc(element.text);
  auto sum = SumOp::create(builder, loc, builder.getF32Type());
  builder.createBlock(&sum.getBody());
  YieldOp::create(builder, loc, emitElement(*element.operands.front()));
  return sum.getResult();
}

//===----------------------------------------------------------------------===//
// Patterns
//===----------------------------------------------------------------------===//

PatternAttr KernelEmitter::getPattern(const CheckedPattern &pattern) {
  auto getSizes = [&](PatternLine::Kind kind) {
    const auto &line = pattern[kind];
    return line ? builder.getDenseI64ArrayAttr(line->sizes)
                : DenseI64ArrayAttr();
  };
  auto getTensors = [&](PatternLine::Kind kind) {
    const auto &line = pattern[kind];
    return line ? builder.getStrArrayAttr(line->tensors) : ArrayAttr();
  };
  DictionaryAttr prefetch;
  if (const auto &line = pattern[PatternLine::Prefetch]) {
    SmallVector<NamedAttribute> steps;
    for (auto [tensor, count] : llvm::zip(line->tensors, line->sizes))
      steps.push_back(
          builder.getNamedAttr(tensor, builder.getI64IntegerAttr(count)));
    prefetch = builder.getDictionaryAttr(steps);
  }
  ArrayAttr fuse;
  if (const auto &line = pattern[PatternLine::Stage];
      line && !line->fused.empty())
    fuse = builder.getStrArrayAttr(line->fused);
  StringAttr transform;
  if (const auto &line = pattern[PatternLine::Transform])
    transform = builder.getStringAttr(line->transform);
  return PatternAttr::get(
      builder.getContext(), getSizes(PatternLine::Workers),
      getSizes(PatternLine::Near), getTensors(PatternLine::Stage),
      getSizes(PatternLine::Registers), getSizes(PatternLine::Lanes),
      getSizes(PatternLine::Unroll), getSizes(PatternLine::Order), prefetch,
      getTensors(PatternLine::Overlap), fuse, transform,
      getTensors(PatternLine::Merge));
}
