// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A builder of LLVM dialect code.

#include "lib/Target/CPU/Code.h"

#include "mlir/IR/TypeUtilities.h"
#include <numeric>

using namespace mlir;

namespace sparkle::cpu {

static constexpr auto kNoWrap = LLVM::IntegerOverflowFlags::nsw;
/// Callers promise no more than the alignment of an element.
static unsigned getAlignment(Type type) {
  return getElementTypeOrSelf(type).getIntOrFloatBitWidth() / 8;
}

Value Code::i64(int64_t value) {
  return LLVM::ConstantOp::create(*this, loc, getI64IntegerAttr(value));
}
Value Code::i32(int64_t value) {
  return LLVM::ConstantOp::create(*this, loc, getI32IntegerAttr(value));
}
Value Code::i1(bool value) {
  return LLVM::ConstantOp::create(*this, loc, getBoolAttr(value));
}
Value Code::splat(float value, int64_t lanes) {
  return LLVM::ConstantOp::create(
      *this, loc,
      DenseElementsAttr::get(vectorType(lanes), llvm::APFloat(value)));
}
Value Code::zero(Type type) {
  return LLVM::ConstantOp::create(*this, loc, getZeroAttr(type));
}
Value Code::splatInteger(int32_t value, int64_t lanes) {
  return LLVM::ConstantOp::create(
      *this, loc,
      DenseElementsAttr::get(VectorType::get(lanes, getI32Type()), value));
}

Value Code::add(Value a, Value b) {
  return LLVM::AddOp::create(*this, loc, a, b, kNoWrap);
}
Value Code::mul(Value a, Value b) {
  return LLVM::MulOp::create(*this, loc, a, b, kNoWrap);
}
Value Code::mul(Value a, int64_t b) { return b == 1 ? a : mul(a, i64(b)); }
Value Code::min(Value a, Value b) {
  return LLVM::SMinOp::create(*this, loc, a, b);
}
Value Code::max(Value a, Value b) {
  return LLVM::SMaxOp::create(*this, loc, a, b);
}
Value Code::compare(LLVM::ICmpPredicate predicate, Value a, Value b) {
  return LLVM::ICmpOp::create(*this, loc, predicate, a, b);
}
// LLVM finds out for itself what is not negative.
Value Code::floorDiv(Value a, int64_t b, Sign /*sign*/) {
  if (llvm::isPowerOf2_64(b))
    return LLVM::AShrOp::create(*this, loc, a, i64(llvm::Log2_64(b)));
  Value quotient = LLVM::SDivOp::create(*this, loc, a, i64(b));
  Value remainder = LLVM::SRemOp::create(*this, loc, a, i64(b));
  Value down = compare(LLVM::ICmpPredicate::slt, remainder, i64(0));
  return select(down, add(quotient, i64(-1)), quotient);
}
Value Code::mod(Value a, int64_t b, Sign /*sign*/) {
  if (llvm::isPowerOf2_64(b))
    return LLVM::AndOp::create(*this, loc, a, i64(b - 1));
  Value remainder = LLVM::SRemOp::create(*this, loc, a, i64(b));
  Value below = compare(LLVM::ICmpPredicate::slt, remainder, i64(0));
  return select(below, add(remainder, i64(b)), remainder);
}
Value Code::both(Value a, Value b) {
  if (!a || !b)
    return a ? a : b;
  return LLVM::AndOp::create(*this, loc, a, b);
}
Value Code::any(Value a, Value b) {
  return LLVM::OrOp::create(*this, loc, a, b);
}
Value Code::differ(Value a, Value b) {
  return LLVM::XOrOp::create(*this, loc, a, b);
}
Value Code::select(Value condition, Value a, Value b) {
  return LLVM::SelectOp::create(*this, loc, condition, a, b);
}

// Not `inbounds`: the first address of a tile may lie before the tensor where
// the elements that are read do not.
Value Code::offset(Type element, Value pointer, Value count) {
  return LLVM::GEPOp::create(*this, loc, pointerType(), element, pointer,
                             ArrayRef<LLVM::GEPArg>{count});
}
Value Code::offset(Type element, Value pointer, int64_t count) {
  if (!count)
    return pointer;
  if (llvm::isInt<30>(count))
    return LLVM::GEPOp::create(
        *this, loc, pointerType(), element, pointer,
        ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(count)});
  return offset(element, pointer, i64(count));
}
Value Code::load(Type type, Value pointer) {
  return LLVM::LoadOp::create(*this, loc, type, pointer, getAlignment(type));
}
void Code::store(Value value, Value pointer) {
  LLVM::StoreOp::create(*this, loc, value, pointer,
                        getAlignment(value.getType()));
}
Value Code::loadMasked(VectorType type, Value pointer, Value mask) {
  return LLVM::MaskedLoadOp::create(*this, loc, type, pointer, mask, zero(type),
                                    getAlignment(type));
}
void Code::storeMasked(Value value, Value pointer, Value mask) {
  LLVM::MaskedStoreOp::create(*this, loc, value, pointer, mask,
                              getAlignment(value.getType()));
}
Value Code::widen(Value halves) {
  int64_t lanes = cast<VectorType>(halves.getType()).getNumElements();
  auto type = VectorType::get(lanes, getF16Type());
  Value value = LLVM::BitcastOp::create(*this, loc, type, halves);
  Value wide = LLVM::FPExtOp::create(*this, loc, vectorType(lanes), value);
  // LLVM 22.1 mistakes an unpcklps of two conversions for the conversion of a
  // vpunpcklwd, whose elements come from other lanes beyond 128 bits. Nothing
  // looks through this.
  return LLVM::CallIntrinsicOp::create(*this, loc, wide.getType(),
                                       getStringAttr("llvm.arithmetic.fence"),
                                       ValueRange{wide})
      .getResult(0);
}
Value Code::narrow(Value floats) {
  int64_t lanes = cast<VectorType>(floats.getType()).getNumElements();
  auto type = VectorType::get(lanes, getF16Type());
  Value value = LLVM::FPTruncOp::create(*this, loc, type, floats);
  auto bits = VectorType::get(lanes, getI16Type());
  return LLVM::BitcastOp::create(*this, loc, bits, value);
}
Value Code::mask(const llvm::SmallBitVector &lanes) {
  SmallVector<bool> bits;
  for (unsigned i = 0; i < lanes.size(); ++i)
    bits.push_back(lanes[i]);
  auto type = VectorType::get(static_cast<int64_t>(bits.size()), getI1Type());
  return LLVM::ConstantOp::create(*this, loc,
                                  DenseElementsAttr::get(type, bits));
}

