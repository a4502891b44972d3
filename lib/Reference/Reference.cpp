// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Equations -> loops in double, one kernel at a time: check the arguments, then
// for every equation run over the left side, sum, and store value and bound.

#include "lib/Reference/Reference.h"
#include "lib/Reference/ErrorBound.h"
#include "lib/Reference/Half.h"
#include "lib/Reference/Sizes.h"

#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/IndexToLLVM/IndexToLLVM.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/ReconcileUnrealizedCasts/ReconcileUnrealizedCasts.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace sparkle {
namespace {

/// Where the elements of a tensor are while the reference runs.
struct Storage {
  Value data;                  // of elements, or double * of values
  Value bounds;                // double *; null for what is only read
  Type element;                // as the kernel stores it
  SmallVector<Value> extents;  // logical
  SmallVector<Value> strides;  // of the layout's results, in elements
  SmallVector<Value> physical; // extents of the layout's results
  Value count;                 // elements of the buffer
};

/// Builds NAME_reference of one kernel.
class ReferenceBuilder {
public:
  ReferenceBuilder(KernelOp kernel, ImplicitLocOpBuilder &builder)
      : kernel(kernel), b(builder), arithmetic(builder) {}

  LogicalResult build();

private:
  LLVM::LLVMFuncOp createFunction();
  void measure(TensorOp tensor);
  Value isNothingToDo();
  Value hasNullPointer();
  Value run();
  Value allocateTemps();

  void define(DefineOp op);
  void store(Storage &target, DefineOp op, ValueRange indices, Bounded element);
  Bounded evaluate(Block &block);
  Bounded evaluate(Operation *op);
  Bounded read(ReadOp op);
  Bounded sum(SumOp op);
  Bounded load(Storage &source, Value offset);
  Value offset(TensorOp tensor, ValueRange coordinates);
  Value isInside(ReadOp op, ValueRange coordinates);

  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, value);
  }
  Value status(int64_t value) {
    return arith::ConstantOp::create(b, b.getI32IntegerAttr(value));
  }
  Value element(Type type, Value pointer, Value offset) {
    Value wide = arith::IndexCastOp::create(b, b.getI64Type(), offset);
    return LLVM::GEPOp::create(b, pointer.getType(), type, pointer,
                               ArrayRef<LLVM::GEPArg>{wide});
  }
  /// The loops over `extents`, one inside the other. `body` gets the indices
  /// and what is carried, and gives what is carried on.
  using Body = llvm::function_ref<SmallVector<Value>(ValueRange, ValueRange)>;
  SmallVector<Value> loops(ArrayRef<Value> extents, ValueRange carried,
                           SmallVector<Value> &indices, Body body);

  KernelOp kernel;
  ImplicitLocOpBuilder &b;
  BoundedArithmetic arithmetic;
  SmallVector<Value> sizes;
  llvm::DenseMap<Operation *, Storage> storage;
  // Of the equation at hand.
  SmallVector<Value> indices;
  llvm::DenseMap<Value, Bounded> values;
  Operation *unknown = nullptr;
};

/// int NAME_reference(ptr..., i64...), with an empty entry block.
LLVM::LLVMFuncOp ReferenceBuilder::createFunction() {
  auto pointer = LLVM::LLVMPointerType::get(b.getContext());
  SmallVector<Type> parameters;
  for (TensorOp tensor : kernel.getTensors())
    if (tensor.getRole() != Role::Temp)
      parameters.append(tensor.getRole() == Role::Output ? 2 : 1, pointer);
  parameters.append(kernel.getSizes().size(), b.getI64Type());
  auto type = LLVM::LLVMFunctionType::get(b.getI32Type(), parameters);
  auto function = LLVM::LLVMFuncOp::create(
      b, (kernel.getSymName() + "_reference").str(), type);
  b.setInsertionPointToStart(function.addEntryBlock(b));

  unsigned next = 0;
  for (TensorOp tensor : kernel.getTensors()) {
    if (tensor.getRole() == Role::Temp)
      continue;
    storage[tensor].data = function.getArgument(next++);
    if (tensor.getRole() == Role::Output)
      storage[tensor].bounds = function.getArgument(next++);
  }
  for (Value size : function.getArguments().drop_front(next))
    sizes.push_back(
        arith::IndexCastOp::create(b, b.getIndexType(), size).getResult());
  return function;
}

