// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ops of the LLVM dialect behind the names of lib/Target/GPU/Code.h.

#include "lib/Target/AMDGPU/Code.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace sparkle::amdgpu {

Code::Code(LLVM::LLVMFuncOp function, unsigned bindings, Location loc)
    : gpu::Code(function.getContext(), loc), function(function),
      bindings(bindings) {
  setInsertionPointToStart(function.addEntryBlock(*this));
}

Value Code::constant(TypedAttr value) {
  return make<LLVM::ConstantOp>(value.getType(), value);
}

Value Code::i32(int64_t value) {
  return constant(getI32IntegerAttr(static_cast<int32_t>(value)));
}

Value Code::boolean(bool value) {
  return constant(getIntegerAttr(getI1Type(), value));
}

Value Code::splat(float value, int64_t width) {
  if (width == 1)
    return constant(getF32FloatAttr(value));
  return constant(
      DenseElementsAttr::get(cast<ShapedType>(floatType(width)), value));
}

Value Code::splatInteger(int32_t value, int64_t width) {
  if (width == 1)
    return i32(value);
  return constant(
      DenseElementsAttr::get(cast<ShapedType>(integerType(width)), value));
}

//===----------------------------------------------------------------------===//
// Integers and conditions
//===----------------------------------------------------------------------===//

Value Code::integer(gpu::Integer op, Value a, Value b) {
  using I = gpu::Integer;
  switch (op) {
  case I::Add:
    return make<LLVM::AddOp>(a, b);
  case I::Sub:
    return make<LLVM::SubOp>(a, b);
  case I::Mul:
    return make<LLVM::MulOp>(a, b);
  case I::And:
    return make<LLVM::AndOp>(a, b);
  case I::Or:
    return make<LLVM::OrOp>(a, b);
  case I::ShiftLeft:
    return make<LLVM::ShlOp>(a, b);
  case I::ShiftRight:
    return make<LLVM::LShrOp>(a, b);
  case I::ShiftRightSigned:
    return make<LLVM::AShrOp>(a, b);
  case I::Divide:
    return make<LLVM::UDivOp>(a, b);
  case I::DivideSigned:
    return make<LLVM::SDivOp>(a, b);
  case I::Remainder:
    return make<LLVM::URemOp>(a, b);
  case I::Min:
    return make<LLVM::SMinOp>(a, b);
  case I::Max:
    return make<LLVM::SMaxOp>(a, b);
  }
  llvm_unreachable("all are listed");
}

Value Code::logic(gpu::Logic op, Value a, Value b) {
  switch (op) {
  case gpu::Logic::And:
    return make<LLVM::AndOp>(a, b);
  case gpu::Logic::Or:
    return make<LLVM::OrOp>(a, b);
  case gpu::Logic::Xor:
    return make<LLVM::XOrOp>(a, b);
  }
  llvm_unreachable("all are listed");
}

Value Code::logicalNot(Value condition) {
  return make<LLVM::XOrOp>(condition, boolean(true));
}

Value Code::compare(CmpI predicate, Value a, Value b) {
  // The numbers of the predicates are the same.
  return make<LLVM::ICmpOp>(static_cast<LLVM::ICmpPredicate>(predicate), a, b);
}

Value Code::choose(Value condition, Value a, Value b) {
  return make<LLVM::SelectOp>(condition, a, b);
}

//===----------------------------------------------------------------------===//
// Floats
//===----------------------------------------------------------------------===//

// Without flags, nothing is contracted or reordered.

Value Code::compare(CmpF predicate, Value a, Value b) {
  using P = LLVM::FCmpPredicate;
  auto emit = [&](P kind) { return make<LLVM::FCmpOp>(kind, a, b); };
  switch (predicate) {
  case CmpF::OEQ:
    return emit(P::oeq);
  case CmpF::OGT:
    return emit(P::ogt);
  case CmpF::OGE:
    return emit(P::oge);
  case CmpF::OLT:
    return emit(P::olt);
  case CmpF::OLE:
    return emit(P::ole);
  case CmpF::ONE:
    return emit(P::one);
  case CmpF::UEQ:
    return emit(P::ueq);
  case CmpF::UGT:
    return emit(P::ugt);
  case CmpF::UGE:
    return emit(P::uge);
  case CmpF::ULT:
    return emit(P::ult);
  case CmpF::ULE:
    return emit(P::ule);
  case CmpF::UNE:
    return emit(P::une);
  default:
    return {};
  }
}

Value Code::isNan(Value x) {
  return make<LLVM::FCmpOp>(LLVM::FCmpPredicate::uno, x, x);
}

