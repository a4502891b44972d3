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
  Value bounds;                // double *, of an output; else null
  Value least, most;           // double *, of a temp; else null
  Type element;                // as the kernel stores it
  AffineMap layout;            // of the tensor
  SmallVector<Value> extents;  // logical
  SmallVector<Value> strides;  // of the layout's results, in elements
  SmallVector<Value> physical; // extents of the layout's results
  Value count;                 // elements of the buffer
};

/// Builds NAME_reference of one kernel.
class ReferenceBuilder {
public:
  /// `rewritings` are other ways to compute the same, whose errors count too.
  ReferenceBuilder(KernelOp kernel, ArrayRef<KernelOp> rewritings,
                   ImplicitLocOpBuilder &builder)
      : kernel(kernel), rewritings(rewritings), b(builder),
        arithmetic(builder) {}

  LogicalResult build();

private:
  LLVM::LLVMFuncOp createFunction();
  void measure(Operation *tensor, StoredTensorType type, AffineMap extents);
  void measureRewriting(KernelOp other);
  Value isNothingToDo();
  Value hasNullPointer();
  Value run();
  Value allocateTemps();

  void defineRewriting(KernelOp other);
  void transform(TransformOp op);
  void tabulate(ConstantOp op);
  void define(DefineOp op);
  void store(Storage &target, ValueRange indices, Bounded element);
  Bounded evaluate(Block &block);
  Bounded evaluate(Operation *op);
  Bounded read(ReadOp op);
  Bounded sum(SumOp op);
  Bounded load(Storage &source, Value offset);
  Value offset(const Storage &storage, ValueRange coordinates);
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
  ArrayRef<KernelOp> rewritings;
  ImplicitLocOpBuilder &b;
  BoundedArithmetic arithmetic;
  SmallVector<Value> sizes;
  llvm::DenseMap<Operation *, Storage> storage;
  /// What is stored while the reference runs, in the order of the block.
  SmallVector<Operation *> temps;
  /// The outputs are there, and only their bounds may grow.
  bool isRewriting = false;
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
  for (TensorOp tensor : kernel.getTensors()) {
    measure(tensor, tensor.getType(), tensor.getExtents());
    if (tensor.getRole() == Role::Temp)
      temps.push_back(tensor);
  }
  for (KernelOp other : rewritings)
    measureRewriting(other);
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

/// The tensors of a rewriting: those of the kernel are in the same place, and
/// what it adds is stored besides.
void ReferenceBuilder::measureRewriting(KernelOp other) {
  unsigned count = sizes.size();
  for (Operation &op : other.getBody().front()) {
    if (auto transform = dyn_cast<TransformOp>(op)) {
      measure(&op, transform.getType(),
              transform.getType().getStaticExtents(count));
      temps.push_back(&op);
    } else if (auto constant = dyn_cast<ConstantOp>(op)) {
      measure(&op, constant.getType(),
              constant.getType().getStaticExtents(count));
    } else if (auto tensor = dyn_cast<TensorOp>(op)) {
      bool isKnown = llvm::any_of(kernel.getTensors(), [&](TensorOp mine) {
        return mine.getName() == tensor.getName();
      });
      if (!isKnown) {
        measure(&op, tensor.getType(), tensor.getExtents());
        temps.push_back(&op);
      }
    }
  }
}

/// Extents, strides and number of elements of a tensor as values.
void ReferenceBuilder::measure(Operation *tensor, StoredTensorType type,
                               AffineMap extents) {
  Storage &entry = storage[tensor];
  entry.element = type.getElementType();
  for (AffineExpr extent : extents.getResults())
    entry.extents.push_back(expand(b, extent, {}, sizes));
  AffineMap layout = entry.layout = type.getLayout();
  // A factor's extent is that of its dimension, divided and rounded up, or its
  // modulus: its value at the last coordinate is not enough for the latter.
  for (auto [factor, known] :
       llvm::zip_equal(layout.getResults(), type.getPhysicalShape()))
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
    for (KernelOp other : rewritings)
      defineRewriting(other);
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

/// One block for the values and the intervals of all temps; null if there are
/// none.
Value ReferenceBuilder::allocateTemps() {
  if (temps.empty())
    return {};
  // One element more, or an empty block might come as a null pointer.
  Value total = index(1);
  for (Operation *temp : temps) {
    Value all = arith::MulIOp::create(b, storage[temp].count, index(3));
    total = arith::AddIOp::create(b, total, all);
  }
  Value bytes = arith::MulIOp::create(b, total, index(sizeof(double)));
  Value wide = arith::IndexCastOp::create(b, b.getI64Type(), bytes);
  auto pointer = LLVM::LLVMPointerType::get(b.getContext());
  Value block = callLibrary(b, "malloc", pointer, wide);
  Value next = block;
  for (Operation *temp : temps) {
    Storage &entry = storage[temp];
    for (Value *part : {&entry.data, &entry.least, &entry.most}) {
      *part = next;
      next = element(b.getF64Type(), next, entry.count);
    }
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

/// Computes the kernel in another way, for what it adds to the bounds.
void ReferenceBuilder::defineRewriting(KernelOp other) {
  isRewriting = true;
  for (Operation &op : other.getBody().front()) {
    if (auto tensor = dyn_cast<TensorOp>(op)) {
      for (TensorOp mine : kernel.getTensors())
        if (mine.getName() == tensor.getName())
          storage[tensor] = Storage(storage[mine]);
    } else if (auto constant = dyn_cast<ConstantOp>(op)) {
      tabulate(constant);
    } else if (auto changed = dyn_cast<TransformOp>(op)) {
      transform(changed);
    } else if (auto equation = dyn_cast<DefineOp>(op)) {
      define(equation);
    }
  }
  isRewriting = false;
}

/// Numbers of float that are exact.
void ReferenceBuilder::tabulate(ConstantOp op) {
  auto values = cast<DenseElementsAttr>(op.getValues());
  auto function =
      b.getInsertionBlock()->getParentOp()->getParentOfType<LLVM::LLVMFuncOp>();
  auto module = function->getParentOfType<ModuleOp>();
  auto globals = module.getOps<LLVM::GlobalOp>();
  std::string name = (function.getSymName() + ".table." +
                      Twine(std::distance(globals.begin(), globals.end())))
                         .str();
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(function);
    LLVM::GlobalOp::create(
        b, LLVM::LLVMArrayType::get(b.getF32Type(), values.size()),
        /*isConstant=*/true, LLVM::Linkage::Private, name,
        values.reshape(RankedTensorType::get(values.size(), b.getF32Type())));
  }
  storage[op].data = LLVM::AddressOfOp::create(
      b, LLVM::LLVMPointerType::get(b.getContext()), name);
}

/// Each element in double, and rounded once.
void ReferenceBuilder::transform(TransformOp op) {
  Storage &target = storage[op],
          &source = storage[op.getSource().getDefiningOp()];
  auto matrix = op.getMatrix().getValues<double>();
  int64_t columns = op.getMatrix().getShapedType().getDimSize(1);
  int64_t rows = op.getMatrix().getShapedType().getDimSize(0);
  ArrayRef<int64_t> dims = op.getDims();
  // One element of the result for every pair of rows, with the numbers of both.
  SmallVector<Value> extents = target.extents;
  for (int64_t dim : dims)
    extents[dim] = index(1);
  indices.clear();
  loops(extents, {}, indices, [&](ValueRange, ValueRange) {
    int64_t count = 1, terms = 1;
    for (size_t i = 0; i < dims.size(); ++i) {
      count *= rows;
      terms *= columns;
    }
    for (int64_t element = 0; element < count; ++element) {
      SmallVector<Value> place(indices), from(indices);
      Value sum = arithmetic.number(0);
      for (int64_t term = 0; term < terms; ++term) {
        double factor = 1;
        for (int64_t i = dims.size(), e = element, t = term; i-- > 0;
             e /= rows, t /= columns) {
          place[dims[i]] = index(e % rows);
          from[dims[i]] = index(t % columns);
          factor *= matrix[e % rows * columns + t % columns];
        }
        if (factor == 0)
          continue;
        Value value = load(source, offset(source, from)).value;
        sum = arithmetic.plus(
            sum, arithmetic.times(arithmetic.number(factor), value));
      }
      store(target, place, arithmetic.rounded(arithmetic.exact(sum)));
    }
    return SmallVector<Value>();
  });
}

void ReferenceBuilder::define(DefineOp op) {
  auto target = op.getTarget().getDefiningOp<TensorOp>();
  indices.clear();
  values.clear();
  loops(storage[target].extents, {}, indices, [&](ValueRange, ValueRange) {
    Bounded result = evaluate(op.getBody().front());
    store(storage[target], indices, result);
    return SmallVector<Value>();
  });
}

void ReferenceBuilder::store(Storage &target, ValueRange indices,
                             Bounded result) {
  Type f64 = b.getF64Type();
  Value place = offset(target, indices);
  if (target.element.isF16())
    result = storeHalf(b, result);
  Value value = element(f64, target.data, place);
  if (!target.bounds) {
    LLVM::StoreOp::create(b, result.value, value);
    LLVM::StoreOp::create(b, result.least, element(f64, target.least, place));
    LLVM::StoreOp::create(b, result.most, element(f64, target.most, place));
    return;
  }
  if (!isRewriting)
    LLVM::StoreOp::create(b, result.value, value);
  Value null = LLVM::ZeroOp::create(b, target.bounds.getType());
  Value wanted =
      LLVM::ICmpOp::create(b, LLVM::ICmpPredicate::ne, target.bounds, null);
  auto maybe = scf::IfOp::create(b, wanted, false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(maybe.thenBlock());
  Value bound = element(f64, target.bounds, place);
  if (!isRewriting) {
    LLVM::StoreOp::create(b, arithmetic.getBound(result.value, result), bound);
    return;
  }
  // How far this way may be from the value that the equation has, which lies in
  // its interval unless what is computed is something else.
  Value known = LLVM::LoadOp::create(b, f64, value);
  Value least = LLVM::LoadOp::create(b, f64, bound);
  Value larger =
      arith::MaximumFOp::create(b, arithmetic.getBound(known, result), least);
  auto isBeyond = [&](arith::CmpFPredicate predicate, Value end) -> Value {
    return arith::CmpFOp::create(b, predicate, known, end);
  };
  Value isOther =
      arith::OrIOp::create(b, isBeyond(arith::CmpFPredicate::OLT, result.least),
                           isBeyond(arith::CmpFPredicate::OGT, result.most));
  Value bounded = arith::SelectOp::create(b, isOther, least, larger);
  LLVM::StoreOp::create(b, bounded, bound);
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
      .Case([&](arith::CmpFOp compare) {
        return arithmetic.compare(compare.getPredicate(), x(0), x(1));
      })
      .Case(
          [&](arith::SelectOp) { return arithmetic.select(x(0), x(1), x(2)); })
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
  Storage &source = storage[op.getTensor().getDefiningOp()];
  // Outside of the sum there are fewer loops than the map has dimensions.
  SmallVector<Value> dims(indices);
  dims.resize(op.getMap().getNumDims(), index(0));
  SmallVector<Value> coordinates;
  for (AffineExpr expr : op.getMap().getResults())
    coordinates.push_back(expand(b, expr, dims, {}));

  // What is exact stays one value, and the arithmetic of it is less.
  SmallVector<Type> types(source.least ? 3 : 1, b.getF64Type());
  auto inside = scf::IfOp::create(b, types, isInside(op, coordinates), true);
  auto yield = [&](Bounded x) {
    SmallVector<Value> all = {x.value, x.least, x.most};
    scf::YieldOp::create(b, ArrayRef(all).take_front(types.size()));
  };
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(inside.thenBlock());
  yield(load(source, offset(source, coordinates)));
  b.setInsertionPointToStart(inside.elseBlock());
  yield(arithmetic.constant(0));
  if (!source.least)
    return arithmetic.exact(inside.getResult(0));
  return {inside.getResult(0), inside.getResult(1), inside.getResult(2)};
}

Value ReferenceBuilder::isInside(ReadOp op, ValueRange coordinates) {
  Operation *tensor = op.getTensor().getDefiningOp();
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

Value ReferenceBuilder::offset(const Storage &storage, ValueRange coordinates) {
  Value sum = index(0);
  for (auto [factor, stride] :
       llvm::zip_equal(storage.layout.getResults(), storage.strides)) {
    Value position = expand(b, factor, coordinates, {});
    Value step = arith::MulIOp::create(b, position, stride);
    sum = arith::AddIOp::create(b, sum, step);
  }
  return sum;
}

Bounded ReferenceBuilder::load(Storage &source, Value offset) {
  Type f64 = b.getF64Type();
  auto get = [&](Type type, Value data) -> Value {
    return LLVM::LoadOp::create(b, type, element(type, data, offset));
  };
  if (source.least)
    return {get(f64, source.data), get(f64, source.least),
            get(f64, source.most)};
  if (source.element.isF16())
    return arithmetic.exact(expandHalf(b, get(b.getI16Type(), source.data)));
  return arithmetic.exact(
      arith::ExtFOp::create(b, f64, get(b.getF32Type(), source.data)));
}

Bounded ReferenceBuilder::sum(SumOp op) {
  auto define = op->getParentOfType<DefineOp>();
  SmallVector<int64_t> all = define.getStaticExtents();
  SmallVector<Value> extents;
  double count = 1; // as a product of extents it may leave 64 bits
  for (int64_t extent : ArrayRef(all).drop_front(define.getNumOutputs())) {
    extents.push_back(index(extent));
    count *= static_cast<double>(extent);
  }
  SmallVector<Value> totals = loops(extents, arithmetic.startSum(), indices,
                                    [&](ValueRange, ValueRange totals) {
                                      Bounded term =
                                          evaluate(op.getBody().front());
                                      return arithmetic.addTerm(totals, term);
                                    });
  return arithmetic.finishSum(count, totals);
}

} // namespace

/// What distinguishes a way to compute a kernel from another: the transforms
/// of its equations.
static std::string getRewriting(KernelOp kernel) {
  std::string rewriting;
  for (DefineOp define : kernel.getBody().getOps<DefineOp>()) {
    PatternAttr pattern = define.getPatternAttr();
    if (!pattern || !pattern.getTransform() || pattern.getTransform() == "none")
      continue;
    auto tensor = define.getTarget().getDefiningOp<TensorOp>();
    rewriting += tensor.getName().str() + ": " +
                 pattern.getTransform().getValue().str() + "\n";
  }
  return rewriting;
}

LogicalResult buildReferences(ModuleOp algorithm, ArrayRef<ModuleOp> rewritings,
                              ModuleOp module) {
  for (KernelOp kernel : algorithm.getOps<KernelOp>()) {
    if (!kernel.getReference())
      continue;
    SmallVector<std::string> names;
    SmallVector<KernelOp> distinct;
    for (ModuleOp rewriting : rewritings)
      for (KernelOp other : rewriting.getOps<KernelOp>()) {
        std::string name = getRewriting(other);
        if (other.getSymName() != kernel.getSymName() || name.empty() ||
            llvm::is_contained(names, name))
          continue;
        names.push_back(name);
        distinct.push_back(other);
      }
    ImplicitLocOpBuilder builder(kernel.getLoc(), module.getBodyRegion());
    builder.setInsertionPointToEnd(module.getBody());
    if (failed(ReferenceBuilder(kernel, distinct, builder).build()))
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
