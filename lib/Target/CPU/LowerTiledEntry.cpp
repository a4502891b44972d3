// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The C functions of a kernel: the entry, which checks its arguments before it
// touches anything, the size of the workspace, and the packing of weights.

#include "lib/Target/CPU/LowerTiled.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace sparkle::cpu {

/// What the functions return.
static constexpr int kDone = 0, kRefused = 1;
/// Temps begin at multiples of this many bytes.
static constexpr int64_t kTempAlignment = 64;

static int64_t getElementBytes(StoredTensorType type) {
  return type.getElementType().getIntOrFloatBitWidth() / 8;
}

/// Whether the caller knows of a temp, and so passes a workspace. The names of
/// those that the compiler adds have a dot.
static bool isDeclaredTemp(TensorOp tensor) {
  return tensor.getRole() == Role::Temp && !tensor.getName().contains('.');
}

LogicalResult KernelLowering::run() {
  for (PackOp pack : kernel.getBody().getOps<PackOp>())
    packs[pack.getWeight()] = pack;
  bool hasTemps = false;
  for (TensorOp tensor : kernel.getTensors()) {
    if (tensor.getRole() == Role::Weight)
      emitPack(tensor);
    hasTemps |= isDeclaredTemp(tensor);
  }
  if (hasTemps)
    emitWorkspaceSize();
  return emitEntry();
}

/// Adds a C function and begins its body.
LLVM::LLVMFuncOp KernelLowering::addFunction(const Twine &name, Type result,
                                             TypeRange arguments) {
  code.setInsertionPoint(kernel);
  auto type = LLVM::LLVMFunctionType::get(result, llvm::to_vector(arguments));
  auto function = LLVM::LLVMFuncOp::create(
      code, code.loc, (kernel.getSymName() + name).str(), type);
  code.setInsertionPointToStart(function.addEntryBlock(code));
  return function;
}

void KernelLowering::returnUnless(Value condition, Value result) {
  Block *leave = code.addBlock(), *stay = code.addBlock();
  code.branch(condition, stay, leave);
  code.setInsertionPointToStart(leave);
  LLVM::ReturnOp::create(code, code.loc, result);
  code.setInsertionPointToStart(stay);
}

//===----------------------------------------------------------------------===//
// Sizes
//===----------------------------------------------------------------------===//

namespace {
/// Arithmetic on sizes that notes whether a result was too large.
class CheckedArithmetic {
public:
  explicit CheckedArithmetic(Code &code) : code(code), valid(code.i1(true)) {}

  Value add(Value a, Value b) { return make<LLVM::SAddWithOverflowOp>(a, b); }
  Value mul(Value a, Value b) { return make<LLVM::SMulWithOverflowOp>(a, b); }
  void require(Value condition) { valid = code.both(valid, condition); }
  void requireNonNegative(Value value) {
    require(code.compare(LLVM::ICmpPredicate::sge, value, code.i64(0)));
  }
  void requireAtMost(Value value, int64_t most) {
    require(code.compare(LLVM::ICmpPredicate::sle, value, code.i64(most)));
  }
  Value getValid() const { return valid; }

  /// `expr` has no dimensions. Factors of a product are not negative.
  Value evaluate(AffineExpr expr, ValueRange symbols);

private:
  template <typename Op> Value make(Value a, Value b) {
    auto type = LLVM::LLVMStructType::getLiteral(
        code.getContext(), {code.getI64Type(), code.getI1Type()});
    Value pair = Op::create(code, code.loc, type, a, b);
    Value wrapped = LLVM::ExtractValueOp::create(code, code.loc, pair, 1);
    require(code.differ(wrapped, code.i1(true)));
    return LLVM::ExtractValueOp::create(code, code.loc, pair, 0);
  }

  Code &code;
  Value valid;
};
} // namespace

Value CheckedArithmetic::evaluate(AffineExpr expr, ValueRange symbols) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return code.i64(constant.getValue());
  if (auto symbol = dyn_cast<AffineSymbolExpr>(expr))
    return symbols[symbol.getPosition()];
  auto binary = cast<AffineBinaryOpExpr>(expr);
  Value left = evaluate(binary.getLHS(), symbols);
  if (expr.getKind() == AffineExprKind::Add)
    return add(left, evaluate(binary.getRHS(), symbols));
  if (auto right = binary.getRHS(); !isa<AffineConstantExpr>(right)) {
    Value factor = evaluate(right, symbols);
    requireNonNegative(left);
    requireNonNegative(factor);
    return mul(left, factor);
  }
  int64_t right = cast<AffineConstantExpr>(binary.getRHS()).getValue();
  switch (expr.getKind()) {
  case AffineExprKind::Mul:
    return mul(left, code.i64(right));
  case AffineExprKind::Mod:
    return code.mod(left, right, Code::Sign::Any);
  case AffineExprKind::CeilDiv:
    left = add(left, code.i64(right - 1));
    [[fallthrough]];
  default:
    return code.floorDiv(left, right, Code::Sign::Any);
  }
}

