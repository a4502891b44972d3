// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Text form and verifiers of the ops, in the order of SparkleOps.td. The
// comment above each check is the label of the constraint in the op's text.

#include "dialect/SparkleDialect.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/SmallBitVector.h"
#include "llvm/ADT/StringSet.h"

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

/// An affine map without the `affine_map<>` around it.
static ParseResult parseBareMap(OpAsmParser &parser, AffineMapAttr &attr) {
  AffineMap map;
  if (parser.parseAffineMap(map))
    return failure();
  attr = AffineMapAttr::get(map);
  return success();
}

static void printBareMap(OpAsmPrinter &printer, Operation *,
                         AffineMapAttr attr) {
  printer.getStream() << attr.getValue();
}

/// A map from the kernel's sizes to `results` extents.
static LogicalResult verifyExtents(Operation *op, AffineMap map,
                                   size_t results) {
  size_t sizes = op->getParentOfType<KernelOp>().getSizes().size();
  if (map.getNumDims() || map.getNumSymbols() != sizes ||
      map.getNumResults() != results)
    return op->emitOpError("expected extents of the form ()[")
           << sizes << " sizes] -> (" << results << " extents), but got "
           << AffineMapAttr::get(map);
  return success();
}

/// A map from `dims` coordinates to an element of a tensor of rank `rank`.
static LogicalResult verifyAccess(Operation *op, AffineMap map, size_t dims,
                                  size_t rank) {
  if (map.getNumDims() == dims && !map.getNumSymbols() &&
      map.getNumResults() == rank)
    return success();
  return op->emitOpError("expected a map of ")
         << dims << " dimensions and no symbols to " << rank
         << " coordinates, but got " << AffineMapAttr::get(map);
}

/// The entry block of `region` has arguments of `types`.
static LogicalResult verifyArguments(Operation *op, Region &region,
                                     TypeRange types) {
  if (llvm::equal(region.front().getArgumentTypes(), types))
    return success();
  return op->emitOpError("expected a body with arguments (")
         << types << "), but got (" << region.front().getArgumentTypes() << ")";
}

/// What ends `region` gives values of `types`.
static LogicalResult verifyYield(Operation *op, Region &region,
                                 TypeRange types) {
  Operation *yield = region.front().getTerminator();
  if (llvm::equal(yield->getOperandTypes(), types))
    return success();
  return op->emitOpError("expected a body that yields (")
         << types << "), but got (" << yield->getOperandTypes() << ")";
}

template <typename Types>
static SmallVector<Type> scalarTypes(Types operandTypes) {
  return llvm::map_to_vector(operandTypes, [](auto type) {
    return getScalarType(type.getElementType());
  });
}

//===----------------------------------------------------------------------===//
// KernelOp
//===----------------------------------------------------------------------===//

SmallVector<TensorOp, 8> KernelOp::getTensors() {
  return llvm::to_vector<8>(getBody().getOps<TensorOp>());
}

