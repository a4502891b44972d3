// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs through the loops of the tiled level and adds up boxes. A loop of which
// every trip moves the same number of bytes becomes a product.

#include "lib/Compiler/Traffic.h"
#include "lib/Reference/Sizes.h"
#include "sparkle/kernel.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace sparkle {
namespace {

int64_t getBytes(Type element) { return element.getIntOrFloatBitWidth() / 8; }

Value number(ImplicitLocOpBuilder &b, int64_t value) {
  return arith::ConstantIndexOp::create(b, value);
}

Value add(ImplicitLocOpBuilder &b, Value x, Value y) {
  return b.createOrFold<arith::AddIOp>(x, y);
}

Value multiply(ImplicitLocOpBuilder &b, Value x, Value y) {
  return b.createOrFold<arith::MulIOp>(x, y);
}

/// Bytes of the elements, without what a layout adds for whole blocks.
Value getLogicalBytes(ImplicitLocOpBuilder &b, TensorOp tensor,
                      ValueRange sizes) {
  Value bytes = number(b, getBytes(tensor.getType().getElementType()));
  for (AffineExpr extent : tensor.getExtents().getResults())
    bytes = multiply(b, bytes, expand(b, extent, {}, sizes));
  return bytes;
}

Value getPhysicalBytes(ImplicitLocOpBuilder &b, TensorOp tensor,
                       ValueRange sizes) {
  SmallVector<Value> extents;
  for (AffineExpr extent : tensor.getExtents().getResults())
    extents.push_back(expand(b, extent, {}, sizes));
  Value bytes = number(b, getBytes(tensor.getType().getElementType()));
  for (AffineExpr factor : tensor.getType().getLayout().getResults())
    bytes =
        multiply(b, bytes, expand(b, getPhysicalExtent(factor), extents, {}));
  return bytes;
}

//===----------------------------------------------------------------------===//
// Boxes
//===----------------------------------------------------------------------===//

/// How many values `expr` takes at most while the coordinates run through
/// `shape`: as many as lie between the first and the last, or as there are
/// coordinates.
struct Spread {
  int64_t range = 1, points = 1;
  int64_t count() const { return std::min(range, points); }
};

Spread getSpread(AffineExpr expr, ArrayRef<int64_t> shape) {
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return {shape[dim.getPosition()], shape[dim.getPosition()]};
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary)
    return {};
  Spread x = getSpread(binary.getLHS(), shape);
  Spread y = getSpread(binary.getRHS(), shape);
  int64_t points = x.points * y.points;
  auto constant = dyn_cast<AffineConstantExpr>(binary.getRHS());
  int64_t value = constant ? std::abs(constant.getValue()) : 1;
  switch (expr.getKind()) {
  case AffineExprKind::Add:
    return {x.range + y.range - 1, points};
  case AffineExprKind::Mul:
    return {(x.range - 1) * value + 1, points};
  case AffineExprKind::Mod:
    return {std::min(x.range, value), points};
  default: // a division
    return {(x.range - 1 + value - 1) / value + 1, points};
  }
}

/// The elements of a box or tensor of `bounds` that are read at `map` of the
/// points of `shape`.
int64_t countElements(AffineMap map, ArrayRef<int64_t> shape,
                      ArrayRef<int64_t> bounds) {
  int64_t count = 1;
  for (auto [expr, bound] : llvm::zip_equal(map.getResults(), bounds)) {
    int64_t extent = getSpread(expr, shape).count();
    count *= ShapedType::isDynamic(bound) ? extent : std::min(extent, bound);
  }
  return count;
}

/// Of each stage: the box, as far as the tensor reaches. What is computed near
/// never was far.
int64_t getFarBytes(StageOp stage) {
  if (stage.getRealisation() == Realisation::Compute ||
      stage.getTensor().getDefiningOp<ConstantOp>())
    return 0;
  BoxType box = stage.getType();
  int64_t bytes = getBytes(stage.getTensor().getType().getElementType());
  for (auto [extent, bound] :
       llvm::zip_equal(box.getShape(), stage.getTensor().getType().getShape()))
    bytes *= ShapedType::isDynamic(bound) ? extent : std::min(extent, bound);
  return bytes;
}

