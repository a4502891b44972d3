// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Text form and verifiers of the tiled level's ops, in the order of
// SparkleOps.td. The comment above each check is the label of the constraint in
// the op's text.

#include "dialect/OpForms.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace sparkle;

//===----------------------------------------------------------------------===//
// PackOp
//===----------------------------------------------------------------------===//

TensorOp PackOp::getWeight() {
  Value weight = getSource();
  if (auto transform = weight.getDefiningOp<TransformOp>())
    weight = transform.getSource();
  return weight.getDefiningOp<TensorOp>();
}

LogicalResult PackOp::verify() {
  // pack_c1
  if (!isWeight(getSource()) && !getSource().getDefiningOp<TransformOp>())
    return emitOpError("expected a weight as source, or a transform of one");
  // pack_c2
  StoredTensorType source = getSource().getType(), result = getType();
  if (source.getShape() != result.getShape() ||
      source.getElementType() != result.getElementType())
    return emitOpError("expected a result with the shape of ")
           << source << ", but got " << result;
  return success();
}

//===----------------------------------------------------------------------===//
// WorkersOp
//===----------------------------------------------------------------------===//

ParseResult WorkersOp::parse(OpAsmParser &parser, OperationState &result) {
  ArrayAttr indices;
  SmallVector<OpAsmParser::Argument> arguments;
  AffineMapAttr extents;
  if (parser.parseAttribute(indices, "indices", result.attributes) ||
      parser.parseArgumentList(arguments, OpAsmParser::Delimiter::Paren) ||
      parser.parseKeyword("extents") || parseBareMap(parser, extents) ||
      parser.parseKeyword("steps"))
    return failure();
  auto steps =
      dyn_cast_or_null<DenseI64ArrayAttr>(DenseI64ArrayAttr::parse(parser, {}));
  if (!steps)
    return failure();
  result.addAttribute("extents", extents);
  result.addAttribute("steps", steps);
  for (OpAsmParser::Argument &argument : arguments)
    argument.type = parser.getBuilder().getIndexType();
  Region *body = result.addRegion();
  if (parser.parseRegion(*body, arguments) ||
      parser.parseOptionalAttrDict(result.attributes))
    return failure();
  ensureTerminator(*body, parser.getBuilder(), result.location);
  return success();
}

void WorkersOp::print(OpAsmPrinter &printer) {
  printer << ' ' << getIndices() << " (";
  printer.printOperands(getBody().getArguments());
  printer << ") extents " << getExtents() << " steps ";
  getStepsAttr().print(printer);
  printer << ' ';
  printer.printRegion(getBody(), /*printEntryBlockArgs=*/false,
                      /*printBlockTerminators=*/false);
  printer.printOptionalAttrDict((*this)->getAttrs(),
                                {"indices", "extents", "steps"});
}

LogicalResult WorkersOp::verifyRegions() {
  size_t count = getSteps().size();
  // workers_c1
  if (failed(verifyExtents(*this, getExtents(), count)))
    return failure();
  // workers_c2
  for (int64_t step : getSteps())
    if (step <= 0)
      return emitOpError("expected positive steps, but got ") << step;
  // workers_c3
  SmallVector<Type> types(count, IndexType::get(getContext()));
  if (getIndices().size() != count)
    return emitOpError("expected ")
           << count << " names, but got " << getIndices().size();
  if (failed(verifyArguments(*this, getBody(), types)))
    return failure();
  // workers_c4
  if (std::optional<uint64_t> innermost = getInnermost())
    if (*innermost >= count)
      return emitOpError("expected an 'innermost' below ")
             << count << ", but got " << int64_t(*innermost);
  return verifyYield(*this, getBody(), {});
}

//===----------------------------------------------------------------------===//
// ExtentOp
//===----------------------------------------------------------------------===//

LogicalResult ExtentOp::verify() {
  if (!(*this)->getParentOfType<KernelOp>())
    return emitOpError("expected to be inside of a 'sparkle.kernel'");
  // extent_c1
  return verifyExtents(*this, getMap(), 1);
}

//===----------------------------------------------------------------------===//
// LoopOp
//===----------------------------------------------------------------------===//