LogicalResult KernelOp::verifyRegions() {
  // kernel_c1
  llvm::StringSet<> names;
  for (Attribute size : getSizes())
    if (StringRef name = cast<StringAttr>(size); !names.insert(name).second)
      return emitOpError("expected distinct names, but got '")
             << name << "' twice";
  for (TensorOp tensor : getTensors())
    if (!names.insert(tensor.getName()).second)
      return tensor.emitOpError("expected distinct names, but got '")
             << tensor.getName() << "' twice";

  // kernel_c2
  if (llvm::none_of(getTensors(), [](TensorOp tensor) {
        return tensor.getRole() == Role::Output;
      }))
    return emitOpError("expected an output, but got none");

  // kernel_c3: only while the equations are still there
  if (getBody().getOps<WorkersOp>().empty()) {
    llvm::SmallPtrSet<Operation *, 4> defined;
    for (DefineOp define : getBody().getOps<DefineOp>()) {
      WalkResult result = define.walk([&](ReadOp read) {
        auto tensor = read.getTensor().getDefiningOp<TensorOp>();
        if (!tensor || tensor.getRole() != Role::Temp ||
            defined.contains(tensor))
          return WalkResult::advance();
        auto diag = read.emitOpError("expected '")
                    << tensor.getName() << "' to be defined before it is read";
        diag.attachNote(tensor.getLoc()) << "declared here";
        return WalkResult::interrupt();
      });
      if (result.wasInterrupted())
        return failure();
      Operation *target = define.getTarget().getDefiningOp();
      if (target && !defined.insert(target).second)
        return define.emitOpError("expected '")
               << cast<TensorOp>(target).getName()
               << "' to be defined once, but got a second equation";
    }
    for (TensorOp tensor : getTensors()) {
      Role role = tensor.getRole();
      bool isFused = tensor->hasAttr(kFusedAttr) && tensor.use_empty();
      if ((role == Role::Output || (role == Role::Temp && !isFused)) &&
          !defined.contains(tensor))
        return tensor.emitOpError("expected '")
               << tensor.getName() << "' to be defined, but got no equation";
    }
  }
  return success();
}

//===----------------------------------------------------------------------===//
// TensorOp
//===----------------------------------------------------------------------===//

void TensorOp::getAsmResultNames(
    llvm::function_ref<void(Value, StringRef)> setName) {
  setName(getResult(), getName());
}

bool TensorOp::isInWorkspace() {
  return getRole() == Role::Temp && !getResult().use_empty() &&
         llvm::none_of(getResult().getUsers(), [](Operation *user) {
           auto stage = dyn_cast<StageOp>(user);
           return stage && stage.getRealisation() == Realisation::Compute;
         });
}

LogicalResult TensorOp::verify() {
  auto verifyForm = [&](AffineMap extents, StoredTensorType type) {
    // tensor_c1
    if (failed(verifyExtents(*this, extents, type.getRank())))
      return failure();
    // tensor_c2
    if (!llvm::equal(staticExtents(extents), type.getShape()))
      return LogicalResult(emitOpError("expected a type with the extents ")
                           << AffineMapAttr::get(extents) << ", but got "
                           << type);
    return success();
  };
  StoredTensorType type = getType();
  if (failed(verifyForm(getExtents(), type)))
    return failure();
  // tensor_c3
  if (getRole() == Role::Weight &&
      llvm::any_of(type.getShape(), ShapedType::isDynamic))
    return emitOpError("expected a weight of static extents, but got ") << type;
  // tensor_c4
  if (getDeclaredExtents().has_value() != getDeclaredType().has_value())
    return emitOpError("expected 'declared_extents' with 'declared_type', but "
                       "got one of them");
  if (getDeclaredType())
    return verifyForm(*getDeclaredExtents(),
                      cast<StoredTensorType>(*getDeclaredType()));
  return success();
}

//===----------------------------------------------------------------------===//
// ConstantOp
//===----------------------------------------------------------------------===//

LogicalResult ConstantOp::verify() {
  ShapedType values = getValues().getShapedType();
  // constant_c1
  if (values.getShape() != getType().getShape() ||
      values.getElementType() != getType().getElementType() ||
      !values.getElementType().isF32())
    return emitOpError("expected a result of f32 with the shape of ")
           << values << ", but got " << getType();
  return success();
}

//===----------------------------------------------------------------------===//
// TransformOp
//===----------------------------------------------------------------------===//

static bool isWeight(Value value) {
  auto tensor = value.getDefiningOp<TensorOp>();
  return tensor && tensor.getRole() == Role::Weight;
}