LogicalResult ReferenceBuilder::build() {
  OpBuilder::InsertionGuard guard(b);
  createFunction();
  // What is too large for double is too large for a kernel's float as well.
  Value valid = areSizesValid(b, kernel, sizes);
  auto checked = scf::IfOp::create(b, b.getI32Type(), valid, true);
  LLVM::ReturnOp::create(b, checked.getResult(0));

  b.setInsertionPointToStart(checked.elseBlock());
  scf::YieldOp::create(b, status(1));
  b.setInsertionPointToStart(checked.thenBlock());
  for (TensorOp tensor : kernel.getTensors())
    measure(tensor);
  auto idle = scf::IfOp::create(b, b.getI32Type(), isNothingToDo(), true);
  scf::YieldOp::create(b, idle.getResult(0));

  b.setInsertionPointToStart(idle.thenBlock());
  scf::YieldOp::create(b, status(0));
  b.setInsertionPointToStart(idle.elseBlock());
  auto missing = scf::IfOp::create(b, b.getI32Type(), hasNullPointer(), true);
  scf::YieldOp::create(b, missing.getResult(0));

  b.setInsertionPointToStart(missing.thenBlock());
  scf::YieldOp::create(b, status(1));
  b.setInsertionPointToStart(missing.elseBlock());
  scf::YieldOp::create(b, run());
  if (!unknown)
    return success();
  return unknown->emitError("expected an op that has a reference, but got '")
         << unknown->getName() << "'";
}

/// Extents, strides and number of elements of a tensor as values.
void ReferenceBuilder::measure(TensorOp tensor) {
  Storage &entry = storage[tensor];
  entry.element = tensor.getType().getElementType();
  for (AffineExpr extent : tensor.getExtents().getResults())
    entry.extents.push_back(expand(b, extent, {}, sizes));
  AffineMap layout = tensor.getType().getLayout();
  // A factor's extent is that of its dimension, divided and rounded up, or its
  // modulus: its value at the last coordinate is not enough for the latter.
  for (auto [factor, known] : llvm::zip_equal(
           layout.getResults(), tensor.getType().getPhysicalShape()))
    entry.physical.push_back(
        ShapedType::isDynamic(known)
            ? expand(b, getPhysicalExtent(factor), entry.extents, {})
            : index(known));
  Value stride = index(1);
  entry.strides.assign(entry.physical.size(), stride);
  for (unsigned i = entry.physical.size(); i-- > 0;) {
    entry.strides[i] = stride;
    stride = arith::MulIOp::create(b, stride, entry.physical[i]);
  }
  entry.count = stride;
}

/// True if no output has an element.
Value ReferenceBuilder::isNothingToDo() {
  Value total = index(0);
  for (TensorOp tensor : kernel.getTensors())
    if (tensor.getRole() == Role::Output)
      total = arith::AddIOp::create(b, total, storage[tensor].count);
  return arith::CmpIOp::create(b, arith::CmpIPredicate::eq, total, index(0));
}

Value ReferenceBuilder::hasNullPointer() {
  Value found = arith::ConstantOp::create(b, b.getBoolAttr(false));
  for (TensorOp tensor : kernel.getTensors()) {
    if (tensor.getRole() == Role::Temp)
      continue;
    Value data = storage[tensor].data;
    Value null = LLVM::ZeroOp::create(b, data.getType());
    Value isNull = LLVM::ICmpOp::create(b, LLVM::ICmpPredicate::eq, data, null);
    found = arith::OrIOp::create(b, found, isNull);
  }
  return found;
}