ParseResult LoopOp::parse(OpAsmParser &parser, OperationState &result) {
  Builder &builder = parser.getBuilder();
  OpAsmParser::Argument induction;
  OpAsmParser::UnresolvedOperand lower, upper;
  IntegerAttr step;
  StringRef level;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseKeyword(&level))
    return failure();
  std::optional<Level> symbol = symbolizeLevel(level);
  if (!symbol)
    return parser.emitError(loc, "expected 'near' or 'registers', but got '")
           << level << "'";
  result.addAttribute("level",
                      builder.getI32IntegerAttr(static_cast<int32_t>(*symbol)));
  if (parser.parseArgument(induction) || parser.parseEqual() ||
      parser.parseOperand(lower) || parser.parseKeyword("to") ||
      parser.parseOperand(upper) || parser.parseKeyword("step") ||
      parser.parseAttribute(step, builder.getI64Type(), "step",
                            result.attributes))
    return failure();
  induction.type = builder.getIndexType();
  SmallVector<OpAsmParser::Argument> arguments{induction};
  SmallVector<OpAsmParser::UnresolvedOperand> init;
  if (succeeded(parser.parseOptionalKeyword("carry"))) {
    SmallVector<OpAsmParser::Argument> carried;
    SMLoc initLoc = parser.getCurrentLocation();
    if (parser.parseAssignmentList(carried, init) ||
        parser.parseColonTypeList(result.types))
      return failure();
    if (carried.size() != result.types.size())
      return parser.emitError(initLoc, "expected ")
             << carried.size() << " types, but got " << result.types.size();
    for (auto [argument, type] : llvm::zip(carried, result.types))
      argument.type = type;
    llvm::append_range(arguments, carried);
  }
  if (parser.resolveOperand(lower, builder.getIndexType(), result.operands) ||
      parser.resolveOperand(upper, builder.getIndexType(), result.operands) ||
      parser.resolveOperands(init, result.types, loc, result.operands))
    return failure();
  Region *body = result.addRegion();
  if (parser.parseRegion(*body, arguments) ||
      parser.parseOptionalAttrDict(result.attributes))
    return failure();
  ensureTerminator(*body, builder, result.location);
  return success();
}

void LoopOp::print(OpAsmPrinter &printer) {
  printer << ' ' << stringifyLevel(getLevel()) << ' ' << getInductionVar()
          << " = " << getLower() << " to " << getUpper() << " step "
          << getStep();
  if (!getInit().empty()) {
    printer << " carry (";
    llvm::interleaveComma(
        llvm::zip(getCarried(), getInit()), printer, [&](auto pair) {
          printer << std::get<0>(pair) << " = " << std::get<1>(pair);
        });
    printer << ") : ";
    llvm::interleaveComma(getResultTypes(), printer);
  }
  printer << ' ';
  printer.printRegion(getBody(), /*printEntryBlockArgs=*/false,
                      /*printBlockTerminators=*/!getInit().empty());
  printer.printOptionalAttrDict((*this)->getAttrs(), {"level", "step"});
}

LogicalResult LoopOp::verifyRegions() {
  // loop_c1
  if (static_cast<int64_t>(getStep()) <= 0)
    return emitOpError("expected a positive step, but got ")
           << static_cast<int64_t>(getStep());
  // loop_c2
  SmallVector<Type> types{IndexType::get(getContext())};
  llvm::append_range(types, getInit().getTypes());
  if (getInit().getTypes() != getResultTypes())
    return emitOpError("expected results of the carried types (")
           << getInit().getTypes() << "), but got (" << getResultTypes() << ")";
  if (failed(verifyArguments(*this, getBody(), types)))
    return failure();
  return verifyYield(*this, getBody(), getResultTypes());
}

//===----------------------------------------------------------------------===//
// StageOp
//===----------------------------------------------------------------------===//

void StageOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>
        &effects) {
  // Naming a box touches nothing; a copy writes near memory, and what is
  // computed there will be written.
  if (getRealisation() != Realisation::InPlace)
    effects.emplace_back(MemoryEffects::Write::get());
}