LogicalResult TransformOp::verify() {
  // transform_c1
  if (!isWeight(getSource()))
    return emitOpError("expected a weight as source");
  // transform_c2
  ShapedType matrix = getMatrix().getShapedType();
  if (matrix.getRank() != 2 || !matrix.getElementType().isF64())
    return emitOpError("expected a matrix of f64, but got ") << matrix;
  // transform_c3
  ArrayRef<int64_t> dims = getDims();
  StoredTensorType source = getSource().getType(), result = getType();
  for (auto [i, dim] : llvm::enumerate(dims))
    if (dim < (i ? dims[i - 1] + 1 : 0) || dim >= source.getRank())
      return emitOpError("expected ascending dimensions of ")
             << source << ", but got [" << dims << "]";
  // transform_c4
  SmallVector<int64_t> shape(source.getShape());
  bool fits = true;
  for (int64_t dim : dims) {
    fits &= shape[dim] == matrix.getDimSize(1);
    shape[dim] = matrix.getDimSize(0);
  }
  if (!fits || result.getShape() != ArrayRef(shape) ||
      result.getElementType() != source.getElementType())
    return emitOpError("expected a matrix of ")
           << matrix << " to take " << source << " to the result, but got "
           << result;
  return success();
}

//===----------------------------------------------------------------------===//
// DefineOp
//===----------------------------------------------------------------------===//

SmallVector<int64_t> DefineOp::getStaticExtents() {
  return staticExtents(getExtents());
}

SumOp DefineOp::getSum() {
  auto sums = getBody().getOps<SumOp>();
  return sums.empty() ? SumOp() : *sums.begin();
}

std::vector<DefineOp> DefineOp::getProducers() {
  std::vector<DefineOp> producers;
  PatternAttr pattern = getPatternAttr();
  auto kernel = (*this)->getParentOfType<KernelOp>();
  if (!pattern || !pattern.getFuse() || !kernel)
    return producers;
  for (DefineOp define : kernel.getBody().getOps<DefineOp>())
    if (auto tensor = define.getTarget().getDefiningOp<TensorOp>();
        tensor && llvm::is_contained(pattern.getFuse(), tensor.getNameAttr()))
      producers.push_back(define);
  return producers;
}

Location DefineOp::getPatternLoc(StringRef keyword) {
  auto fused = dyn_cast<FusedLoc>(getLoc());
  if (!fused)
    return getLoc();
  for (Location loc : fused.getLocations())
    if (auto named = dyn_cast<NameLoc>(loc);
        named && named.getName() == keyword)
      return named.getChildLoc();
  return fused.getLocations().front();
}

/// define_c7, define_c8
static LogicalResult verifyPattern(DefineOp define) {
  PatternAttr pattern = define.getPatternAttr();
  int64_t count = define.getIndices().size();
  std::pair<StringRef, DenseI64ArrayAttr> lists[] = {
      {"workers", pattern.getWorkers()},
      {"near", pattern.getNear()},
      {"registers", pattern.getRegisters()},
      {"lanes", pattern.getLanes()},
      {"unroll", pattern.getUnroll()}};
  // define_c7
  for (auto [name, list] : lists) {
    if (!list)
      continue;
    if (list.size() != count)
      return define.emitOpError("expected ") << count << " entries in '" << name
                                             << "', but got " << list.size();
    for (int64_t size : list.asArrayRef())
      if (size < kAll)
        return define.emitOpError("expected sizes in '")
               << name << "' that are positive, 0 (auto) or -1 (all), but got "
               << size;
  }
  // define_c8
  DenseI64ArrayAttr order = pattern.getOrder();
  if (!order)
    return success();
  llvm::SmallBitVector seen(count);
  for (auto [i, position] : llvm::enumerate(order.asArrayRef())) {
    bool left = static_cast<int64_t>(i) < define.getNumOutputs();
    if (position < 0 || position >= count || seen[position] ||
        left != (position < define.getNumOutputs()))
      return define.emitOpError("expected 'order' to list every index once, "
                                "those of the left side first, but got [")
             << order.asArrayRef() << "]";
    seen.set(position);
  }
  if (order.size() != count)
    return define.emitOpError("expected 'order' to list every index once, "
                              "those of the left side first, but got [")
           << order.asArrayRef() << "]";
  return success();
}