/// All equations; gives the status.
Value ReferenceBuilder::run() {
  Value scratch = allocateTemps();
  auto defineAll = [&] {
    for (DefineOp op : kernel.getBody().getOps<DefineOp>())
      define(op);
  };
  if (!scratch) {
    defineAll();
    return status(0);
  }
  Value null = LLVM::ZeroOp::create(b, scratch.getType());
  Value failed =
      LLVM::ICmpOp::create(b, LLVM::ICmpPredicate::eq, scratch, null);
  auto result = scf::IfOp::create(b, b.getI32Type(), failed, true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(result.thenBlock());
  scf::YieldOp::create(b, status(2));
  b.setInsertionPointToStart(result.elseBlock());
  defineAll();
  callLibrary(b, "free", {}, scratch);
  scf::YieldOp::create(b, status(0));
  return result.getResult(0);
}

/// One block for the values and the bounds of all temps; null if there are
/// none.
Value ReferenceBuilder::allocateTemps() {
  SmallVector<TensorOp> temps = kernel.getTensors();
  llvm::erase_if(temps, [](TensorOp t) { return t.getRole() != Role::Temp; });
  if (temps.empty())
    return {};
  // One element more, or an empty block might come as a null pointer.
  Value total = index(1);
  for (TensorOp temp : temps) {
    Value twice = arith::MulIOp::create(b, storage[temp].count, index(2));
    total = arith::AddIOp::create(b, total, twice);
  }
  Value bytes = arith::MulIOp::create(b, total, index(sizeof(double)));
  Value wide = arith::IndexCastOp::create(b, b.getI64Type(), bytes);
  auto pointer = LLVM::LLVMPointerType::get(b.getContext());
  Value block = callLibrary(b, "malloc", pointer, wide);
  Value next = block;
  for (TensorOp temp : temps) {
    Storage &entry = storage[temp];
    entry.data = next;
    entry.bounds = element(b.getF64Type(), next, entry.count);
    next = element(b.getF64Type(), entry.bounds, entry.count);
  }
  return block;
}

SmallVector<Value> ReferenceBuilder::loops(ArrayRef<Value> extents,
                                           ValueRange carried,
                                           SmallVector<Value> &indices,
                                           Body body) {
  if (extents.empty())
    return body(indices, carried);
  auto loop =
      scf::ForOp::create(b, index(0), extents.front(), index(1), carried);
  OpBuilder::InsertionGuard guard(b);
  // The builder of a loop that carries nothing ends its body itself.
  if (carried.empty())
    b.setInsertionPoint(loop.getBody()->getTerminator());
  else
    b.setInsertionPointToStart(loop.getBody());
  indices.push_back(loop.getInductionVar());
  SmallVector<Value> next =
      loops(extents.drop_front(), loop.getRegionIterArgs(), indices, body);
  indices.pop_back();
  if (!carried.empty())
    scf::YieldOp::create(b, next);
  return llvm::to_vector_of<Value>(loop.getResults());
}

void ReferenceBuilder::define(DefineOp op) {
  auto target = op.getTarget().getDefiningOp<TensorOp>();
  indices.clear();
  values.clear();
  loops(storage[target].extents, {}, indices, [&](ValueRange, ValueRange) {
    Bounded result = evaluate(op.getBody().front());
    store(storage[target], op, indices, result);
    return SmallVector<Value>();
  });
}

void ReferenceBuilder::store(Storage &target, DefineOp op, ValueRange indices,
                             Bounded result) {
  Type f64 = b.getF64Type();
  auto tensor = op.getTarget().getDefiningOp<TensorOp>();
  Value place = offset(tensor, indices);
  if (target.element.isF16())
    result = storeHalf(b, result);
  LLVM::StoreOp::create(b, result.value, element(f64, target.data, place));
  Value null = LLVM::ZeroOp::create(b, target.bounds.getType());
  Value wanted =
      LLVM::ICmpOp::create(b, LLVM::ICmpPredicate::ne, target.bounds, null);
  auto maybe = scf::IfOp::create(b, wanted, false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(maybe.thenBlock());
  LLVM::StoreOp::create(b, result.error, element(f64, target.bounds, place));
}

/// The ops of a body in order; gives what it yields.
Bounded ReferenceBuilder::evaluate(Block &block) {
  for (Operation &op : block.without_terminator())
    values[op.getResult(0)] = evaluate(&op);
  return values[block.getTerminator()->getOperand(0)];
}

Bounded ReferenceBuilder::evaluate(Operation *op) {
  auto x = [&](unsigned i) { return values[op->getOperand(i)]; };
  return llvm::TypeSwitch<Operation *, Bounded>(op)
      .Case([&](arith::ConstantOp constant) {
        auto value = dyn_cast<FloatAttr>(constant.getValue());
        if (!value)
          unknown = op;
        return arithmetic.constant(value ? value.getValueAsDouble() : 0);
      })
      .Case([&](arith::AddFOp) { return arithmetic.add(x(0), x(1)); })
      .Case([&](arith::SubFOp) { return arithmetic.subtract(x(0), x(1)); })
      .Case([&](arith::MulFOp) { return arithmetic.multiply(x(0), x(1)); })
      .Case([&](arith::DivFOp) { return arithmetic.divide(x(0), x(1)); })
      .Case([&](arith::NegFOp) { return arithmetic.negate(x(0)); })
      .Case<arith::MaximumFOp, arith::MaxNumFOp>(
          [&](auto) { return arithmetic.maximum(x(0), x(1)); })
      .Case<arith::MinimumFOp, arith::MinNumFOp>(
          [&](auto) { return arithmetic.minimum(x(0), x(1)); })
      .Case([&](ActivateOp activate) {
        return arithmetic.activate(activate.getFunction(), x(0));
      })
      .Case([&](ReadOp op) { return read(op); })
      .Case([&](SumOp op) { return sum(op); })
      .Default([&](Operation *) {
        unknown = op;
        return arithmetic.constant(0);
      });
}

/// The element, or zero outside of the tensor.
Bounded ReferenceBuilder::read(ReadOp op) {
  auto tensor = op.getTensor().getDefiningOp<TensorOp>();
  // Outside of the sum there are fewer loops than the map has dimensions.
  SmallVector<Value> dims(indices);
  dims.resize(op.getMap().getNumDims(), index(0));
  SmallVector<Value> coordinates;
  for (AffineExpr expr : op.getMap().getResults())
    coordinates.push_back(expand(b, expr, dims, {}));

  Type f64 = b.getF64Type();
  auto inside = scf::IfOp::create(b, TypeRange{f64, f64},
                                  isInside(op, coordinates), true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(inside.thenBlock());
  Bounded found = load(storage[tensor], offset(tensor, coordinates));
  scf::YieldOp::create(b, ValueRange{found.value, found.error});
  b.setInsertionPointToStart(inside.elseBlock());
  Bounded zero = arithmetic.constant(0);
  scf::YieldOp::create(b, ValueRange{zero.value, zero.error});
  return {inside.getResult(0), inside.getResult(1)};
}

Value ReferenceBuilder::isInside(ReadOp op, ValueRange coordinates) {
  auto tensor = op.getTensor().getDefiningOp<TensorOp>();
  Value inside = arith::ConstantOp::create(b, b.getBoolAttr(true));
  for (auto [coordinate, extent] :
       llvm::zip_equal(coordinates, storage[tensor].extents)) {
    // As unsigned numbers, negative ones are larger than any extent.
    Value within =
        arith::CmpIOp::create(b, arith::CmpIPredicate::ult, coordinate, extent);
    inside = arith::AndIOp::create(b, inside, within);
  }
  return inside;
}

Value ReferenceBuilder::offset(TensorOp tensor, ValueRange coordinates) {
  Value sum = index(0);
  for (auto [factor, stride] :
       llvm::zip_equal(tensor.getType().getLayout().getResults(),
                       storage[tensor].strides)) {
    Value position = expand(b, factor, coordinates, {});
    Value step = arith::MulIOp::create(b, position, stride);
    sum = arith::AddIOp::create(b, sum, step);
  }
  return sum;
}

Bounded ReferenceBuilder::load(Storage &source, Value offset) {
  Type f64 = b.getF64Type();
  if (!source.bounds) {
    bool isHalf = source.element.isF16();
    Type type = isHalf ? Type(b.getI16Type()) : b.getF32Type();
    Value value =
        LLVM::LoadOp::create(b, type, element(type, source.data, offset));
    value = isHalf ? expandHalf(b, value)
                   : arith::ExtFOp::create(b, f64, value).getResult();
    return {value, arithmetic.number(0)};
  }
  return {LLVM::LoadOp::create(b, f64, element(f64, source.data, offset)),
          LLVM::LoadOp::create(b, f64, element(f64, source.bounds, offset))};
}

/// Sums value, magnitude and error of the terms side by side.
Bounded ReferenceBuilder::sum(SumOp op) {
  auto define = op->getParentOfType<DefineOp>();
  SmallVector<int64_t> all = define.getStaticExtents();
  SmallVector<Value> extents;
  double count = 1; // as a product of extents it may leave 64 bits
  for (int64_t extent : ArrayRef(all).drop_front(define.getNumOutputs())) {
    extents.push_back(index(extent));
    count *= static_cast<double>(extent);
  }
  Value zero = arithmetic.number(0);
  SmallVector<Value> totals = loops(
      extents, {zero, zero, zero}, indices,
      [&](ValueRange, ValueRange carried) -> SmallVector<Value> {
        Bounded term = evaluate(op.getBody().front());
        return {arithmetic.plus(carried[0], term.value),
                arithmetic.plus(carried[1], arithmetic.magnitude(term.value)),
                arithmetic.plus(carried[2], term.error)};
      });
  return arithmetic.sum(count, totals[0], totals[1], totals[2]);
}

} // namespace

LogicalResult buildReferences(ModuleOp algorithm, ModuleOp module) {
  for (KernelOp kernel : algorithm.getOps<KernelOp>()) {
    if (!kernel.getReference())
      continue;
    ImplicitLocOpBuilder builder(kernel.getLoc(), module.getBodyRegion());
    builder.setInsertionPointToEnd(module.getBody());
    if (failed(ReferenceBuilder(kernel, builder).build()))
      return failure();
  }
  return success();
}

LogicalResult lowerReferences(ModuleOp module) {
  PassManager manager(module.getContext());
  manager.addPass(createSCFToControlFlowPass());
  manager.addNestedPass<LLVM::LLVMFuncOp>(createConvertMathToLLVMPass());
  manager.addPass(createArithToLLVMConversionPass());
  manager.addPass(createConvertIndexToLLVMPass());
  manager.addPass(createConvertControlFlowToLLVMPass());
  manager.addPass(createReconcileUnrealizedCastsPass());
  return manager.run(module);
}

void registerReferenceDialects(DialectRegistry &registry) {
  registry.insert<arith::ArithDialect, math::MathDialect, scf::SCFDialect,
                  LLVM::LLVMDialect>();
}

} // namespace sparkle