LogicalResult StageOp::verify() {
  StoredTensorType tensor = getTensor().getType();
  BoxType box = getType();
  bool copy = getRealisation() == Realisation::Copy;
  bool near = getRealisation() != Realisation::InPlace;
  Type element = tensor.getElementType();
  // stage_c1
  if (static_cast<int64_t>(getOrigin().size()) != tensor.getRank() ||
      static_cast<int64_t>(box.getShape().size()) != tensor.getRank() ||
      box.getElementType() != (copy ? getScalarType(element) : element))
    return emitOpError("expected an origin and a box of the rank and element "
                       "type of ")
           << tensor << ", but got " << getOrigin().size()
           << " coordinates and " << box;
  // stage_c2
  if (!near && getLayout())
    return emitOpError("expected no layout of a box in place");
  if (!copy && getOverlap())
    return emitOpError("expected no overlap of a box that is no copy");
  if (!copy && getInside())
    return emitOpError("expected no 'inside' of a box that is no copy");
  if (near && (!getLayout() || !getLayout()->isPermutation() ||
               getLayout()->getNumDims() != tensor.getRank()))
    return emitOpError("expected a layout that is a permutation of ")
           << tensor.getRank() << " dimensions";
  // stage_c3
  if (llvm::any_of(box.getShape(), ShapedType::isDynamic))
    return emitOpError("expected a box of static extents, but got ") << box;
  // stage_c4
  auto declared = getTensor().getDefiningOp<TensorOp>();
  if (getRealisation() == Realisation::Compute &&
      ((declared && declared.getRole() != Role::Temp) ||
       getScalarType(element) != element))
    return emitOpError("expected a temp of 32-bit elements, but got ")
           << tensor;
  return success();
}

//===----------------------------------------------------------------------===//
// InitOp
//===----------------------------------------------------------------------===//

LogicalResult InitOp::verify() {
  if (!getTensor())
    return success();
  // init_c1
  Type tensor = getTensor().getType();
  int64_t rank = getRank(tensor);
  if (static_cast<int64_t>(getAt().size()) != rank ||
      static_cast<int64_t>(getType().getShape().size()) != rank ||
      getType().getElementType() != getElementType(tensor))
    return emitOpError("expected coordinates and a tile of the rank and "
                       "element type of ")
           << tensor << ", but got " << getAt().size() << " coordinates and "
           << getType();
  return success();
}

//===----------------------------------------------------------------------===//
// AccumulateOp
//===----------------------------------------------------------------------===//

/// `(%operand map [inside [dims]] : type, ...)`
static ParseResult
parseReads(OpAsmParser &parser, OperationState &result, bool withInside,
           SmallVectorImpl<OpAsmParser::UnresolvedOperand> &operands,
           SmallVectorImpl<Type> &types) {
  SmallVector<Attribute> maps;
  SmallVector<int64_t> inside;
  auto parseRead = [&]() -> ParseResult {
    AffineMapAttr map;
    if (parser.parseOperand(operands.emplace_back()) ||
        parseBareMap(parser, map))
      return failure();
    maps.push_back(map);
    if (withInside) {
      int64_t &mask = inside.emplace_back(0);
      auto parseDimension = [&]() -> ParseResult {
        int64_t dim;
        SMLoc loc = parser.getCurrentLocation();
        if (parser.parseInteger(dim))
          return failure();
        if (dim < 0 || dim > 62)
          return parser.emitError(loc, "expected a dimension, but got ") << dim;
        mask |= int64_t(1) << dim;
        return success();
      };
      if (succeeded(parser.parseOptionalKeyword("inside")) &&
          parser.parseCommaSeparatedList(OpAsmParser::Delimiter::Square,
                                         parseDimension))
        return failure();
    }
    return parser.parseColonType(types.emplace_back());
  };
  if (parser.parseCommaSeparatedList(OpAsmParser::Delimiter::Paren, parseRead))
    return failure();
  result.addAttribute("maps", parser.getBuilder().getArrayAttr(maps));
  if (withInside)
    result.addAttribute("inside",
                        parser.getBuilder().getDenseI64ArrayAttr(inside));
  return success();
}

static void printReads(OpAsmPrinter &printer, ValueRange operands,
                       ArrayAttr maps, ArrayRef<int64_t> inside) {
  printer << " (";
  for (auto [i, operand] : llvm::enumerate(operands)) {
    printer << (i ? ", " : "") << operand << ' '
            << cast<AffineMapAttr>(maps[i]).getValue();
    if (i < inside.size() && inside[i]) {
      SmallVector<int64_t> dims;
      for (int64_t dim = 0; dim < 63; ++dim)
        if (inside[i] >> dim & 1)
          dims.push_back(dim);
      printer << " inside [";
      llvm::interleaveComma(dims, printer);
      printer << ']';
    }
    printer << " : " << operand.getType();
  }
  printer << ") ";
}