StoredTensorType KernelLowering::getPassedType(TensorOp tensor) {
  PackOp pack = packs.lookup(tensor);
  return pack ? pack.getType() : tensor.getType();
}

/// Counts the bytes of every buffer, and where in the workspace each temp
/// begins.
KernelLowering::Bytes KernelLowering::countBytes(ValueRange sizes) {
  CheckedArithmetic checked(code);
  for (Value size : sizes)
    checked.requireNonNegative(size);
  Bytes bytes;
  bytes.workspace = code.i64(0);
  for (TensorOp tensor : kernel.getTensors()) {
    StoredTensorType type = getPassedType(tensor);
    Value count = code.i64(getElementBytes(type));
    SmallVector<Value> extents;
    for (AffineExpr extent : tensor.getExtents().getResults()) {
      extents.push_back(checked.evaluate(extent, sizes));
      if (!isa<AffineConstantExpr>(extent))
        checked.requireNonNegative(extents.back());
    }
    for (auto [expr, extent] :
         llvm::zip(type.getLayout().getResults(), type.getPhysicalShape())) {
      if (!ShapedType::isDynamic(extent)) {
        count = checked.mul(count, code.i64(extent));
        continue;
      }
      // `d` or `d floordiv b`: as many as the extent along d, rounded up.
      auto [dim, block] = getFactor(expr);
      Value rounded = checked.add(extents[dim], code.i64(block - 1));
      count =
          checked.mul(count, code.floorDiv(rounded, block, Code::Sign::Any));
    }
    checked.requireAtMost(count, kMaxBufferBytes);
    if (tensor.getRole() == Role::Output) {
      Value some = code.compare(LLVM::ICmpPredicate::ne, count, code.i64(0));
      bytes.nonEmpty = bytes.nonEmpty ? code.any(bytes.nonEmpty, some) : some;
    } else if (tensor.isInWorkspace()) {
      bytes.offsets[tensor] = bytes.workspace;
      Value end = checked.add(bytes.workspace,
                              checked.add(count, code.i64(kTempAlignment - 1)));
      bytes.workspace =
          LLVM::AndOp::create(code, code.loc, end, code.i64(-kTempAlignment));
    }
  }
  bytes.valid = checked.getValid();
  return bytes;
}

/// The memory behind `pointer`. Strides that only the call knows are computed
/// here, once.
Memory KernelLowering::describe(StoredTensorType type, AffineMap extents,
                                Value pointer) {
  Memory memory{
      indices.place(type, extents), pointer, type.getElementType(), {}, {}};
  if (memory.element.isF16())
    memory.element = code.getI16Type();
  return memory;
}

//===----------------------------------------------------------------------===//
// Functions
//===----------------------------------------------------------------------===//

/// The function that computes a band, which the caller's, `whole`, calls with
/// all coordinates.
LLVM::LLVMFuncOp KernelLowering::addBandFunction(LLVM::LLVMFuncOp whole) {
  SmallVector<Type> types(whole.getArgumentTypes());
  types.append(3, code.getI64Type());
  SmallVector<Value> operands(whole.getArguments());
  for (int64_t number : {int64_t(0), int64_t(0), INT64_MAX})
    operands.push_back(code.i64(number));
  auto call =
      LLVM::CallOp::create(code, code.loc, code.getI32Type(),
                           whole.getSymName().str() + ".band", operands);
  LLVM::ReturnOp::create(code, code.loc, call.getResult());
  auto function = addFunction(".band", code.getI32Type(), types);
  auto numbers = function.getArguments().take_back(3);
  band = {numbers[0], numbers[1], numbers[2]};
  return function;
}