/// Of each store: what the epilogue reads.
int64_t getFarBytes(StoreOp store) {
  int64_t bytes = 0;
  for (auto [tensor, map] :
       llvm::zip_equal(store.getReads(),
                       store.getMaps().getAsValueRange<AffineMapAttr>())) {
    auto type = cast<StoredTensorType>(tensor.getType());
    bytes += getBytes(type.getElementType()) *
             countElements(map, store.getSums().getType().getShape(),
                           type.getShape());
  }
  return bytes;
}

/// Of each accumulate: its operands.
int64_t getNearBytes(AccumulateOp accumulate) {
  SmallVector<int64_t> shape(accumulate.getSums().getType().getShape());
  llvm::append_range(shape, accumulate.getSlice());
  int64_t bytes = 0;
  for (auto [box, map] :
       llvm::zip_equal(accumulate.getBoxes(),
                       accumulate.getMaps().getAsValueRange<AffineMapAttr>())) {
    auto type = cast<BoxType>(box.getType());
    bytes += getBytes(type.getElementType()) *
             countElements(map, shape, type.getShape());
  }
  return bytes;
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

enum class Memory { Far, Near };

/// Builds the sum over all trips of all loops.
class Counter {
public:
  Counter(ImplicitLocOpBuilder &builder, Memory memory, ValueRange sizes)
      : b(builder), memory(memory), sizes(sizes) {}

  /// Null if the block moves nothing.
  Value count(Block &block);

private:
  Value count(Operation &op);
  Value count(WorkersOp workers, unsigned index);
  Value count(LoopOp loop);
  Value count(StoreOp store);
  Value constant(int64_t bytes) { return bytes ? number(b, bytes) : Value(); }
  using Body = llvm::function_ref<Value()>;
  Value repeat(Value lower, Value upper, int64_t step, Value index, Body body);
  Value compute(Value value);
  SmallVector<Value> compute(AffineMap map, ValueRange operands);
  template <typename Op> Value reduce(ArrayRef<Value> values);

  ImplicitLocOpBuilder &b;
  Memory memory;
  ValueRange sizes;
  IRMapping indices;
};

Value Counter::count(Block &block) {
  Value total;
  for (Operation &op : block)
    if (Value bytes = count(op))
      total = total ? add(b, total, bytes) : bytes;
  return total;
}

Value Counter::count(Operation &op) {
  if (auto workers = dyn_cast<WorkersOp>(op))
    return count(workers, 0);
  if (auto loop = dyn_cast<LoopOp>(op))
    return count(loop);
  if (auto accumulate = dyn_cast<AccumulateOp>(op))
    return memory == Memory::Near ? constant(getNearBytes(accumulate))
                                  : Value();
  if (memory == Memory::Near)
    return {};
  if (auto stage = dyn_cast<StageOp>(op))
    return constant(getFarBytes(stage));
  if (auto store = dyn_cast<StoreOp>(op))
    return count(store);
  return {};
}

/// One loop for each index from `index` on.
Value Counter::count(WorkersOp workers, unsigned index) {
  Block &body = workers.getBody().front();
  if (index == workers.getSteps().size())
    return count(body);
  AffineExpr extent = workers.getExtents().getResult(index);
  return repeat(number(b, 0), expand(b, extent, {}, sizes),
                workers.getSteps()[index], body.getArgument(index),
                [&] { return count(workers, index + 1); });
}

Value Counter::count(LoopOp loop) {
  return repeat(compute(loop.getLower()), compute(loop.getUpper()),
                loop.getStep(), loop.getInductionVar(),
                [&] { return count(loop.getBody().front()); });
}

/// Sums that pass through the output are finished once.
Value Counter::count(StoreOp store) {
  Value bytes = constant(getFarBytes(store));
  if (!bytes || !store.getLast())
    return bytes;
  return arith::SelectOp::create(b, compute(store.getLast()), bytes,
                                 number(b, 0));
}

Value Counter::repeat(Value lower, Value upper, int64_t step, Value index,
                      Body body) {
  auto loop = scf::ForOp::create(b, lower, upper, number(b, step),
                                 ValueRange{number(b, 0)});
  indices.map(index, loop.getInductionVar());
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Value bytes = body();
  if (bytes && !loop.getInductionVar().use_empty()) {
    Value total = add(b, loop.getRegionIterArg(0), bytes);
    scf::YieldOp::create(b, total);
    return loop.getResult(0);
  }
  if (bytes) { // every trip moves the same
    for (Operation &op : llvm::make_early_inc_range(*loop.getBody()))
      op.moveBefore(loop);
    b.setInsertionPoint(loop);
    Value trips = arith::CeilDivSIOp::create(
        b, arith::SubIOp::create(b, upper, lower), number(b, step));
    trips = arith::MaxSIOp::create(b, trips, number(b, 0));
    bytes = multiply(b, trips, bytes);
  }
  loop.erase();
  return bytes;
}

SmallVector<Value> Counter::compute(AffineMap map, ValueRange operands) {
  SmallVector<Value> values, results;
  for (Value operand : operands)
    values.push_back(compute(operand));
  ValueRange dims = ValueRange(values).take_front(map.getNumDims());
  ValueRange symbols = ValueRange(values).drop_front(map.getNumDims());
  for (AffineExpr expr : map.getResults())
    results.push_back(expand(b, expr, dims, symbols));
  return results;
}

template <typename Op> Value Counter::reduce(ArrayRef<Value> values) {
  Value result = values.front();
  for (Value value : values.drop_front())
    result = Op::create(b, result, value);
  return result;
}

/// What coordinates, bounds and conditions of the tiled level are made of.
Value Counter::compute(Value value) {
  if (Value index = indices.lookupOrNull(value))
    return index;
  Operation *op = value.getDefiningOp();
  assert(op && "the loops around have their indices mapped");
  if (auto extent = dyn_cast<ExtentOp>(op))
    return expand(b, extent.getMap().getResult(0), {}, sizes);
  if (auto apply = dyn_cast<affine::AffineApplyOp>(op))
    return compute(apply.getMap(), apply.getOperands()).front();
  if (auto min = dyn_cast<affine::AffineMinOp>(op))
    return reduce<arith::MinSIOp>(compute(min.getMap(), min.getOperands()));
  if (auto max = dyn_cast<affine::AffineMaxOp>(op))
    return reduce<arith::MaxSIOp>(compute(max.getMap(), max.getOperands()));
  IRMapping operands;
  for (Value operand : op->getOperands())
    operands.map(operand, compute(operand));
  return b.clone(*op, operands)->getResult(0);
}

/// All of one kernel; what is written, once.
Value countKernel(KernelOp kernel, ImplicitLocOpBuilder &b, Memory memory,
                  ValueRange sizes) {
  Value total = Counter(b, memory, sizes).count(kernel.getBody().front());
  if (!total)
    total = number(b, 0);
  if (memory == Memory::Far)
    for (TensorOp tensor : kernel.getTensors())
      if (tensor.getRole() == Role::Output || tensor.isInWorkspace())
        total = add(b, total, getLogicalBytes(b, tensor, sizes));
  return total;
}

} // namespace