LogicalResult DefineOp::verify() {
  int64_t rank = getTarget().getType().getRank();
  int64_t count = getIndices().size();
  // define_c1
  if (failed(verifyExtents(*this, getExtents(), count)))
    return failure();
  // define_c2
  if (count - static_cast<int64_t>(getReductions()) != rank)
    return emitOpError("expected ")
           << rank << " indices on the left side, but got "
           << count - static_cast<int64_t>(getReductions());
  llvm::StringSet<> names;
  for (Attribute index : getIndices())
    if (StringRef name = cast<StringAttr>(index); !names.insert(name).second)
      return emitOpError("expected distinct indices, but got '")
             << name << "' twice";
  // define_c4
  auto tensor = getTarget().getDefiningOp<TensorOp>();
  if (!tensor ||
      (tensor.getRole() != Role::Output && tensor.getRole() != Role::Temp))
    return emitOpError("expected an output or a temp as target");
  // define_c3
  if (getExtents().getResults().take_front(rank) !=
      tensor.getExtents().getResults())
    return emitOpError("expected the extents ")
           << tensor.getExtentsAttr() << " of the target, but got "
           << getExtentsAttr();
  // define_c6
  SmallVector<int64_t> staticExtents = getStaticExtents();
  for (int64_t extent : ArrayRef(staticExtents).drop_front(rank))
    if (ShapedType::isDynamic(extent) || extent <= 0)
      return emitOpError("expected reductions of static, positive extents, but "
                         "got ")
             << getExtentsAttr();
  return getPatternAttr() ? verifyPattern(*this) : success();
}

LogicalResult DefineOp::verifyRegions() {
  // define_c5
  auto sums = getBody().getOps<SumOp>();
  int64_t count = std::distance(sums.begin(), sums.end());
  if (count > 1 || (getReductions() != 0) != (count == 1))
    return emitOpError("expected ")
           << (getReductions() ? "one sum" : "no sum") << " for "
           << getReductions() << " reductions, but got " << count;
  // define_c9
  return verifyYield(*this, getBody(),
                     getScalarType(getTarget().getType().getElementType()));
}

//===----------------------------------------------------------------------===//
// ReadOp
//===----------------------------------------------------------------------===//

LogicalResult ReadOp::verify() {
  auto define = (*this)->getParentOfType<DefineOp>();
  if (!define)
    return emitOpError("expected to be inside of a 'sparkle.define'");
  // read_c1
  size_t count = define.getIndices().size();
  if (failed(verifyAccess(*this, getMap(), count,
                          getTensor().getType().getRank())))
    return failure();
  // read_c2
  Type scalar = getScalarType(getTensor().getType().getElementType());
  if (getType() != scalar)
    return emitOpError("expected a result of type ")
           << scalar << ", but got " << getType();
  // read_c3
  if (!(*this)->getParentOfType<SumOp>())
    for (size_t i = define.getNumOutputs(); i < count; ++i)
      if (getMap().isFunctionOfDim(i))
        return emitOpError("expected no reduction index outside of the sum, "
                           "but got ")
               << getMapAttr();
  // read_c4
  auto tensor = getTensor().getDefiningOp<TensorOp>();
  if (tensor && tensor.getRole() == Role::Output)
    return emitOpError("expected an input, a weight or a temp, but got the "
                       "output '")
           << tensor.getName() << "'";
  return success();
}

//===----------------------------------------------------------------------===//
// SumOp
//===----------------------------------------------------------------------===//

LogicalResult SumOp::verifyRegions() {
  // sum_c1
  return verifyYield(*this, getBody(), getType());
}

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

#define GET_OP_CLASSES
#include "dialect/SparkleOps.cpp.inc"