ParseResult AccumulateOp::parse(OpAsmParser &parser, OperationState &result) {
  OpAsmParser::UnresolvedOperand sums;
  SmallVector<OpAsmParser::UnresolvedOperand> at, operands;
  SmallVector<Type> types;
  Type tile;
  if (parser.parseOperand(sums) || parser.parseKeyword("at") ||
      parser.parseOperandList(at, OpAsmParser::Delimiter::Square) ||
      parser.parseKeyword("slice"))
    return failure();
  auto slice = DenseI64ArrayAttr::parse(parser, Type());
  if (!slice ||
      parseReads(parser, result, /*withInside=*/true, operands, types))
    return failure();
  result.addAttribute("slice", slice);
  SMLoc loc = parser.getCurrentLocation();
  Region *body = result.addRegion();
  if (parser.parseRegion(*body) ||
      parser.parseOptionalAttrDict(result.attributes) ||
      parser.parseColonType(tile) ||
      parser.resolveOperand(sums, tile, result.operands) ||
      parser.resolveOperands(at, parser.getBuilder().getIndexType(),
                             result.operands) ||
      parser.resolveOperands(operands, types, loc, result.operands))
    return failure();
  result.addTypes(tile);
  result.addAttribute("operandSegmentSizes",
                      parser.getBuilder().getDenseI32ArrayAttr(
                          {1, static_cast<int32_t>(at.size()),
                           static_cast<int32_t>(operands.size())}));
  return success();
}

void AccumulateOp::print(OpAsmPrinter &printer) {
  printer << ' ' << getSums() << " at [" << getAt() << "] slice ";
  getSliceAttr().print(printer);
  printReads(printer, getBoxes(), getMaps(), getInside());
  printer.printRegion(getBody());
  printer.printOptionalAttrDict(
      (*this)->getAttrs(), {"slice", "maps", "inside", "operandSegmentSizes"});
  printer << " : " << getType();
}

bool AccumulateOp::isInside(unsigned operand) {
  auto box = cast<BoxType>(getBoxes()[operand].getType());
  return getInside()[operand] == (int64_t(1) << box.getShape().size()) - 1;
}

LogicalResult AccumulateOp::verify() {
  size_t coordinates =
      getSums().getType().getShape().size() + getSlice().size();
  // accumulate_c1
  if (getAt().size() != coordinates)
    return emitOpError("expected ")
           << coordinates << " coordinates, but got " << getAt().size();
  // accumulate_c2
  if (getMaps().size() != getBoxes().size() ||
      getInside().size() != getBoxes().size())
    return emitOpError("expected one map and one 'inside' for each of ")
           << getBoxes().size() << " operands";
  for (auto [operand, map] :
       llvm::zip(getBoxes(), getMaps().getAsValueRange<AffineMapAttr>()))
    if (failed(
            verifyAccess(*this, map, coordinates,
                         cast<BoxType>(operand.getType()).getShape().size())))
      return failure();
  for (auto [mask, box] : llvm::zip(getInside(), getBoxes().getTypes()))
    if (mask >> cast<BoxType>(box).getShape().size())
      return emitOpError("expected 'inside' to name dimensions of ") << box;
  // accumulate_c4
  for (int64_t extent : getSlice())
    if (extent <= 0)
      return emitOpError("expected a slice of positive extents, but got ")
             << extent;
  // accumulate_c5
  if (getType() != getSums().getType())
    return emitOpError("expected a result of type ")
           << getSums().getType() << ", but got " << getType();
  return success();
}

LogicalResult AccumulateOp::verifyRegions() {
  // accumulate_c3
  if (failed(verifyArguments(
          *this, getBody(),
          scalarTypes(llvm::map_range(getBoxes().getTypes(), [](Type type) {
            return cast<BoxType>(type);
          })))))
    return failure();
  return verifyYield(*this, getBody(), getType().getElementType());
}

//===----------------------------------------------------------------------===//
// PrefetchOp
//===----------------------------------------------------------------------===//