Value Code::floating(gpu::Float op, Value a, Value b, gpu::Rounding) {
  switch (op) {
  case gpu::Float::Add:
    return make<LLVM::FAddOp>(a, b);
  case gpu::Float::Sub:
    return make<LLVM::FSubOp>(a, b);
  case gpu::Float::Mul:
    return make<LLVM::FMulOp>(a, b);
  }
  llvm_unreachable("all are listed");
}

/// Of a sum whose order is free, which PairSums.cpp makes use of.
Value Code::fma(Value a, Value b, Value c, gpu::Rounding rounding) {
  auto flags = rounding == gpu::Rounding::Free ? LLVM::FastmathFlags::reassoc
                                               : LLVM::FastmathFlags::none;
  return make<LLVM::FMAOp>(a.getType(), a, b, c, flags);
}

// Both are rounded correctly; the back end expands them.
Value Code::divideFloat(Value a, Value b) { return make<LLVM::FDivOp>(a, b); }
Value Code::sqrt(Value x) { return make<LLVM::SqrtOp>(x); }

Value Code::abs(Value x) { return make<LLVM::FAbsOp>(x); }
Value Code::negate(Value x) { return make<LLVM::FNegOp>(x); }

Value Code::bitcast(Type type, Value x) {
  return make<LLVM::BitcastOp>(type, x);
}

static Type withElement(Type type, Type element) {
  auto vector = dyn_cast<VectorType>(type);
  return vector ? VectorType::get(vector.getShape(), element) : element;
}

Value Code::widen(Value half) {
  return make<LLVM::FPExtOp>(withElement(half.getType(), getF32Type()), half);
}

Value Code::narrow(Value value) {
  return make<LLVM::FPTruncOp>(withElement(value.getType(), getF16Type()),
                               value);
}

//===----------------------------------------------------------------------===//
// Vectors
//===----------------------------------------------------------------------===//

Value Code::construct(ValueRange scalars) {
  if (scalars.size() == 1)
    return scalars.front();
  Type type = VectorType::get(scalars.size(), scalars.front().getType());
  Value vector = make<LLVM::PoisonOp>(type);
  for (auto [lane, scalar] : llvm::enumerate(scalars))
    vector = make<LLVM::InsertElementOp>(vector, scalar, i32(lane));
  return vector;
}

Value Code::extract(Value vector, int64_t lane) {
  if (!isa<VectorType>(vector.getType()))
    return vector;
  return make<LLVM::ExtractElementOp>(vector, i32(lane));
}

//===----------------------------------------------------------------------===//
// What a call brings, and memory
//===----------------------------------------------------------------------===//

Value Code::callIntrinsic(StringRef name) {
  auto op = LLVM::CallIntrinsicOp::create(*this, loc, getI32Type(),
                                          getStringAttr(name), ValueRange());
  return op.getResults();
}

Value Code::runTimeSize(unsigned number) {
  return function.getArgument(bindings + number);
}

Value Code::invocation() { return callIntrinsic("llvm.amdgcn.workitem.id.x"); }

Value Code::workgroup(unsigned dimension) {
  return callIntrinsic(dimension ? "llvm.amdgcn.workgroup.id.y"
                                 : "llvm.amdgcn.workgroup.id.x");
}

/// Of one element, or of a quad.
static int64_t countBytes(Type type) {
  auto vector = dyn_cast<VectorType>(type);
  int64_t count = vector ? vector.getNumElements() : 1;
  return getElementTypeOrSelf(type).getIntOrFloatBitWidth() / 8 * count;
}

/// Offsets into a buffer are bytes in 32 bits without a sign, which a load or
/// store adds to an address that is the same for all lanes.
Value Code::pointer(const gpu::Storage &storage, ValueRange path,
                    int64_t width) {
  if (!storage.array) {
    int64_t bytes = countBytes(storage.elementType) * width;
    Value offset = make<LLVM::ZExtOp>(getI64Type(), mul(path.front(), bytes));
    return make<LLVM::GEPOp>(LLVM::LLVMPointerType::get(getContext(), kGlobal),
                             getI8Type(), function.getArgument(storage.binding),
                             ArrayRef<LLVM::GEPArg>(offset));
  }
  Type type = LLVM::LLVMPointerType::get(getContext(), kNear);
  auto array = cast<LLVM::GlobalOp>(storage.array);
  Value address = make<LLVM::AddressOfOp>(array);
  int64_t bytes = sizeof(float) * (storage.inQuads ? gpu::kQuad : 1);
  for (Value index : path) {
    address = make<LLVM::GEPOp>(type, getI8Type(), address,
                                ArrayRef<LLVM::GEPArg>(mul(index, bytes)));
    bytes = sizeof(float);
  }
  return address;
}

Value Code::load(const gpu::Storage &storage, Value pointer, int64_t width) {
  Type type = storage.elementType;
  if (width != 1)
    type = VectorType::get(width, type);
  return make<LLVM::LoadOp>(type, pointer, countBytes(type));
}