void buildWorkspaceSize(KernelOp kernel, StringRef name, ModuleOp functions) {
  SmallVector<TensorOp> temps;
  for (TensorOp tensor : kernel.getTensors())
    if (tensor.getRole() == Role::Temp)
      temps.push_back(tensor);
  if (temps.empty())
    return;
  ImplicitLocOpBuilder b(kernel.getLoc(), functions.getBodyRegion());
  b.setInsertionPointToEnd(functions.getBody());
  buildCount(b, kernel, (name + ".workspace_size").str(),
             [&](ValueRange sizes) {
               Value total = number(b, 0);
               Value unit = number(b, SPARKLE_WORKSPACE_ALIGNMENT);
               for (TensorOp temp : temps) {
                 if (!temp.isInWorkspace())
                   continue;
                 Value bytes = getPhysicalBytes(b, temp, sizes);
                 Value units = arith::CeilDivSIOp::create(b, bytes, unit);
                 total = add(b, total, multiply(b, units, unit));
               }
               return total;
             });
}

void buildTraffic(KernelOp kernel, StringRef name, ModuleOp functions) {
  ImplicitLocOpBuilder b(kernel.getLoc(), functions.getBodyRegion());
  b.setInsertionPointToEnd(functions.getBody());
  buildCount(b, kernel, (name + ".far_bytes").str(), [&](ValueRange sizes) {
    return countKernel(kernel, b, Memory::Far, sizes);
  });
  buildCount(b, kernel, (name + ".near_bytes").str(), [&](ValueRange sizes) {
    return countKernel(kernel, b, Memory::Near, sizes);
  });
}

} // namespace sparkle
