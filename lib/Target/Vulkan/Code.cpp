// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ops of the SPIR-V dialect behind the names of lib/Target/GPU/Code.h.

#include "lib/Target/Vulkan/Code.h"

using namespace mlir;

namespace sparkle::vulkan {

using gpu::Rounding;

Code::Code(ImageBuilder &image, spirv::FuncOp function, Location loc)
    : gpu::Code(function.getContext(), loc), image(image) {
  createBlock(&function.getBody());
}

Value Code::i32(int64_t value) {
  return make<spirv::ConstantOp>(
      getI32Type(), getI32IntegerAttr(static_cast<int32_t>(value)));
}

Value Code::boolean(bool value) {
  return make<spirv::ConstantOp>(getI1Type(), getBoolAttr(value));
}

Value Code::splat(float value, int64_t width) {
  Type type = floatType(width);
  if (width == 1)
    return make<spirv::ConstantOp>(type, getF32FloatAttr(value));
  return make<spirv::ConstantOp>(
      type, DenseElementsAttr::get(cast<ShapedType>(type), value));
}

Value Code::splatInteger(int32_t value, int64_t width) {
  if (width == 1)
    return i32(value);
  auto type = cast<VectorType>(integerType(width));
  return make<spirv::ConstantOp>(type, DenseElementsAttr::get(type, value));
}

//===----------------------------------------------------------------------===//
// Integers and conditions
//===----------------------------------------------------------------------===//

Value Code::integer(gpu::Integer op, Value a, Value b) {
  using I = gpu::Integer;
  switch (op) {
  case I::Add:
    return make<spirv::IAddOp>(a, b);
  case I::Sub:
    return make<spirv::ISubOp>(a, b);
  case I::Mul:
    return make<spirv::IMulOp>(a, b);
  case I::And:
    return make<spirv::BitwiseAndOp>(a, b);
  case I::Or:
    return make<spirv::BitwiseOrOp>(a, b);
  case I::ShiftLeft:
    return make<spirv::ShiftLeftLogicalOp>(a, b);
  case I::ShiftRight:
    return make<spirv::ShiftRightLogicalOp>(a, b);
  case I::ShiftRightSigned:
    return make<spirv::ShiftRightArithmeticOp>(a, b);
  case I::Divide:
    return make<spirv::UDivOp>(a, b);
  case I::DivideSigned:
    return make<spirv::SDivOp>(a, b);
  case I::Remainder:
    return make<spirv::UModOp>(a, b);
  case I::Min:
    return make<spirv::GLSMinOp>(a, b);
  case I::Max:
    return make<spirv::GLSMaxOp>(a, b);
  }
  llvm_unreachable("all are listed");
}

Value Code::logic(gpu::Logic op, Value a, Value b) {
  switch (op) {
  case gpu::Logic::And:
    return make<spirv::LogicalAndOp>(a, b);
  case gpu::Logic::Or:
    return make<spirv::LogicalOrOp>(a, b);
  case gpu::Logic::Xor:
    return make<spirv::LogicalNotEqualOp>(a, b);
  }
  llvm_unreachable("all are listed");
}

Value Code::logicalNot(Value condition) {
  return make<spirv::LogicalNotOp>(condition);
}

Value Code::compare(CmpI predicate, Value a, Value b) {
  switch (predicate) {
  case CmpI::eq:
    return make<spirv::IEqualOp>(a, b);
  case CmpI::ne:
    return make<spirv::INotEqualOp>(a, b);
  case CmpI::slt:
    return make<spirv::SLessThanOp>(a, b);
  case CmpI::sle:
    return make<spirv::SLessThanEqualOp>(a, b);
  case CmpI::ult:
    return make<spirv::ULessThanOp>(a, b);
  default:
    llvm_unreachable("Code.h lists the predicates");
  }
}

Value Code::choose(Value condition, Value a, Value b) {
  // Before SPIR-V 1.4, a vector wants a condition for each lane.
  auto vector = dyn_cast<VectorType>(a.getType());
  if (vector && !isa<VectorType>(condition.getType())) {
    int64_t width = vector.getNumElements();
    condition = make<spirv::CompositeConstructOp>(
        VectorType::get(width, getI1Type()), Values(width, condition));
  }
  return make<spirv::SelectOp>(a.getType(), condition, a, b);
}

//===----------------------------------------------------------------------===//
// Floats
//===----------------------------------------------------------------------===//

Value Code::compare(CmpF predicate, Value a, Value b) {
  switch (predicate) {
  case CmpF::OEQ:
    return make<spirv::FOrdEqualOp>(a, b);
  case CmpF::OGT:
    return make<spirv::FOrdGreaterThanOp>(a, b);
  case CmpF::OGE:
    return make<spirv::FOrdGreaterThanEqualOp>(a, b);
  case CmpF::OLT:
    return make<spirv::FOrdLessThanOp>(a, b);
  case CmpF::OLE:
    return make<spirv::FOrdLessThanEqualOp>(a, b);
  case CmpF::ONE:
    return make<spirv::FOrdNotEqualOp>(a, b);
  case CmpF::UEQ:
    return make<spirv::FUnordEqualOp>(a, b);
  case CmpF::UGT:
    return make<spirv::FUnordGreaterThanOp>(a, b);
  case CmpF::UGE:
    return make<spirv::FUnordGreaterThanEqualOp>(a, b);
  case CmpF::ULT:
    return make<spirv::FUnordLessThanOp>(a, b);
  case CmpF::ULE:
    return make<spirv::FUnordLessThanEqualOp>(a, b);
  case CmpF::UNE:
    return make<spirv::FUnordNotEqualOp>(a, b);
  default:
    return {};
  }
}

/// `value` as it is computed: no other rounding, and no other order, which
/// drivers take the liberty of otherwise.
static Value mark(Value value, Rounding rounding) {
  Operation *op = value.getDefiningOp();
  if (rounding == Rounding::Exact)
    op->setAttr("no_contraction", UnitAttr::get(op->getContext()));
  return value;
}

Value Code::isNan(Value x) { return make<spirv::IsNanOp>(x); }

Value Code::floating(gpu::Float op, Value a, Value b, Rounding rounding) {
  switch (op) {
  case gpu::Float::Add:
    return mark(make<spirv::FAddOp>(a, b), rounding);
  case gpu::Float::Sub:
    return mark(make<spirv::FSubOp>(a, b), rounding);
  case gpu::Float::Mul:
    return mark(make<spirv::FMulOp>(a, b), rounding);
  }
  llvm_unreachable("all are listed");
}

Value Code::fma(Value a, Value b, Value c, Rounding rounding) {
  return mark(make<spirv::GLFmaOp>(a.getType(), a, b, c), rounding);
}

/// `estimate + error` where that is a small correction, else the estimate: a
/// division by zero, an infinity and a number too small stay what they are.
Value Code::correct(Value estimate, Value error) {
  auto vector = dyn_cast<VectorType>(error.getType());
  int64_t width = vector ? vector.getNumElements() : 1;
  Value limit = floating(gpu::Float::Mul, abs(estimate), splat(0x1p-20f, width),
                         Rounding::Exact);
  Value isSmall = compare(CmpF::OLE, abs(error), limit);
  Value sum = floating(gpu::Float::Add, estimate, error, Rounding::Exact);
  return select(isSmall, sum, estimate);
}

/// Devices may be off by 2.5 ulp: one step of Newton's method leaves at most 1.
Value Code::divideFloat(Value a, Value b) {
  Value quotient = make<spirv::FDivOp>(a, b);
  Value rest = fma(negate(quotient), b, a, Rounding::Exact);
  return correct(quotient, make<spirv::FDivOp>(rest, b));
}

/// Likewise; twice the root divides the rest.
Value Code::sqrt(Value x) {
  Value root = make<spirv::GLSqrtOp>(x);
  Value rest = fma(negate(root), root, x, Rounding::Exact);
  Value twice = floating(gpu::Float::Add, root, root, Rounding::Exact);
  return correct(root, make<spirv::FDivOp>(rest, twice));
}

Value Code::abs(Value x) { return make<spirv::GLFAbsOp>(x); }
Value Code::negate(Value x) { return make<spirv::FNegateOp>(x); }

Value Code::bitcast(Type type, Value x) {
  return make<spirv::BitcastOp>(type, x);
}

static Type withElement(Type type, Type element) {
  auto vector = dyn_cast<VectorType>(type);
  return vector ? VectorType::get(vector.getShape(), element) : element;
}

Value Code::widen(Value half) {
  return make<spirv::FConvertOp>(withElement(half.getType(), getF32Type()),
                                 half);
}

Value Code::narrow(Value value) {
  Value half = make<spirv::FConvertOp>(
      withElement(value.getType(), getF16Type()), value);
  half.getDefiningOp()->setAttr(
      "fp_rounding_mode",
      spirv::FPRoundingModeAttr::get(getContext(), spirv::FPRoundingMode::RTE));
  return half;
}

//===----------------------------------------------------------------------===//
// Vectors and memory
//===----------------------------------------------------------------------===//

Value Code::construct(ValueRange scalars) {
  if (scalars.size() == 1)
    return scalars.front();
  auto type = VectorType::get(scalars.size(), scalars.front().getType());
  return make<spirv::CompositeConstructOp>(type, scalars);
}

Value Code::extract(Value vector, int64_t lane) {
  if (!isa<VectorType>(vector.getType()))
    return vector;
  int32_t index = lane;
  return make<spirv::CompositeExtractOp>(vector, ArrayRef(index));
}

Value Code::access(spirv::GlobalVariableOp variable, ValueRange path) {
  Value address = make<spirv::AddressOfOp>(variable);
  return path.empty() ? address : make<spirv::AccessChainOp>(address, path);
}

Value Code::runTimeSize(unsigned number) {
  return make<spirv::LoadOp>(access(image.getSizes(), i32(number)));
}

Value Code::invocation() {
  spirv::GlobalVariableOp variable =
      image.getBuiltIn(spirv::BuiltIn::LocalInvocationIndex, getI32Type());
  return make<spirv::LoadOp>(access(variable, {}));
}

Value Code::workgroup(unsigned dimension) {
  if (!workgroups)
    workgroups = make<spirv::LoadOp>(
        access(image.getBuiltIn(spirv::BuiltIn::WorkgroupId,
                                VectorType::get(3, getI32Type())),
               {}));
  return extract(workgroups, dimension);
}

Value Code::pointer(const gpu::Storage &storage, ValueRange path,
                    int64_t width) {
  if (storage.array)
    return access(cast<spirv::GlobalVariableOp>(storage.array), path);
  Values whole{i32(0)};
  llvm::append_range(whole, path);
  return access(image.getBuffer(storage.binding, storage.elementType, width),
                whole);
}

Value Code::load(const gpu::Storage &, Value pointer, int64_t) {
  return make<spirv::LoadOp>(pointer);
}

void Code::store(Value value, Value pointer) {
  spirv::StoreOp::create(*this, loc, pointer, value);
}

void Code::barrier() {
  spirv::ControlBarrierOp::create(*this, loc, spirv::Scope::Workgroup,
                                  spirv::Scope::Workgroup,
                                  spirv::MemorySemantics::AcquireRelease |
                                      spirv::MemorySemantics::WorkgroupMemory);
}

//===----------------------------------------------------------------------===//
// Control flow
//===----------------------------------------------------------------------===//

Code::Values Code::loop(Value lower, Value upper, int64_t step, ValueRange init,
                        function_ref<Values(Value, ValueRange)> body) {
  auto op = spirv::LoopOp::create(*this, loc, init.getTypes(),
                                  spirv::LoopControl::None);
  InsertionGuard guard(*this);
  Region &region = op.getBody();
  SmallVector<Type> types{getI32Type()};
  llvm::append_range(types, init.getTypes());
  Values arguments{lower};
  llvm::append_range(arguments, init);

  Block *entry = createBlock(&region);
  Block *header = createBlock(&region, region.end(), types,
                              SmallVector<Location>(types.size(), loc));
  Block *inside = createBlock(&region, region.end());
  Block *next = createBlock(&region, region.end());
  Block *merge = createBlock(&region, region.end());
  setInsertionPointToStart(entry);
  spirv::BranchOp::create(*this, loc, header, arguments);

  Value index = header->getArgument(0);
  ValueRange carried = header->getArguments().drop_front();
  setInsertionPointToStart(header);
  spirv::BranchConditionalOp::create(*this, loc, isLess(index, upper), inside,
                                     ValueRange(), merge, ValueRange());
  setInsertionPointToStart(inside);
  nest.push_back(op);
  Values yielded = body(index, carried);
  nest.pop_back();
  // The serializer does not find the results of a loop in there from the
  // header: they pass through arguments of the block in between.
  Values through;
  for (Value &value : yielded)
    if (isa_and_nonnull<spirv::LoopOp, spirv::SelectionOp>(
            value.getDefiningOp())) {
      through.push_back(value);
      value = next->addArgument(value.getType(), loc);
    }
  spirv::BranchOp::create(*this, loc, next, through);

  setInsertionPointToStart(next);
  yielded.insert(yielded.begin(), add(index, i32(step)));
  spirv::BranchOp::create(*this, loc, header, yielded);
  setInsertionPointToStart(merge);
  spirv::MergeOp::create(*this, loc, carried);
  return op.getResults();
}

Code::Values Code::either(Value condition, TypeRange types,
                          function_ref<Values()> yes,
                          function_ref<Values()> no) {
  auto op = spirv::SelectionOp::create(*this, loc, types,
                                       spirv::SelectionControl::None);
  InsertionGuard guard(*this);
  Region &region = op.getBody();
  Block *header = createBlock(&region);
  Block *whenTrue = createBlock(&region, region.end());
  Block *whenFalse = createBlock(&region, region.end());
  Block *merge = createBlock(&region, region.end(), types,
                             SmallVector<Location>(types.size(), loc));
  setInsertionPointToStart(header);
  spirv::BranchConditionalOp::create(*this, loc, condition, whenTrue,
                                     ValueRange(), whenFalse, ValueRange());
  nest.push_back(op);
  setInsertionPointToStart(whenTrue);
  Values values = yes();
  spirv::BranchOp::create(*this, loc, merge, values);
  setInsertionPointToStart(whenFalse);
  values = no();
  spirv::BranchOp::create(*this, loc, merge, values);
  nest.pop_back();
  setInsertionPointToStart(merge);
  spirv::MergeOp::create(*this, loc, merge->getArguments());
  return op.getResults();
}

void Code::when(Value condition, function_ref<void()> body) {
  if (!condition)
    return body();
  auto op = spirv::SelectionOp::create(*this, loc, TypeRange(),
                                       spirv::SelectionControl::None);
  InsertionGuard guard(*this);
  Region &region = op.getBody();
  Block *header = createBlock(&region);
  Block *inside = createBlock(&region, region.end());
  Block *merge = createBlock(&region, region.end());
  setInsertionPointToStart(header);
  spirv::BranchConditionalOp::create(*this, loc, condition, inside,
                                     ValueRange(), merge, ValueRange());
  setInsertionPointToStart(inside);
  nest.push_back(op);
  body();
  nest.pop_back();
  spirv::BranchOp::create(*this, loc, merge);
  setInsertionPointToStart(merge);
  spirv::MergeOp::create(*this, loc);
}

} // namespace sparkle::vulkan