void Code::store(Value value, Value pointer) {
  LLVM::StoreOp::create(*this, loc, value, pointer,
                        countBytes(value.getType()));
}

void Code::barrier() {
  auto fence = [&](LLVM::AtomicOrdering ordering) {
    LLVM::FenceOp::create(*this, loc, ordering, "workgroup");
  };
  fence(LLVM::AtomicOrdering::release);
  LLVM::CallIntrinsicOp::create(
      *this, loc, getStringAttr("llvm.amdgcn.s.barrier"), ValueRange());
  fence(LLVM::AtomicOrdering::acquire);
}

//===----------------------------------------------------------------------===//
// Control flow
//===----------------------------------------------------------------------===//

// Code goes on in the block behind: what is built in front of a loop or
// selection goes before the branch into it.

/// Whether the last of a known number of steps is not whole.
static bool hasRest(Value lower, Value upper, int64_t step) {
  IntegerAttr first, end;
  return matchPattern(lower, m_Constant(&first)) &&
         matchPattern(upper, m_Constant(&end)) &&
         (end.getInt() - first.getInt()) % step != 0;
}

/// A value of which LLVM knows nothing, the same in all lanes. Of a loop's last
/// step, which has a body of its own, it would know the index, and so each
/// address, and keep them all from before the loop.
Value Code::hide(Value uniform) {
  return LLVM::InlineAsmOp::create(
             *this, loc, TypeRange{uniform.getType()}, uniform,
             /*asm_string=*/"", /*constraints=*/"=s,0",
             /*has_side_effects=*/false, /*is_align_stack=*/false,
             LLVM::TailCallKind::None, /*asm_dialect=*/nullptr,
             /*operand_attrs=*/nullptr)
      .getResult(0);
}

Code::Values Code::loop(Value lower, Value upper, int64_t step, ValueRange init,
                        function_ref<Values(Value, ValueRange)> body) {
  Region &region = function.getBody();
  SmallVector<Type> types{getI32Type()};
  llvm::append_range(types, init.getTypes());
  Values arguments{lower};
  llvm::append_range(arguments, init);
  Block *before = getInsertionBlock();
  Block *header = createBlock(&region, region.end(), types,
                              SmallVector<Location>(types.size(), loc));
  Block *inside = createBlock(&region, region.end());
  auto *behind = new Block;
  setInsertionPointToEnd(before);
  auto enter = LLVM::BrOp::create(*this, loc, arguments, header);

  Value index = header->getArgument(0);
  ValueRange carried = header->getArguments().drop_front();
  setInsertionPointToStart(header);
  LLVM::CondBrOp::create(*this, loc, isLess(index, upper), inside, behind);
  setInsertionPointToStart(inside);
  nest.push_back(enter);
  Values yielded =
      body(hasRest(lower, upper, step) ? hide(index) : index, carried);
  nest.pop_back();
  yielded.insert(yielded.begin(), add(index, i32(step)));
  LLVM::BrOp::create(*this, loc, yielded, header);
  region.push_back(behind);
  setInsertionPointToStart(behind);
  return Values(carried);
}

Code::Values Code::either(Value condition, TypeRange types,
                          function_ref<Values()> yes,
                          function_ref<Values()> no) {
  Region &region = function.getBody();
  Block *before = getInsertionBlock();
  Block *whenTrue = createBlock(&region, region.end());
  auto *whenFalse = new Block, *behind = new Block;
  behind->addArguments(types, SmallVector<Location>(types.size(), loc));
  setInsertionPointToEnd(before);
  nest.push_back(
      LLVM::CondBrOp::create(*this, loc, condition, whenTrue, whenFalse));
  setInsertionPointToStart(whenTrue);
  Values values = yes();
  LLVM::BrOp::create(*this, loc, values, behind);
  region.push_back(whenFalse);
  setInsertionPointToStart(whenFalse);
  values = no();
  LLVM::BrOp::create(*this, loc, values, behind);
  nest.pop_back();
  region.push_back(behind);
  setInsertionPointToStart(behind);
  return Values(ValueRange(behind->getArguments()));
}

void Code::when(Value condition, function_ref<void()> body) {
  if (!condition)
    return body();
  Region &region = function.getBody();
  Block *before = getInsertionBlock();
  Block *inside = createBlock(&region, region.end());
  auto *behind = new Block;
  setInsertionPointToEnd(before);
  nest.push_back(LLVM::CondBrOp::create(*this, loc, condition, inside, behind));
  setInsertionPointToStart(inside);
  body();
  nest.pop_back();
  LLVM::BrOp::create(*this, loc, ValueRange(), behind);
  region.push_back(behind);
  setInsertionPointToStart(behind);
}

} // namespace sparkle::amdgpu