LogicalResult PrefetchOp::verify() {
  // prefetch_c1
  if (getShape().size() != getAt().size())
    return emitOpError("expected ")
           << getAt().size() << " extents, but got " << getShape().size();
  // prefetch_c2
  if (bool(getPart()) != getParts().has_value() || getParts().value_or(1) < 1)
    return emitOpError("expected a part of a positive number of parts");
  return verifyAccess(*this, getMap(), getAt().size(),
                      getBox().getType().getShape().size());
}

//===----------------------------------------------------------------------===//
// StoreOp
//===----------------------------------------------------------------------===//

ParseResult StoreOp::parse(OpAsmParser &parser, OperationState &result) {
  Builder &builder = parser.getBuilder();
  OpAsmParser::UnresolvedOperand sums, tensor, last;
  SmallVector<OpAsmParser::UnresolvedOperand> at, operands;
  SmallVector<Type> types;
  Type tile, tensorType;
  bool partial = false;
  if (parser.parseOperand(sums) || parser.parseKeyword("to") ||
      parser.parseOperand(tensor) ||
      parser.parseOperandList(at, OpAsmParser::Delimiter::Square))
    return failure();
  if (succeeded(parser.parseOptionalKeyword("last"))) {
    partial = true;
    if (parser.parseOperand(last))
      return failure();
  }
  if (parseReads(parser, result, /*withInside=*/false, operands, types))
    return failure();
  SMLoc loc = parser.getCurrentLocation();
  Region *body = result.addRegion();
  if (parser.parseRegion(*body) ||
      parser.parseOptionalAttrDict(result.attributes) ||
      parser.parseColonType(tile) || parser.parseKeyword("to") ||
      parser.parseType(tensorType) ||
      parser.resolveOperand(sums, tile, result.operands) ||
      parser.resolveOperand(tensor, tensorType, result.operands) ||
      parser.resolveOperands(at, builder.getIndexType(), result.operands) ||
      parser.resolveOperands(operands, types, loc, result.operands) ||
      (partial &&
       parser.resolveOperand(last, builder.getI1Type(), result.operands)))
    return failure();
  result.addAttribute("operandSegmentSizes",
                      builder.getDenseI32ArrayAttr(
                          {1, 1, static_cast<int32_t>(at.size()),
                           static_cast<int32_t>(operands.size()), partial}));
  return success();
}

void StoreOp::print(OpAsmPrinter &printer) {
  printer << ' ' << getSums() << " to " << getTensor() << '[' << getAt() << ']';
  if (getLast())
    printer << " last " << getLast();
  printReads(printer, getReads(), getMaps(), {});
  printer.printRegion(getBody());
  printer.printOptionalAttrDict((*this)->getAttrs(),
                                {"maps", "operandSegmentSizes"});
  printer << " : " << getSums().getType() << " to " << getTensor().getType();
}

LogicalResult StoreOp::verify() {
  size_t rank = getSums().getType().getShape().size();
  // store_c1
  if (getAt().size() != rank ||
      static_cast<size_t>(getRank(getTensor().getType())) != rank)
    return emitOpError("expected ")
           << rank << " coordinates and a tensor of that rank, but got "
           << getAt().size() << " and " << getTensor().getType();
  // store_c2
  if (getMaps().size() != getReads().size())
    return emitOpError("expected one map for each of ")
           << getReads().size() << " operands";
  for (auto [operand, map] :
       llvm::zip(getReads(), getMaps().getAsValueRange<AffineMapAttr>()))
    if (failed(
            verifyAccess(*this, map, rank,
                         cast<StoredTensorType>(operand.getType()).getRank())))
      return failure();
  // store_c4
  Type sum = getSums().getType().getElementType();
  if (getLast() && getElementType(getTensor().getType()) != sum)
    return emitOpError("expected a tensor of ")
           << sum << " to hold partial sums, but got " << getTensor().getType();
  return success();
}

LogicalResult StoreOp::verifyRegions() {
  // store_c3
  SmallVector<Type> types{getSums().getType().getElementType()};
  llvm::append_range(
      types, scalarTypes(llvm::map_range(getReads().getTypes(), [](Type type) {
        return cast<StoredTensorType>(type);
      })));
  if (failed(verifyArguments(*this, getBody(), types)))
    return failure();
  return verifyYield(*this, getBody(),
                     getScalarType(getElementType(getTensor().getType())));
}
