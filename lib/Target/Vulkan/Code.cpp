// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ops of the SPIR-V dialect behind the names of Code.h.

#include "lib/Target/Vulkan/Code.h"

#include "mlir/IR/Matchers.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace sparkle::vulkan {

Type Code::floatType(int64_t width) {
  Type f32 = getF32Type();
  return width == 1 ? f32 : VectorType::get(width, f32);
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
  auto type = VectorType::get(width, getI32Type());
  return make<spirv::ConstantOp>(type, DenseElementsAttr::get(type, value));
}

//===----------------------------------------------------------------------===//
// Index arithmetic
//===----------------------------------------------------------------------===//

static std::optional<int64_t> getConstant(Value value) {
  IntegerAttr constant;
  if (matchPattern(value, m_Constant(&constant)))
    return constant.getValue().getSExtValue();
  return std::nullopt;
}

Value Code::add(Value a, Value b) {
  std::optional<int64_t> left = getConstant(a), right = getConstant(b);
  if (left && right)
    return i32(static_cast<int32_t>(*left + *right));
  if (right == 0)
    return a;
  if (left == 0)
    return b;
  return make<spirv::IAddOp>(a, b);
}

Value Code::sub(Value a, Value b) {
  return getConstant(b) == 0 ? a : make<spirv::ISubOp>(a, b);
}

Value Code::mul(Value a, Value b) {
  if (std::optional<int64_t> right = getConstant(b))
    return mul(a, *right);
  if (std::optional<int64_t> left = getConstant(a))
    return mul(b, *left);
  return make<spirv::IMulOp>(a, b);
}

Value Code::mul(Value a, int64_t b) {
  if (std::optional<int64_t> left = getConstant(a))
    return i32(static_cast<int32_t>(*left * b));
  if (b == 1 || b == 0)
    return b ? a : i32(0);
  if (b > 0 && llvm::isPowerOf2_64(b))
    return make<spirv::ShiftLeftLogicalOp>(a, i32(llvm::Log2_64(b)));
  return make<spirv::IMulOp>(a, i32(b));
}

Value Code::min(Value a, Value b) { return make<spirv::GLSMinOp>(a, b); }
Value Code::max(Value a, Value b) { return make<spirv::GLSMaxOp>(a, b); }

Value Code::floorDiv(Value a, int64_t b, Sign sign) {
  if (sign == Sign::NonNegative)
    return divide(a, i32(b));
  if (b == 1)
    return a;
  // Shifts round towards minus infinity.
  if (llvm::isPowerOf2_64(b))
    return make<spirv::ShiftRightArithmeticOp>(a, i32(llvm::Log2_64(b)));
  Value quotient = make<spirv::SDivOp>(a, i32(b));
  Value rest = sub(a, mul(quotient, b));
  Value isNegative = isLess(rest, i32(0));
  return add(quotient, select(isNegative, i32(-1), i32(0)));
}

Value Code::mod(Value a, int64_t b, Sign sign) {
  if (sign == Sign::NonNegative || llvm::isPowerOf2_64(b))
    return remainder(a, i32(b));
  return sub(a, mul(floorDiv(a, b, sign), b));
}

Value Code::divide(Value a, Value b) {
  std::optional<int64_t> right = getConstant(b);
  if (right == 1)
    return a;
  if (right && llvm::isPowerOf2_64(*right))
    return make<spirv::ShiftRightLogicalOp>(a, i32(llvm::Log2_64(*right)));
  return make<spirv::UDivOp>(a, b);
}

Value Code::remainder(Value a, Value b) {
  std::optional<int64_t> right = getConstant(b);
  if (right && llvm::isPowerOf2_64(*right))
    return make<spirv::BitwiseAndOp>(a, i32(*right - 1));
  return make<spirv::UModOp>(a, b);
}

Value Code::isBelow(Value a, Value b) { return make<spirv::ULessThanOp>(a, b); }
Value Code::isLess(Value a, Value b) { return make<spirv::SLessThanOp>(a, b); }

Value Code::both(Value a, Value b) {
  if (!a || !b)
    return a ? a : b;
  return a == b ? a : make<spirv::LogicalAndOp>(a, b);
}

Value Code::select(Value condition, Value a, Value b) {
  if (!condition || a == b)
    return a;
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
// Vectors and memory
//===----------------------------------------------------------------------===//

Value Code::broadcast(Value value, int64_t width) {
  if (width == 1 || isa<VectorType>(value.getType()))
    return value;
  return construct(Values(width, value));
}

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

Value Code::pointer(spirv::GlobalVariableOp variable, ValueRange path) {
  Value address = make<spirv::AddressOfOp>(variable);
  return path.empty() ? address : make<spirv::AccessChainOp>(address, path);
}

Value Code::load(Value pointer) { return make<spirv::LoadOp>(pointer); }

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