LogicalResult KernelLowering::emitEntry() {
  SmallVector<TensorOp> passed, temps;
  for (TensorOp tensor : kernel.getTensors())
    (tensor.getRole() == Role::Temp ? temps : passed).push_back(tensor);
  bool hasWorkspace = llvm::any_of(temps, isDeclaredTemp);
  size_t pointerCount = passed.size() + hasWorkspace;
  SmallVector<Type> types(pointerCount, code.pointerType());
  types.append(kernel.getSizes().size(), code.getI64Type());
  auto function = addFunction("", code.getI32Type(), types);
  if (!findTile(kernel).empty())
    function = addBandFunction(function);
  ValueRange pointers = function.getArguments().take_front(pointerCount);
  ValueRange sizes =
      function.getArguments().slice(pointerCount, kernel.getSizes().size());
  for (Value size : sizes)
    indices.addSize(size);
  Bytes bytes = countBytes(sizes);
  if (!sizes.empty()) {
    returnUnless(bytes.valid, code.i32(kRefused));
    returnUnless(bytes.nonEmpty, code.i32(kDone));
  }
  Value given;
  Value null = LLVM::ZeroOp::create(code, code.loc, code.pointerType());
  auto isGiven = [&](Value pointer) {
    return code.compare(LLVM::ICmpPredicate::ne, pointer, null);
  };
  for (Value pointer : pointers.take_front(passed.size()))
    given = code.both(given, isGiven(pointer));
  if (hasWorkspace) {
    Value isEmpty =
        code.compare(LLVM::ICmpPredicate::eq, bytes.workspace, code.i64(0));
    given = code.both(given, code.any(isGiven(pointers.back()), isEmpty));
  }
  returnUnless(given, code.i32(kRefused));

  for (auto [tensor, pointer] : llvm::zip(passed, pointers)) {
    PackOp pack = packs.lookup(tensor);
    StoredTensorType type = getPassedType(tensor);
    memories[pack ? pack.getResult() : tensor.getResult()] = describe(
        type, pack ? type.getStaticExtents(0) : tensor.getExtents(), pointer);
  }
  for (TensorOp tensor : temps) {
    if (!tensor.isInWorkspace()) {
      memories[tensor.getResult()] =
          describe(tensor.getType(), tensor.getExtents(), null);
      continue;
    }
    Value start = LLVM::GEPOp::create(
        code, code.loc, code.pointerType(), code.getI8Type(), pointers.back(),
        ArrayRef<LLVM::GEPArg>{bytes.offsets.lookup(tensor)});
    memories[tensor.getResult()] =
        describe(tensor.getType(), tensor.getExtents(), start);
  }

  for (Operation &op : kernel.getBody().front())
    if (!isa<TensorOp, TransformOp, PackOp>(op) && failed(lower(op)))
      return failure();
  LLVM::ReturnOp::create(code, code.loc, code.i32(kDone));
  return success();
}

void KernelLowering::emitWorkspaceSize() {
  SmallVector<Type> types(kernel.getSizes().size(), code.getI64Type());
  auto function = addFunction("_workspace_size", code.getI64Type(), types);
  Bytes bytes = countBytes(function.getArguments());
  Value result = code.select(bytes.valid, bytes.workspace, code.i64(-1));
  LLVM::ReturnOp::create(code, code.loc, result);
}

/// The logical coordinates of the element at a physical index.
static Point getLogical(StoredTensorType type, ArrayRef<LinearForm> physical) {
  Point point(type.getRank());
  for (auto [expr, index] :
       llvm::zip(type.getLayout().getResults(), physical)) {
    auto [dim, block] = getFactor(expr);
    point[dim] = point[dim] + index * block;
  }
  return point;
}

void KernelLowering::emitPack(TensorOp weight) {
  StoredTensorType type = getPassedType(weight);
  SmallVector<int64_t> shape = type.getPhysicalShape();
  int64_t count = 1;
  for (int64_t extent : shape)
    count *= extent;
  addFunction("_packed_" + weight.getName() + "_size", code.getI64Type(), {});
  LLVM::ReturnOp::create(code, code.loc,
                         code.i64(count * getElementBytes(type)));
  // A transform is packed by a function that the compiler builds for all
  // targets.
  PackOp pack = packs.lookup(weight);
  if (pack && pack.getSource() != weight.getResult())
    return;

  Type pointer = code.pointerType();
  auto function = addFunction("_pack_" + weight.getName(), code.getI32Type(),
                              {pointer, pointer});
  Value null = LLVM::ZeroOp::create(code, code.loc, pointer), given;
  for (Value argument : function.getArguments())
    given =
        code.both(given, code.compare(LLVM::ICmpPredicate::ne, argument, null));
  returnUnless(given, code.i32(kRefused));

  Memory from =
      describe(weight.getType(), weight.getExtents(), function.getArgument(0));
  Memory to = describe(type, weight.getExtents(), function.getArgument(1));
  SmallVector<LinearForm> index(shape.size());
  std::function<void(unsigned)> nest = [&](unsigned level) {
    if (level < shape.size()) {
      loopOver(0, shape[level], 1, [&](const LinearForm &at) {
        index[level] = at;
        nest(level + 1);
      });
      return;
    }
    // One element: zero beyond the extents.
    LinearForm offset;
    for (auto [at, stride] : llvm::zip(index, to.strides))
      offset = offset + at * stride.first;
    Value element = loadStored(from, resolve(from, getLogical(type, index),
                                             /*width=*/1, kAnywhere));
    code.store(code.extract(element, 0), getAddress(to, offset));
  };
  nest(0);
  LLVM::ReturnOp::create(code, code.loc, code.i32(kDone));
}

} // namespace sparkle::cpu
