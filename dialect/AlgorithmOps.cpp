// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Text form and verifiers of the algorithm level's ops, in the order of
// SparkleOps.td. The comment above each check is the label of the constraint in
// the op's text.

#include "dialect/OpForms.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/SmallBitVector.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace sparkle;

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
