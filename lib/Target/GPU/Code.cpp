// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Index arithmetic in terms of what a leaf has; constants are folded.

#include "lib/Target/GPU/Code.h"

#include "mlir/IR/Matchers.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace sparkle::gpu {

Type Code::floatType(int64_t width) {
  Type f32 = getF32Type();
  return width == 1 ? f32 : VectorType::get(width, f32);
}

Type Code::integerType(int64_t width) {
  Type i32 = getI32Type();
  return width == 1 ? i32 : VectorType::get(width, i32);
}

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
  return integer(Integer::Add, a, b);
}

Value Code::sub(Value a, Value b) {
  return getConstant(b) == 0 ? a : integer(Integer::Sub, a, b);
}

Value Code::mul(Value a, Value b) {
  if (std::optional<int64_t> right = getConstant(b))
    return mul(a, *right);
  if (std::optional<int64_t> left = getConstant(a))
    return mul(b, *left);
  return integer(Integer::Mul, a, b);
}

Value Code::mul(Value a, int64_t b) {
  if (std::optional<int64_t> left = getConstant(a))
    return i32(static_cast<int32_t>(*left * b));
  if (b == 1 || b == 0)
    return b ? a : i32(0);
  if (b > 0 && llvm::isPowerOf2_64(b))
    return integer(Integer::ShiftLeft, a, i32(llvm::Log2_64(b)));
  return integer(Integer::Mul, a, i32(b));
}

Value Code::floorDiv(Value a, int64_t b, Sign sign) {
  if (sign == Sign::NonNegative)
    return divide(a, i32(b));
  if (b == 1)
    return a;
  // Shifts round towards minus infinity.
  if (llvm::isPowerOf2_64(b))
    return integer(Integer::ShiftRightSigned, a, i32(llvm::Log2_64(b)));
  Value quotient = integer(Integer::DivideSigned, a, i32(b));
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
    return integer(Integer::ShiftRight, a, i32(llvm::Log2_64(*right)));
  return integer(Integer::Divide, a, b);
}

Value Code::remainder(Value a, Value b) {
  std::optional<int64_t> right = getConstant(b);
  if (right && llvm::isPowerOf2_64(*right))
    return integer(Integer::And, a, i32(*right - 1));
  return integer(Integer::Remainder, a, b);
}

Value Code::isBelow(Value a, Value b) {
  return compare(arith::CmpIPredicate::ult, a, b);
}

Value Code::isLess(Value a, Value b) {
  return compare(arith::CmpIPredicate::slt, a, b);
}

Value Code::both(Value a, Value b) {
  if (!a || !b)
    return a ? a : b;
  return a == b ? a : logic(Logic::And, a, b);
}

Value Code::select(Value condition, Value a, Value b) {
  return !condition || a == b ? a : choose(condition, a, b);
}

Value Code::broadcast(Value value, int64_t width) {
  if (width == 1 || isa<VectorType>(value.getType()))
    return value;
  return construct(Values(width, value));
}

} // namespace sparkle::gpu