Value Code::hiddenMask(const llvm::SmallBitVector &lanes) {
  auto count = static_cast<int64_t>(lanes.size());
  APInt number(count, 0);
  for (unsigned lane : lanes.set_bits())
    number.setBit(lane);
  Type bits = getIntegerType(count);
  Value known =
      LLVM::ConstantOp::create(*this, loc, bits, getIntegerAttr(bits, number));
  auto hidden = LLVM::InlineAsmOp::create(
      *this, loc, TypeRange{bits}, known,
      /*asm_string=*/"", /*constraints=*/"=r,0",
      /*has_side_effects=*/false, /*is_align_stack=*/false,
      LLVM::TailCallKind::None, /*asm_dialect=*/nullptr,
      /*operand_attrs=*/nullptr);
  return LLVM::BitcastOp::create(
      *this, loc, VectorType::get(count, getI1Type()), hidden.getResult(0));
}

Value Code::broadcast(Value scalar, int64_t lanes) {
  auto type = VectorType::get(lanes, scalar.getType());
  Value poison = LLVM::PoisonOp::create(*this, loc, type);
  Value first = insert(poison, scalar, 0);
  return LLVM::ShuffleVectorOp::create(*this, loc, first, poison,
                                       SmallVector<int32_t>(lanes, 0));
}
Value Code::insert(Value vector, Value scalar, int64_t lane) {
  return LLVM::InsertElementOp::create(*this, loc, vector, scalar, i32(lane));
}
Value Code::extract(Value vector, int64_t lane) {
  return LLVM::ExtractElementOp::create(*this, loc, vector, i32(lane));
}
Value Code::resize(Value vector, int64_t lanes) {
  int64_t given = cast<VectorType>(vector.getType()).getNumElements();
  if (lanes == given)
    return vector;
  SmallVector<int32_t> from(lanes, /*poison*/ -1);
  std::iota(from.begin(), from.begin() + std::min(given, lanes), 0);
  return LLVM::ShuffleVectorOp::create(*this, loc, vector, vector, from);
}
Value Code::concatenate(ArrayRef<Value> vectors) {
  if (vectors.size() == 1)
    return vectors.front();
  size_t half = vectors.size() / 2;
  Value low = concatenate(vectors.take_front(half));
  Value high = concatenate(vectors.drop_front(half));
  int32_t lanes = 2 * cast<VectorType>(low.getType()).getNumElements();
  return LLVM::ShuffleVectorOp::create(
      *this, loc, low, high, llvm::to_vector(llvm::seq<int32_t>(0, lanes)));
}

void Code::branch(Block *block, ValueRange arguments) {
  LLVM::BrOp::create(*this, loc, arguments, block);
}
void Code::branch(Value condition, Block *yes, Block *no) {
  LLVM::CondBrOp::create(*this, loc, condition, yes, no);
}
Block *Code::addBlock(TypeRange arguments) {
  InsertionGuard guard(*this);
  Region *region = getInsertionBlock()->getParent();
  return createBlock(region, region->end(), arguments,
                     SmallVector<Location>(arguments.size(), loc));
}

Code::Values Code::loop(Value lower, Value upper, int64_t step, ValueRange init,
                        function_ref<Values(Value, ValueRange)> body) {
  Values first{lower};
  llvm::append_range(first, init);
  Block *header = addBlock(ValueRange(first).getTypes());
  Block *trip = addBlock();
  branch(header, first);

  setInsertionPointToStart(header);
  Value index = header->getArgument(0);
  ValueRange carried = header->getArguments().drop_front();
  Value more = compare(LLVM::ICmpPredicate::slt, index, upper);

  setInsertionPointToStart(trip);
  Values yielded = body(index, carried);
  yielded.insert(yielded.begin(), add(index, i64(step)));
  branch(header, yielded);

  // The exit comes last so that blocks stand in the order in which they run.
  setInsertionPointToEnd(header);
  Block *exit = addBlock();
  branch(more, trip, exit);
  setInsertionPointToStart(exit);
  return Values(carried);
}

Code::Values Code::either(Value condition, function_ref<Values()> yes,
                          function_ref<Values()> no) {
  Block *entry = getInsertionBlock(), *yesBlock = addBlock();
  setInsertionPointToStart(yesBlock);
  Values yesValues = yes();
  Block *yesEnd = getInsertionBlock(), *noBlock = addBlock();
  setInsertionPointToStart(noBlock);
  Values noValues = no();
  Block *noEnd = getInsertionBlock();
  Block *join = addBlock(ValueRange(yesValues).getTypes());
  setInsertionPointToEnd(entry);
  branch(condition, yesBlock, noBlock);
  setInsertionPointToEnd(yesEnd);
  branch(join, yesValues);
  setInsertionPointToEnd(noEnd);
  branch(join, noValues);
  setInsertionPointToStart(join);
  return Values(join->getArguments());
}

} // namespace sparkle::cpu
